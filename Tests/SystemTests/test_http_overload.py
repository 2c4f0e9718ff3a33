"""Clients that wish an HTTP server ill, or do nothing, beside one that does not: it is served, in little memory."""

from __future__ import annotations

import contextlib
import http.client
import resource
import select
import socket
import time
import unittest
from typing import Callable

from harness import eventually
from programs import HTTPProbe, http_server

MEGABYTE = 1_000_000
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, DATA, SETTINGS, PING, CONTINUATION = 1, 0, 4, 6, 9
GET = b"\x82\x86\x84\x41\x01x"
"""`GET http://x/` in HPACK."""


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def idle_connections() -> int:
    """10,000 beside some spare ones, as far as descriptors go; 2,000 at the least."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return min(9_800, max(2_000, limit - 500))


class OverloadTests(unittest.TestCase):
    def serving(self, server: HTTPProbe, seconds: float = 2) -> None:
        """Asserts that a healthy client is answered in time."""
        started = time.monotonic()
        self.assertIn("connections", server.status())
        self.assertLess(time.monotonic() - started, seconds)

    def test_idle_connections_take_little(self) -> None:
        for name, greeting, bytes_each in (("HTTP/1.1", b"", 3_000), ("HTTP/2", PREFACE + frame(SETTINGS), 30_000)):
            request = b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n" if not greeting else frame(HEADERS, 5, 1, GET)
            with self.subTest(name), http_server() as server, contextlib.ExitStack() as stack:
                self.open(server, stack, greeting + request, 100)
                before, count = server.memory(), idle_connections()
                self.open(server, stack, greeting + request, count)
                self.assertGreaterEqual(server.status()["connections"], count)
                self.serving(server)
                self.assertLess((server.memory() - before) / count, bytes_each)

    def open(self, server: HTTPProbe, stack: contextlib.ExitStack, sent: bytes, count: int) -> None:
        """Opens connections that ask for something, read the answer, and then do nothing."""
        for _ in range(count):
            connection = stack.enter_context(server.connect())
            connection.sendall(sent)
            connection.recv(65_536)

    def test_a_slow_loris_is_shed(self) -> None:
        starts = [b"GET / HTTP/1.1\r\nHost: x\r\n", PREFACE[:12], PREFACE + frame(SETTINGS) + frame(HEADERS, 1, 1, GET)]
        with http_server(GOZON_TIMEOUT_MILLISECONDS="500") as server, contextlib.ExitStack() as stack:
            slow = [stack.enter_context(server.connect()) for _ in range(300)]
            for index, connection in enumerate(slow):
                connection.sendall(starts[index % 3])
                connection.setblocking(False)
            deadline = time.monotonic() + 20
            while slow and time.monotonic() < deadline:
                slow = [connection for connection in slow if self.trickle(connection, b"a")]
                self.serving(server)
                time.sleep(0.1)
            self.assertEqual(slow, [], "some were not shed")
            eventually(lambda: server.status()["connections"], lambda count: count == 1, "no connection left")

    def trickle(self, connection: socket.socket, byte: bytes) -> bool:
        """Sends one byte more; whether the connection still lives."""
        try:
            while select.select([connection], [], [], 0)[0]:
                if not connection.recv(65_536):
                    return False
            connection.send(byte)
        except OSError:
            return False
        return True

    def pour(self, server: HTTPProbe, beginning: bytes, more: Callable[[], bytes], at_most: int) -> bytes:
        """Sends without end, until the server answers or hangs up; what it said."""
        with server.connect() as connection:
            connection.sendall(beginning)
            sent, answer, piece = 0, b"", more()
            connection.setblocking(False)
            with contextlib.suppress(ConnectionError):
                while sent < at_most:
                    readable, writable, _ = select.select([connection], [connection], [], 10)
                    if readable:
                        received = connection.recv(65_536)
                        if not received:
                            return answer
                        answer += received
                    elif writable:
                        count = connection.send(piece)
                        sent, piece = sent + count, piece[count:] or more()
                self.fail(f"{at_most} bytes were taken")
            return answer

    def test_a_head_without_end_is_refused(self) -> None:
        with http_server() as server:
            before = server.memory()
            answer = self.pour(server, b"GET / HTTP/1.1\r\nHost: x\r\n", lambda: b"a: b\r\n" * 1_000, 16 * MEGABYTE)
            self.assertIn(b"HTTP/1.1 431 ", answer)
            answer = self.pour(server, b"GET /", lambda: b"a" * 10_000, 16 * MEGABYTE)
            self.assertIn(b"HTTP/1.1 414 ", answer)
            beginning = PREFACE + frame(SETTINGS) + frame(HEADERS, 1, 1, GET)
            field = b"\x00\x01a\x7f\xa1\x1e" + b"b" * 4_000
            self.pour(server, beginning, lambda: frame(CONTINUATION, 0, 1, field), 16 * MEGABYTE)
            self.pour(server, beginning, lambda: frame(CONTINUATION, 0, 1) * 100, 16 * MEGABYTE)
            self.assertLess(server.memory() - before, 4 * MEGABYTE)
            self.serving(server)

    def test_a_body_without_end_is_refused(self) -> None:
        with http_server() as server:
            before = server.memory()
            head = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            answer = self.pour(server, head, lambda: b"1000\r\n" + b"a" * 4_096 + b"\r\n", 64 * MEGABYTE)
            self.assertIn(b"HTTP/1.1 413 ", answer)
            self.assertLess(server.memory() - before, 8 * MEGABYTE)
            self.serving(server)

    def test_floods_of_http2_end_the_connection(self) -> None:
        streams = iter(range(1, 1 << 30, 2))
        # A field of 4,000 bytes put into the table, and named by its index 9,000 times.
        bomb = GET + b"\x40\x01a\x7f\xa1\x1e" + b"b" * 4_000 + b"\xbe" * 9_000

        def reset() -> bytes:
            stream = next(streams)
            return frame(HEADERS, 5, stream, GET) + frame(3, 0, stream, bytes([0, 0, 0, 8]))

        floods: dict[str, Callable[[], bytes]] = {
            "rapid reset": lambda: b"".join(reset() for _ in range(100)),
            "pings": lambda: frame(PING, payload=bytes(8)) * 100,
            "settings": lambda: frame(SETTINGS) * 100,
            "empty data": lambda: frame(DATA, 0, 1) * 100,
            "table": lambda: frame(HEADERS, 5, next(streams), bomb),
        }
        for name, flood in floods.items():
            streams = iter(range(1, 1 << 30, 2))
            with self.subTest(name), http_server() as server:
                beginning = PREFACE + frame(SETTINGS)
                beginning += frame(HEADERS, 4, next(streams), GET) if name == "empty data" else b""
                before = server.memory()
                self.pour(server, beginning, flood, 64 * MEGABYTE)
                self.assertLess(server.memory() - before, 8 * MEGABYTE)
                self.serving(server)

    def test_readers_that_stop_leave_the_server_s_memory_flat(self) -> None:
        window = frame(SETTINGS, payload=b"\0\4\x7f\xff\xff\xff") + frame(8, 0, 0, b"\x7f\0\0\0")
        path = b"/stream?count=1000000000&bytes=100000"
        target = GET[:2] + b"\x04" + bytes([len(path)]) + path + GET[3:]
        with http_server() as server, contextlib.ExitStack() as stack:
            before = server.memory()
            for number in range(40):
                connection = stack.enter_context(server.connect())
                if number % 2:
                    connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                else:
                    connection.sendall(PREFACE + window + frame(HEADERS, 5, 1, target))
            eventually(lambda: server.status()["requests"], lambda count: count == 41, "all to be answered")
            time.sleep(1)
            self.assertLess(server.memory() - before, 40 * MEGABYTE)
            self.serving(server)

    def test_a_keep_alive_client_is_served_beside_all_that(self) -> None:
        with http_server() as server, contextlib.ExitStack() as stack:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            for _ in range(50):
                flood = PREFACE + frame(SETTINGS) + frame(PING, payload=bytes(8)) * 5_000
                stack.enter_context(server.connect()).sendall(flood)
                connection.request("GET", "/small")
                self.assertEqual(connection.getresponse().read()[:1], b"{")
            connection.close()


if __name__ == "__main__":
    unittest.main()
