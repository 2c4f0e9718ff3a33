"""Bytes that are no frames, sent to the RPC ports: no process may end of them."""

from __future__ import annotations

import random
import socket
import threading

from harness import SystemTestCase


class Recorder:
    """Stands between a client and a server and keeps what the client sends: real frames to spoil, whatever
    their format is."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.sent = bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._pump, args=(client, server, self.sent), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, bytearray()), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
        try:
            while data := source.recv(65536):
                kept += data
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class FrameTests(SystemTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.conversation = cls.record()

    @classmethod
    def record(cls) -> bytes:
        """What the client tool sends for one call: the greeting and a request."""
        recorder = Recorder(cls.system.ports["orders"])
        try:
            answer = cls.system.client_tool(
                "call", "Orders.ListOrders", "{}", "--backends", f"127.0.0.1:{recorder.port}", check=False
            )
            assert answer.returncode == 0, answer
            return bytes(recorder.sent)
        finally:
            recorder.close()

    def setUp(self) -> None:
        super().setUp()
        self.pids = self.system.pids()

    def send(self, data: bytes) -> bytes:
        """Sends bytes to a service and hangs up; what it answered."""
        with socket.create_connection(("127.0.0.1", self.system.ports["orders"]), timeout=10) as connection:
            answered = b""
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65536):
                    answered += part
            except ConnectionError:
                pass
            return answered

    def test_a_conversation_is_answered_when_repeated_as_it_was(self) -> None:
        self.assertGreater(len(self.send(self.conversation)), 32)
        self.assert_serving(self.pids)

    def test_a_conversation_cut_at_every_byte(self) -> None:
        for length in range(len(self.conversation)):
            self.send(self.conversation[:length])
        self.assert_serving(self.pids)

    def test_every_byte_spoiled_and_every_length_a_lie(self) -> None:
        for position in range(min(len(self.conversation), 400)):
            for value in {0x00, 0xFF, 0x7F, self.conversation[position] ^ 1, self.conversation[position] ^ 0x80}:
                spoiled = bytearray(self.conversation)
                spoiled[position] = value
                self.send(bytes(spoiled))
        for position in range(0, min(len(self.conversation) - 4, 400)):
            for lie in (0xFFFFFFFF, 0x7FFFFFFF, 0, 1):
                spoiled = bytearray(self.conversation)
                spoiled[position : position + 4] = lie.to_bytes(4, "little")
                self.send(bytes(spoiled))
        self.assert_serving(self.pids)

    def test_garbage(self) -> None:
        dice = random.Random(1)
        for _ in range(200):
            self.send(dice.randbytes(dice.randint(1, 4096)))
            self.send(self.conversation + dice.randbytes(dice.randint(1, 4096)))
        self.assert_serving(self.pids)

    def test_http_on_the_rpc_port(self) -> None:
        self.send(b"GET / HTTP/1.1\r\nHost: gozon\r\n\r\n")
        self.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))  # A TLS greeting.
        self.assert_serving(self.pids)

    def test_a_thousand_connections_that_say_nothing(self) -> None:
        connections = []
        try:
            for _ in range(1000):
                connections.append(socket.create_connection(("127.0.0.1", self.system.ports["payments"]), timeout=10))
            self.assert_serving(self.pids)
        finally:
            for connection in connections:
                connection.close()
