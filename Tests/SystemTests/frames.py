"""A client of the protocol, written from Schemas/PROTOCOL.md alone: what our own code says about itself proves little."""

from __future__ import annotations

import socket
import struct
import uuid
import zlib
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

HELLO, REQUEST, RESPONSE, CANCEL, PING, PONG, GO_AWAY = range(1, 8)
HEADER_BYTES = 24

FIXED = {"bool": "<?", "enum": "<H", "int32": "<i", "uint32": "<I", "int64": "<q", "timestamp": "<q"}
"""Types whose value is in the slot, as `struct` knows them; besides these there is uuid."""


def frame(
    kind: int, payload: bytes = b"", *, stream: int = 0, flags: int = 0, code: int = 0, value: int = 0, length: int = -1
) -> bytes:
    """A frame with sound checksums, whatever else is wrong with it; a length of -1 is the true one."""
    counted = len(payload) if length < 0 else length
    head = struct.pack("<IIBBHII", counted, stream, kind, flags, code, value, zlib.crc32(payload))
    return head + struct.pack("<I", zlib.crc32(head)) + payload


def hello(magic: bytes = b"GOZN", versions: tuple[int, int] = (1, 1)) -> bytes:
    return frame(HELLO, magic + struct.pack("<HHIIIII", *versions, 4 << 20, 0, 1000, 256 << 10, 4 << 20) + metadata({}))


def metadata(pairs: Mapping[str, str]) -> bytes:
    encoded = b"".join(
        bytes([len(name)]) + name.encode() + struct.pack("<H", len(value.encode())) + value.encode()
        for name, value in pairs.items()
    )
    return struct.pack("<H", len(encoded)) + encoded


def encode(fields: Sequence[tuple[str, Any]]) -> bytes:
    """A message of fields with their types, in the order of their numbers; None is absent."""
    sizes = [_slot_bytes(kind) for kind, _ in fields]
    header, slots, contents = sum(sizes), b"", b""
    for number, ((kind, value), size) in enumerate(zip(fields, sizes), 1):
        if value is None:
            slots += bytes(size)
            continue
        header |= 1 << (15 + number)
        if kind == "uuid":
            slots += uuid.UUID(value).bytes
        elif kind in FIXED:
            slots += struct.pack(FIXED[kind], value)
        else:
            content = value.encode() if kind == "string" else value
            slots += struct.pack("<II", 8 + sum(sizes) + len(contents), len(content))
            contents += content
    return struct.pack("<Q", header) + slots + contents


def decode(kinds: Sequence[str], message: bytes) -> list[Any]:
    """The values of a message's fields; None where one is absent, bytes for a list or a message inside."""
    (header,) = struct.unpack_from("<Q", message)
    end, at, values = 8 + (header & 0xFFFF), 8, []
    for number, kind in enumerate(kinds, 1):
        size = _slot_bytes(kind)
        slot = message[at : at + size]
        at += size
        if at > end or not header >> (15 + number) & 1:
            values.append(None)
        elif kind == "uuid":
            values.append(str(uuid.UUID(bytes=slot)))
        elif kind in FIXED:
            values.append(struct.unpack(FIXED[kind], slot)[0])
        else:
            offset, length = struct.unpack("<II", slot)
            content = message[offset : offset + length]
            values.append(content.decode() if kind == "string" else content)
    return values


def decode_list(content: bytes) -> list[bytes]:
    """The elements of a list of messages or texts."""
    (count,) = struct.unpack_from("<I", content)
    lengths = struct.unpack_from(f"<{count}I", content, 4)
    elements, at = [], 4 + 4 * count
    for length in lengths:
        elements.append(content[at : at + length])
        at += length
    return elements


def _slot_bytes(kind: str) -> int:
    return 16 if kind == "uuid" else struct.calcsize(FIXED.get(kind, "<Q"))


@dataclass(frozen=True)
class Frame:
    """A frame that arrived whole and sound."""

    kind: int
    stream: int
    flags: int
    code: int
    value: int
    payload: bytes


class FrameConnection:
    """A connection on which any bytes can be sent, and frames read."""

    def __init__(self, port: int, timeout: float = 10) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.reader = self.socket.makefile("rb")
        self.streams = 0

    def __enter__(self) -> FrameConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.reader.close()
        self.socket.close()

    def finish(self) -> None:
        """Says that nothing more will be sent."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def send(self, data: bytes) -> None:
        """Sends what the peer still wants to hear."""
        try:
            self.socket.sendall(data)
        except ConnectionError:
            pass

    def read(self) -> Frame | None:
        """The next frame; None when the peer has hung up."""
        try:
            head = self.reader.read(HEADER_BYTES)
        except ConnectionError:
            return None
        if len(head) < HEADER_BYTES:
            return None
        length, stream, kind, flags, code, value, payload_sum, head_sum = struct.unpack("<IIBBHIII", head)
        assert zlib.crc32(head[:20]) == head_sum, "the header's checksum"
        payload = self.reader.read(length)
        assert zlib.crc32(payload) == payload_sum, "the payload's checksum"
        return Frame(kind, stream, flags, code, value, payload)

    def greet(self) -> Frame | None:
        self.send(hello())
        return self.read()

    def call(
        self, method: int, request: bytes, *, milliseconds: int = 10_000, pairs: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and message of the answer. A method is its service's number in the high byte, its own in the low."""
        self.streams += 1
        head, flags = (metadata(pairs), 1) if pairs else (b"", 0)
        self.send(frame(REQUEST, head + request, stream=self.streams, flags=flags, code=method, value=milliseconds))
        answer = self.read()
        if answer is None:
            raise ConnectionError("the server hung up")
        assert answer.kind == RESPONSE and answer.stream == self.streams, answer
        skipped = 2 + struct.unpack_from("<H", answer.payload)[0] if answer.flags & 1 else 0
        return answer.code, answer.payload[skipped:]
