"""Conversations in frames that are written as data: what one side sends, and what is to come back.

Tests/Conformance/README.md explains the words of the files.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import struct
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Sequence

from harness import CHECKOUT
from gozon_client import (
    SCHEMAS,
    HAS_METADATA,
    Frame,
    FrameReader,
    Hello,
    Kind,
    MessageError,
    Method,
    ProtocolError,
    Schema,
    Status,
    pack_metadata,
    unpack_metadata,
)

CONFORMANCE = CHECKOUT / "Tests" / "Conformance"
PATIENCE_SECONDS = 20.0
"""How long a peer may take for a frame: far longer than any that works as it should."""

FLOOD_BYTES = 500_000_000
"""Far more than any peer takes that does not grant it."""

Data = Mapping[str, Any]


def cases(file: str) -> list[dict[str, Any]]:
    """The cases of a file."""
    return json.loads((CONFORMANCE / file).read_text("utf-8"))["cases"]


def schema() -> Schema:
    """The project's schemas, and the messages of other versions that conversations are about."""
    directories = (SCHEMAS, CONFORMANCE)
    files = [path for directory in directories for path in sorted(directory.glob("*.gozon"))]
    return Schema({path.name: path.read_text("utf-8") for path in files})


class Surprise(AssertionError):
    """What came is not what was to come."""


class Conversation:
    """One side of a connection that says what data tells it to say."""

    def __init__(self, connection: socket.socket, schema: Schema, is_server: bool) -> None:
        self.schema, self.is_server = schema, is_server
        self.stream = 0
        """The newest call: that of frames that name none."""
        self._socket = connection
        self._socket.settimeout(PATIENCE_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._methods: dict[int, Method] = {}
        self._frames = self._read_frames(FrameReader(payload_max=64 << 20))

    def close(self) -> None:
        self._socket.close()

    def greet(self, **changes: Any) -> None:
        """Exchanges greetings; a client's comes first."""
        steps: list[Data] = [{"send": {"kind": "HELLO", **changes}}, {"expect": {"kind": "HELLO"}}]
        self.follow(reversed(steps) if self.is_server else steps)

    def follow(self, steps: Iterator[Data] | Sequence[Data], others: Mapping[str, Callable[[Any], object]] = {}) -> None:
        """Takes steps one after the other; `others` are words that only some conversations know."""
        words: dict[str, Callable[[Any], object]] = {
            "send": lambda data: self.send(self.packed(data)),
            "drip": self._drip,
            "expect": self.expect,
            "send bytes": lambda text: self.send(bytes.fromhex(text)),
            "send text": lambda text: self.send(text.encode()),
            "send part": self._send_part,
            "flood": self._flood,
            "stop sending": lambda _: self._socket.shutdown(socket.SHUT_WR),
            "hang up": lambda _: self._socket.close(),
            "open still": lambda _: self.assert_open(),
            **others,
        }
        for number, step in enumerate(steps, 1):
            (word, data), *_ = step.items()
            try:
                for _ in range(step.get("times", 1)):
                    words[word](data)
            except (OSError, ProtocolError, MessageError, Surprise) as error:
                raise Surprise(f"step {number}, {json.dumps(step)}: {type(error).__name__}: {error}") from None

    # Sending

    def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._socket.sendall(data)

    def packed(self, data: Data) -> bytes:
        """The bytes of a frame, in the ways in which data may spoil it."""
        kind = Kind[data["kind"]] if isinstance(data["kind"], str) else data["kind"]
        if kind == Kind.HELLO and "hex" not in data:
            return _spoiled(self._hello(data), data)
        method = self.schema.method(data["method"]) if "method" in data else None
        if kind == Kind.REQUEST:
            self.stream = data.get("stream", self.stream + 1)
            if method:
                self._methods[self.stream] = method
        of_a_call = kind in (Kind.REQUEST, Kind.RESPONSE, Kind.CANCEL, Kind.MESSAGE, Kind.END, Kind.CREDIT)
        stream = data.get("stream", self.stream if of_a_call else 0)
        flags = (method.flags if method else 0) | (HAS_METADATA if "metadata" in data else 0)
        code = data.get("code", method.code if method else data.get("reason", 0))
        if "status" in data:
            code = Status[data["status"]]
        value = data.get("value", 10_000 if kind == Kind.REQUEST else 0)
        payload = self._payload(kind, stream, code, data)
        return _spoiled(Frame(kind, stream, data.get("flags", flags), code, value, payload), data)

    def _hello(self, data: Data) -> Frame:
        changes = {name: value for name, value in data.items() if name in Hello.__dataclass_fields__}
        if "magic" in changes:
            changes["magic"] = changes["magic"].encode()
        if self.is_server:
            changes.setdefault("calls_max", 100)
        frame = Hello(**{"metadata": [("name", "conformance")], **changes}).frame()
        payload = frame.payload[: data.get("cut at", len(frame.payload))] + bytes.fromhex(data.get("more", ""))
        return frame._replace(payload=payload, stream=data.get("stream", 0), flags=data.get("flags", 0))

    def _payload(self, kind: int, stream: int, code: int, data: Data) -> bytes:
        front = pack_metadata([(name, _text(value)) for name, value in data["metadata"]]) if "metadata" in data else b""
        if "hex" in data:
            return front + bytes.fromhex(data["hex"])
        if "zeros" in data:
            return front + bytes(data["zeros"])
        if "text" in data:
            return front + data["text"].encode()
        if "message" in data:
            name = data.get("type") or self._type(kind, stream, code, from_server=self.is_server)
            return front + self.schema.encode(name, _with_bytes(data["message"])) + bytes.fromhex(data.get("more", ""))
        return front

    def _type(self, kind: int, stream: int, code: int, from_server: bool) -> str:
        """The type of the message in a frame of a call."""
        if kind == Kind.RESPONSE and code != Status.OK:
            return "gozon.rpc.ErrorDetails"
        return self._methods[stream].response if from_server else self._methods[stream].request

    def _drip(self, data: Data) -> None:
        for byte in self.packed(data):
            self.send(struct.pack("B", byte))

    def _send_part(self, data: Data) -> None:
        self.send(self.packed(data)[: data["size"]])

    def _flood(self, data: Data) -> None:
        frame = self.packed(data)
        with contextlib.suppress(ConnectionError):
            for _ in range(FLOOD_BYTES // len(frame)):
                self.send(frame)
            raise Surprise(f"the peer has taken {FLOOD_BYTES} bytes")

    # Receiving

    def _read_frames(self, reader: FrameReader) -> Iterator[Frame | None]:
        while True:
            try:
                received = self._socket.recv(1 << 18)
            except ConnectionError:
                received = b""
            yield from reader.feed(received) if received else [None]

    def read(self) -> Frame | None:
        """The next frame; None when the peer has hung up."""
        return next(self._frames)

    def expect(self, wanted: Data) -> None:
        """Reads a frame that is as data says. Grants of credit come when they come: expected or passed over."""
        found = self._described(skips_credit=wanted["kind"] != "CREDIT")
        if not _agrees(wanted, found):
            raise Surprise(f"there came {json.dumps(found)[:1000]}")

    def _described(self, skips_credit: bool) -> dict[str, Any]:
        while (frame := self.read()) and frame.kind == Kind.CREDIT and skips_credit:
            pass
        return self.describe(frame) if frame else {"kind": "nothing: the peer has hung up"}

    def describe(self, frame: Frame) -> dict[str, Any]:
        """A frame in the words of the data."""
        kind = Kind(frame.kind)
        found: dict[str, Any] = {"kind": kind.name, "stream": frame.stream, "flags": frame.flags, "value": frame.value}
        payload = frame.payload
        if kind == Kind.REQUEST:
            self.stream = frame.stream
            (method,) = [one for one in self.schema.methods.values() if one.code == frame.code]
            self._methods[frame.stream] = method
            found["method"] = method.name
        if frame.flags & HAS_METADATA:
            pairs, payload = unpack_metadata(payload)
            found["metadata"] = [list(pair) for pair in pairs]
        if kind == Kind.RESPONSE:
            found["status"] = Status(frame.code).name
        elif kind == Kind.GOAWAY:
            found |= {"reason": frame.code, "text": payload.decode()}
        elif kind == Kind.HELLO:
            hello = Hello.read(payload)
            found |= {name: getattr(hello, name) for name in Hello.__dataclass_fields__ if name != "magic"}
            found["metadata"] = [list(pair) for pair in hello.metadata]
        found["size"] = len(payload)
        if kind in (Kind.REQUEST, Kind.RESPONSE, Kind.MESSAGE) and frame.stream in self._methods and payload:
            name = self._type(kind, frame.stream, frame.code, from_server=not self.is_server)
            found["message"] = self.schema.decode(name, payload)
        return found

    def is_called(self) -> bool:
        """Whether the newest call is one of the service under test."""
        return self.stream in self._methods and not self._methods[self.stream].name.startswith("gozon.rpc.")

    # Ends

    def end(self, wanted: Any) -> None:
        """Asserts how the conversation ends: `open`, `closed`, with a GOAWAY of a reason, or `unheard`."""
        if isinstance(wanted, (int, dict)):
            said = wanted if isinstance(wanted, dict) else {"reason": wanted}
            self.follow([{"expect": {"kind": "GOAWAY", "text": {"has": " "}, **said}}])
        if wanted == "open":
            self.assert_open()
        elif wanted != "unheard":
            self.assert_closed()

    def assert_open(self) -> None:
        """Asserts that the connection goes on and that nothing more has come."""
        self.follow([{"send": {"kind": "PING", "value": 4711}}, {"expect": {"kind": "PONG", "value": 4711}}])

    def assert_closed(self) -> None:
        """Asserts that the peer hangs up without another frame."""
        found = self._described(skips_credit=True)
        if "hung up" not in found["kind"]:
            raise Surprise(f"the peer was to hang up, but there came {json.dumps(found)[:1000]}")

    def wait_closed(self) -> None:
        """Reads until the peer hangs up."""
        while self.read():
            pass


def _spoiled(frame: Frame, data: Data) -> bytes:
    packed = bytearray(frame.pack())
    if "length" in data:
        packed[0:4] = struct.pack("<I", data["length"])
    if data.get("payload checksum") == "wrong":
        packed[16] ^= 0xFF
    if packed[:20] != frame.pack()[:20]:
        packed[20:24] = Frame.checksum(bytes(packed[:20]))
    if data.get("header checksum") == "wrong":
        packed[20] ^= 0xFF
    return bytes(packed)


def _with_bytes(value: Any) -> Any:
    """JSON with `{"bytes": n}` replaced by n bytes."""
    if isinstance(value, dict) and set(value) == {"bytes"} and isinstance(value["bytes"], int):
        return base64.b64encode(b"p" * value["bytes"]).decode()
    if isinstance(value, dict):
        return {name: _with_bytes(member) for name, member in value.items()}
    return [_with_bytes(member) for member in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    """A text, or so many bytes of one."""
    return "t" * value["bytes of text"] if isinstance(value, dict) else value


def _agrees(wanted: Any, found: Any) -> bool:
    """Whether what was found has everything that is wanted; numbers may be wanted in a range, texts by a part."""
    if isinstance(wanted, dict) and set(wanted) == {"from", "to"}:
        return isinstance(found, int) and wanted["from"] <= found <= wanted["to"]
    if isinstance(wanted, dict) and set(wanted) == {"has"}:
        return isinstance(found, str) and wanted["has"] in found
    if isinstance(wanted, dict) and set(wanted) == {"bytes"}:
        return _with_bytes(wanted) == found
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            name in found and _agrees(value, found[name]) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(_agrees, wanted, found))
    return wanted == found
