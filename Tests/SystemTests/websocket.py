"""A small client of WebSocket (RFC 6455)."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class WebSocket:
    """An open WebSocket; for one thread."""

    def __init__(self, connection: socket.socket, path: str, subprotocol: str | None = None) -> None:
        self.connection = connection
        self.stream = connection.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", "Host: test", "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        lines += [f"Sec-WebSocket-Protocol: {subprotocol}"] if subprotocol else []
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.status = self.stream.readline().decode().rstrip()
        self.fields: dict[str, str] = {}
        while line := self.stream.readline().strip().decode():
            name, _, value = line.partition(": ")
            self.fields[name.lower()] = value
        proof = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        assert self.fields.get("sec-websocket-accept") == proof.decode(), (self.status, self.fields)

    def send(self, opcode: int, payload: bytes, is_last: bool = True) -> None:
        mask = os.urandom(4)
        head = bytes([(0x80 if is_last else 0) | opcode])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        elif len(payload) < 1 << 16:
            head += bytes([0x80 | 126]) + struct.pack(">H", len(payload))
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", len(payload))
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self.connection.sendall(head + mask + masked)

    def receive(self) -> tuple[int, bytes]:
        """The next frame: its opcode and its payload."""
        first, count = self.stream.read(2)
        if count == 126:
            count = struct.unpack(">H", self.stream.read(2))[0]
        elif count == 127:
            count = struct.unpack(">Q", self.stream.read(8))[0]
        assert count & 0x80 == 0 or count > 127, "a server must not mask"
        return first & 0x0F, self.stream.read(count)

    def close(self, code: int = 1000) -> bytes:
        """Closes, and waits for the end; what the server said."""
        self.send(CLOSE, struct.pack(">H", code))
        opcode, payload = self.receive()
        assert opcode == CLOSE, opcode
        assert self.stream.read() == b""
        return payload
