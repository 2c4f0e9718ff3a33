"""A client of Gozon's servers in one file, written from Schemas/PROTOCOL.md alone.

As a program it makes one call and prints what comes back:

    tools/gozon_client.py 127.0.0.1:7001 Orders.GetOrder '{"id": "..."}'
    printf '{"number": 1, "payload": ""}\n' | tools/gozon_client.py 127.0.0.1:7001 Probe.Echo

Streams of requests are read from standard input, streams of responses are written to standard output: a JSON document
a line. The exit status is 0, or 64 and the number of the status that the call ended with.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import datetime
import enum
import json
import math
import re
import selectors
import socket
import struct
import sys
import threading
import time
import uuid
import zlib
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Mapping, NamedTuple, Sequence, TypeVar

Json = Any
Found = TypeVar("Found")
Pairs = Sequence[tuple[str, str]]

SCHEMAS = Path(__file__).resolve().parents[1] / "Schemas"


class Status(enum.IntEnum):
    """How a call ended: `StatusCode` of rpc.gozon."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class RPCError(Exception):
    """A call that ended with another status than OK."""

    def __init__(self, status: Status, details: Mapping[str, Json], metadata: Pairs = ()) -> None:
        self.status = status
        self.message: str = details.get("message", "")
        self.reason: str = details.get("reason", "")
        self.violations: list[dict[str, str]] = details.get("violations", [])
        self.retry_after_milliseconds: int | None = details.get("retryAfterMilliseconds")
        self.metadata = list(metadata)
        super().__init__(f"{status.name}{f' ({self.reason})' if self.reason else ''}: {self.message}")


class ProtocolError(Exception):
    """Bytes that break the protocol; nothing of the connection can be believed after them."""


class MessageError(ValueError):
    """A message that cannot be read or written: pairs of a JSON pointer and what is wrong there."""

    def __init__(self, mistakes: list[tuple[str, str]]) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(f"{pointer or 'the message'}: {detail}" for pointer, detail in mistakes))


class SchemaError(ValueError):
    """A schema that cannot be read, or a name that it does not have."""


# Schemas


@dataclass(frozen=True)
class Field:
    """A field of a message; one without a name is reserved. `type` is a scalar or a full name."""

    name: str
    type: str
    is_list: bool
    optional: bool


@dataclass
class Message:
    """A type of messages: its fields, field number 1 first."""

    name: str
    fields: list[Field]


@dataclass
class Enum:
    """An enum: its numbers by name, the first declared case first."""

    name: str
    cases: dict[str, int]


@dataclass(frozen=True)
class Method:
    """A method; `code` is what a REQUEST calls it by, the request and the response are full names."""

    name: str
    code: int
    request: str
    response: str
    streams_requests: bool
    streams_responses: bool

    @property
    def flags(self) -> int:
        return (STREAMS_REQUESTS if self.streams_requests else 0) | (STREAMS_RESPONSES if self.streams_responses else 0)


SCALARS = {"bool": "<B", "int32": "<i", "uint32": "<I", "int64": "<q", "uint64": "<Q", "float64": "<d"}
SCALARS |= {"timestamp": "<q", "uuid": "16s"}
TEXTS = ("string", "bytes")
_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*)|(?P<text>"(?:\\.|[^"\\\n])*")|(?P<number>-?\d+(?:\.\d+)?)"""
    r"""|(?P<word>[A-Za-z_][\w.]*)|(?P<sign>->|[{}()<>:=?@,])"""
)


class Schema:
    """The messages, enums and methods of schema files that know each other."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Parses files, their texts by their names."""
        self.messages: dict[str, Message] = {}
        self.enums: dict[str, Enum] = {}
        self.methods: dict[str, Method] = {}
        parsers = [_Parser(self, name, text) for name, text in sources.items()]
        packages = {parser.file: parser.package for parser in parsers}
        for parser in parsers:
            parser.resolve([packages[name] for name in parser.imports if name in packages])

    @staticmethod
    def of_directory(directory: Path = SCHEMAS) -> Schema:
        """Everything in a directory of schema files."""
        return Schema({path.name: path.read_text("utf-8") for path in sorted(directory.glob("*.gozon"))})

    def method(self, name: str) -> Method:
        """The method of a name such as `Orders.GetOrder` or `gozon.orders.Orders/GetOrder`."""
        wanted = name.replace("/", ".")
        found = [one for full, one in self.methods.items() if full == wanted or full.endswith("." + wanted)]
        if len(found) != 1:
            raise SchemaError(f"{'no method' if not found else 'several methods'} called {name}")
        return found[0]

    def encode(self, name: str, value: Json) -> bytes:
        """The bytes of a message from its JSON; MessageError names everything that is wrong with it."""
        encoder = _Encoder(self)
        data = encoder.message(self.messages[name], value, "", 1)
        if encoder.mistakes:
            raise MessageError(encoder.mistakes)
        return data

    def decode(self, name: str, data: bytes) -> dict[str, Json]:
        """The JSON of a message from its bytes."""
        return _Decoder(self).message(self.messages[name], data, "", 1)

    def has_content(self, type: str) -> bool:
        """Whether values lie behind the fixed block."""
        return type in TEXTS or type in self.messages

    def format(self, type: str) -> struct.Struct:
        """How a value lies in its slot."""
        return struct.Struct("<II" if self.has_content(type) else SCALARS.get(type, "<H"))


class _Parser:
    """Reads one file into a schema; the names of types are found once all files are read."""

    def __init__(self, schema: Schema, file: str, text: str) -> None:
        self.schema, self.file, self.imports = schema, file, list[str]()
        self.tokens, position = deque[str](), 0
        while position < len(text):
            if not (match := _TOKEN.match(text, position)):
                raise SchemaError(f"{file}: what is {text[position : position + 10]!r}?")
            position = match.end()
            if match.lastgroup != "skip":
                self.tokens.append(match.group())
        self.expect("package")
        self.package = self.next()
        self.made: list[Message] = []
        self.declared: list[tuple[str, int, tuple[bool, str], tuple[bool, str]]] = []
        while self.tokens:
            self.declaration()

    def next(self) -> str:
        if not self.tokens:
            raise SchemaError(f"{self.file} ends too early")
        return self.tokens.popleft()

    def expect(self, *wanted: str) -> None:
        for word in wanted:
            if (found := self.next()) != word:
                raise SchemaError(f"{self.file}: {word!r} is missing before {found!r}")

    def accept(self, word: str) -> bool:
        if self.tokens and self.tokens[0] == word:
            self.tokens.popleft()
            return True
        return False

    def declaration(self) -> None:
        kind, name = self.next(), self.next()
        full = f"{self.package}.{name}"
        if kind == "import":
            self.imports.append(name.strip('"'))
        elif kind == "enum":
            self.expect("{")
            cases = self.schema.enums.setdefault(full, Enum(full, {})).cases
            while not self.accept("}"):
                case = self.next()
                self.expect("=")
                cases[case] = int(self.next())
        elif kind == "message":
            self.expect("{")
            self.made.append(Message(full, []))
            self.schema.messages[full] = self.made[-1]
            while not self.accept("}"):
                self.field(self.made[-1])
        elif kind == "service":
            self.expect("=")
            number = int(self.next())
            self.expect("{")
            while not self.accept("}"):
                self.method(full, number)
        else:
            raise SchemaError(f"{self.file}: {kind!r} declares nothing")

    def field(self, message: Message) -> None:
        name = self.next()
        if name == "reserved" and self.tokens[0] != ":":
            name = ""
        else:
            self.expect(":")
        type = self.next()
        if is_list := type == "list" and self.accept("<"):
            type = self.next()
            self.expect(">")
        optional = self.accept("?")
        self.expect("=")
        message.fields.append(Field(name, type, is_list, optional))
        if int(self.next()) != len(message.fields):
            raise SchemaError(f"{self.file}: the numbers of {message.name} have a gap")
        self.marks()

    def method(self, service: str, number: int) -> None:
        self.expect("rpc")
        name = self.next()
        self.expect("(")
        request = self.side()
        self.expect(")", "->")
        response = self.side()
        self.expect("=")
        self.declared.append((f"{service}.{name}", number << 8 | int(self.next()), request, response))
        self.marks()

    def side(self) -> tuple[bool, str]:
        """What a call's one side carries: whether it is a stream, and of what."""
        word = self.next()
        streams = word == "stream" and re.match(r"[A-Za-z_]", self.tokens[0]) is not None
        return streams, self.next() if streams else word

    def marks(self) -> None:
        """Skips marks: what they say is the server's to check."""
        while self.accept("@"):
            self.next()
            if self.accept("("):
                while not self.accept(")"):
                    self.next()

    def resolve(self, packages: Iterable[str]) -> None:
        """Finds the types that fields and methods name."""
        for message in self.made:
            message.fields = [replace(one, type=self.full(one.type, packages)) for one in message.fields]
        for name, code, (requests, request), (responses, response) in self.declared:
            types = self.full(request, packages), self.full(response, packages)
            self.schema.methods[name] = Method(name, code, *types, requests, responses)

    def full(self, name: str, packages: Iterable[str]) -> str:
        if name in SCALARS or name in TEXTS:
            return name
        for candidate in (f"{self.package}.{name}", *(f"{package}.{name}" for package in packages), name):
            if candidate in self.schema.messages or candidate in self.schema.enums:
                return candidate
        raise SchemaError(f"{self.file}: there is no type {name}")


# Messages

LEVELS_MAX, ELEMENTS_MAX, MISTAKES_MAX = 16, 65_536, 32
_INTEGERS = {
    "int32": range(-(1 << 31), 1 << 31), "uint32": range(1 << 32),
    "int64": range(-(1 << 63), 1 << 63), "uint64": range(1 << 64),
}  # fmt: skip
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class _Encoder:
    """Writes messages and gathers what is wrong with their JSON."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.mistakes: list[tuple[str, str]] = []
        self.elements = 0

    def wrong(self, pointer: str, detail: str) -> None:
        if len(self.mistakes) < MISTAKES_MAX:
            self.mistakes.append((pointer, detail))

    def message(self, type: Message, value: Json, pointer: str, level: int) -> bytes:
        if not isinstance(value, dict) or level > LEVELS_MAX:
            self.wrong(pointer, f"is to be an object in at most {LEVELS_MAX} levels")
            return b""
        for name in value.keys() - {one.name for one in type.fields if one.name}:
            self.wrong(f"{pointer}/{name}", f"{type.name} does not have it")
        formats = [self.schema.format("bytes" if one.is_list else one.type) for one in type.fields]
        fixed = sum(format.size for format in formats)
        header, slots, contents, end = fixed, b"", b"", 8 + fixed
        for number, (one, format) in enumerate(zip(type.fields, formats), 1):
            found, place = value.get(one.name), f"{pointer}/{one.name}"
            if found is None and one.is_list and one.name not in value:
                found = []
            if not one.name or found is None:
                slots += bytes(format.size)
                if one.name and not one.optional:
                    self.wrong(place, "is missing")
                continue
            header |= 1 << 15 + number
            if one.is_list or self.schema.has_content(one.type):
                content = self.elements_of(one.type, found, place, level) if one.is_list else (
                    self.content(one.type, found, place, level))  # fmt: skip
                slots += format.pack(end, len(content))
                contents += content
                end += len(content)
            else:
                slots += format.pack(self.scalar(one.type, found, place))
        return struct.pack("<Q", header) + slots + contents

    def elements_of(self, type: str, value: Json, pointer: str, level: int) -> bytes:
        if not isinstance(value, list):
            self.wrong(pointer, "is to be a list")
            return b""
        self.elements += len(value)
        if self.elements > ELEMENTS_MAX:
            self.wrong(pointer, f"there are more than {ELEMENTS_MAX} elements")
            return b""
        places = [f"{pointer}/{index}" for index in range(len(value))]
        count = struct.pack("<I", len(value))
        if not self.schema.has_content(type):
            format = self.schema.format(type)
            return count + b"".join(format.pack(self.scalar(type, *pair)) for pair in zip(value, places))
        contents = [self.content(type, one, place, level) for one, place in zip(value, places)]
        return count + b"".join([struct.pack("<I", len(one)) for one in contents] + contents)

    def content(self, type: str, value: Json, pointer: str, level: int) -> bytes:
        if type in self.schema.messages:
            return self.message(self.schema.messages[type], value, pointer, level + 1)
        try:
            return value.encode() if type == "string" else base64.b64decode(value.encode("ascii"), validate=True)
        except (AttributeError, UnicodeError, binascii.Error):
            self.wrong(pointer, "is to be " + ("text in UTF-8" if type == "string" else "base64 with padding"))
            return b""

    def scalar(self, type: str, value: Json, pointer: str) -> int | float | bytes:
        """What goes into a slot: zero after a mistake."""
        if type == "bool" and isinstance(value, bool):
            return value
        if type in _INTEGERS and _is_integer(value) and value in _INTEGERS[type]:
            return value
        if type == "float64" and (isinstance(value, float) or _is_integer(value)) and abs(value) <= sys.float_info.max:
            return float(value)
        if type == "uuid" and isinstance(value, str) and _UUID.fullmatch(value):
            return uuid.UUID(value).bytes
        if type == "timestamp" and isinstance(value, str) and _TIMESTAMP.fullmatch(value):
            try:
                return _microseconds(value)
            except (ValueError, OverflowError):
                pass
        if type in self.schema.enums and isinstance(value, str) and value in self.schema.enums[type].cases:
            return self.schema.enums[type].cases[value]
        self.wrong(pointer, f"is to be a value of {type}")
        return bytes(16) if type == "uuid" else 0


class _Decoder:
    """Reads messages; the first mistake ends it."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.elements = 0

    def message(self, type: Message, data: bytes, pointer: str, level: int) -> dict[str, Json]:
        _check(level <= LEVELS_MAX, pointer, f"messages lie in more than {LEVELS_MAX} levels")
        _check(len(data) >= 8, pointer, "the header is cut")
        header = int.from_bytes(data[:8], "little")
        fixed, value = header & 0xFFFF, dict[str, Json]()
        _check(len(data) >= 8 + fixed, pointer, "the fixed block is cut")
        at, end = 8, 8 + fixed
        for number, one in enumerate(type.fields, 1):
            place, format = f"{pointer}/{one.name}", self.schema.format("bytes" if one.is_list else one.type)
            slot, at = data[at : min(at + format.size, 8 + fixed)], at + format.size
            if not one.name:
                continue
            if not header >> 15 + number & 1:
                _check(not any(slot), place, "is absent, but its slot is not zero")
                _check(len(slot) in (0, format.size), place, "the fixed block ends inside its slot")
                if not one.optional:
                    value[one.name] = [] if one.is_list else self.zero(one.type)
                continue
            _check(len(slot) == format.size, place, "its slot is not in the fixed block")
            if not (one.is_list or self.schema.has_content(one.type)):
                value[one.name] = self.scalar(one.type, slot, place)
                continue
            start, length = format.unpack(slot)
            _check(end <= start and start + length <= len(data), place, "its content is not where it can be")
            end, content = start + length, data[start : start + length]
            value[one.name] = (self.elements_of if one.is_list else self.content)(one.type, content, place, level)
        return value

    def elements_of(self, type: str, data: bytes, pointer: str, level: int) -> list[Json]:
        _check(len(data) >= 4, pointer, "the count is cut")
        count = int.from_bytes(data[:4], "little")
        self.elements += count
        _check(self.elements <= ELEMENTS_MAX, pointer, f"there are more than {ELEMENTS_MAX} elements")
        format = self.schema.format(type) if not self.schema.has_content(type) else struct.Struct("<I")
        at = 4 + count * format.size
        _check(at <= len(data), pointer, "the list is cut")
        slots = [data[start : start + format.size] for start in range(4, at, format.size)]
        places = [f"{pointer}/{index}" for index in range(count)]
        if not self.schema.has_content(type):
            _check(at == len(data), pointer, "bytes are left behind the list")
            return [self.scalar(type, slot, place) for slot, place in zip(slots, places)]
        lengths = [int.from_bytes(slot, "little") for slot in slots]
        _check(at + sum(lengths) == len(data), pointer, "the elements do not take up the list")
        values = []
        for length, place in zip(lengths, places):
            values.append(self.content(type, data[at : at + length], place, level))
            at += length
        return values

    def content(self, type: str, data: bytes, pointer: str, level: int) -> Json:
        if type in self.schema.messages:
            return self.message(self.schema.messages[type], data, pointer, level + 1)
        try:
            return data.decode() if type == "string" else base64.b64encode(data).decode()
        except UnicodeDecodeError:
            raise MessageError([(pointer, "is not UTF-8")]) from None

    def scalar(self, type: str, slot: bytes, pointer: str) -> Json:
        (value,) = self.schema.format(type).unpack(slot)
        if type == "bool":
            _check(value <= 1, pointer, "is neither 0 nor 1")
            return bool(value)
        if type == "uuid":
            return str(uuid.UUID(bytes=value))
        if type == "timestamp":
            return _timestamp(value)
        if type in self.schema.enums:
            names = [name for name, number in self.schema.enums[type].cases.items() if number == value]
            _check(bool(names), pointer, f"{value} is no case of {type}")
            return names[0]
        _check(math.isfinite(value), pointer, "is not finite, which JSON cannot say")
        return value

    def zero(self, type: str) -> Json:
        """What an absent field reads as."""
        if type in self.schema.enums:
            return next(iter(self.schema.enums[type].cases))
        if type in self.schema.messages:
            return self.message(self.schema.messages[type], bytes(8), "", 1)
        return "" if type in TEXTS else self.scalar(type, bytes(self.schema.format(type).size), "")


def _check(holds: bool, pointer: str, detail: str) -> None:
    if not holds:
        raise MessageError([(pointer, detail)])


def _is_integer(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# The calendar repeats every 400 years: the first ones, which datetime does not have, are looked up in the next.
_CYCLE_YEARS, _CYCLE = 400, 146_097 * 86_400_000_000
_TIMES = range(-62_167_219_200_000_000, 253_402_300_800_000_000)
"""The years 0 to 9999, in microseconds since 1970."""


def _microseconds(text: str) -> int:
    """What RFC 3339 writes; ValueError when there is no such day or hour."""
    year, rest = int(text[:4]), text[4:].upper().replace("Z", "+00:00")
    shifts = year < _CYCLE_YEARS
    whole = f"{year + _CYCLE_YEARS * shifts:04}" + re.sub(r"\.\d+", lambda found: found[0].ljust(7, "0"), rest)
    return (datetime.datetime.fromisoformat(whole) - _EPOCH) // datetime.timedelta(microseconds=1) - _CYCLE * shifts


def _timestamp(microseconds: int) -> str:
    microseconds = min(max(microseconds, _TIMES.start), _TIMES.stop - 1)
    shifts = microseconds < _TIMES.start + _CYCLE
    moment = _EPOCH + datetime.timedelta(microseconds=microseconds + _CYCLE * shifts)
    precision = "microseconds" if microseconds % 1000 else "milliseconds" if microseconds % 1_000_000 else "seconds"
    rest = moment.replace(tzinfo=None).isoformat(timespec=precision)[4:]
    return f"{moment.year - _CYCLE_YEARS * shifts:04}{rest}Z"


def parse_json(text: str) -> Json:
    """JSON in which no name is given twice."""

    def members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        if len(found := dict(pairs)) != len(pairs):
            raise ValueError("a name is given twice")
        return found

    return json.loads(text, object_pairs_hook=members)


# Frames


class Kind(enum.IntEnum):
    """What a frame is."""

    HELLO = 1
    REQUEST = 2
    RESPONSE = 3
    CANCEL = 4
    PING = 5
    PONG = 6
    GOAWAY = 7
    MESSAGE = 8
    END = 9
    CREDIT = 10


HAS_METADATA, STREAMS_REQUESTS, STREAMS_RESPONSES = 1, 2, 4
HEADER_SIZE = 24
CREDIT_MAX = (1 << 31) - 1
_FLAGS = {Kind.REQUEST: 7, Kind.RESPONSE: 1}
_WITH_PAYLOAD = (Kind.HELLO, Kind.REQUEST, Kind.RESPONSE, Kind.GOAWAY, Kind.MESSAGE)
_HEADER = struct.Struct("<IIBBHII")
_GREETING = struct.Struct("<4sHHIIIII")


class Frame(NamedTuple):
    """One frame. `kind` is a Kind in every frame that was received."""

    kind: int
    stream: int = 0
    flags: int = 0
    code: int = 0
    value: int = 0
    payload: bytes = b""

    def pack(self) -> bytes:
        """The bytes of the frame."""
        checksum = zlib.crc32(self.payload)
        numbers = (self.stream, self.kind, self.flags, self.code, self.value)
        header = _HEADER.pack(len(self.payload), *numbers, checksum)
        return header + Frame.checksum(header) + self.payload

    @staticmethod
    def checksum(header: bytes) -> bytes:
        """The last 4 bytes of a header, from the 20 before."""
        return struct.pack("<I", zlib.crc32(header))

    @property
    def cost(self) -> int:
        """The credit that a MESSAGE takes."""
        return HEADER_SIZE + len(self.payload)


class FrameReader:
    """Cuts bytes into frames."""

    def __init__(self, payload_max: int) -> None:
        self.payload_max = payload_max
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole with more bytes; ProtocolError at the first that is wrong."""
        self._bytes += data
        while len(self._bytes) >= HEADER_SIZE:
            header = bytes(self._bytes[:HEADER_SIZE])
            if zlib.crc32(header[:20]) != int.from_bytes(header[20:], "little"):
                raise ProtocolError("a header's checksum is wrong")
            length, stream, kind, flags, code, value, checksum = _HEADER.unpack(header[:20])
            if kind not in Kind._value2member_map_ or flags & ~_FLAGS.get(Kind(kind), 0):
                raise ProtocolError(f"a frame of kind {kind} with flags {flags}")
            if length > (self.payload_max if kind in _WITH_PAYLOAD else 0):
                raise ProtocolError(f"a {Kind(kind).name} with {length} bytes")
            if len(self._bytes) < HEADER_SIZE + length:
                return
            payload = bytes(self._bytes[HEADER_SIZE : HEADER_SIZE + length])
            if zlib.crc32(payload) != checksum:
                raise ProtocolError("a payload's checksum is wrong")
            del self._bytes[: HEADER_SIZE + length]
            yield Frame(Kind(kind), stream, flags, code, value, payload)


def pack_metadata(pairs: Pairs) -> bytes:
    """Metadata as it lies in front of a message."""
    packed = b"".join(
        struct.pack("<B", len(name.encode())) + name.encode() + struct.pack("<H", len(value.encode())) + value.encode()
        for name, value in pairs
    )
    return struct.pack("<H", len(packed)) + packed


def unpack_metadata(data: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """The pairs at the beginning of a payload, and what lies behind them."""
    end, at, pairs = 2 + int.from_bytes(data[:2], "little"), 2, list[tuple[str, str]]()
    if len(data) < end or end > 2 + 8192:
        raise ProtocolError("metadata is cut or too long")
    try:
        while at < end:
            texts = []
            for size in (1, 2):
                length = int.from_bytes(data[at : at + size], "little")
                at += size + length
                texts.append(data[at - length : at].decode())
            pairs.append((texts[0], texts[1]))
            if at > end or not texts[0] or len(pairs) > 32:
                raise ProtocolError("metadata is wrong")
    except UnicodeDecodeError:
        raise ProtocolError("metadata is not UTF-8") from None
    return pairs, data[end:]


@dataclass(frozen=True)
class Hello:
    """What a side says of itself first."""

    oldest: int = 1
    newest: int = 1
    payload_max: int = 4 << 20
    calls_max: int = 0
    ping_milliseconds: int = 1000
    call_credit: int = 256 << 10
    connection_credit: int = 4 << 20
    metadata: Pairs = ()
    magic: bytes = b"GOZN"

    def frame(self) -> Frame:
        numbers = (self.payload_max, self.calls_max, self.ping_milliseconds, self.call_credit, self.connection_credit)
        greeting = _GREETING.pack(self.magic, self.oldest, self.newest, *numbers)
        return Frame(Kind.HELLO, payload=greeting + pack_metadata(self.metadata))

    @staticmethod
    def read(payload: bytes) -> Hello:
        """Reads a greeting; what lies behind the metadata belongs to later versions."""
        if len(payload) < _GREETING.size:
            raise ProtocolError("the HELLO is cut")
        magic, *numbers = _GREETING.unpack_from(payload)
        hello = Hello(*numbers, metadata=unpack_metadata(payload[_GREETING.size :])[0], magic=magic)
        if magic != b"GOZN" or max(hello.call_credit, hello.connection_credit) > CREDIT_MAX:
            raise ProtocolError("the HELLO is wrong")
        if not hello.oldest <= 1 <= hello.newest:
            raise ProtocolError(f"the server speaks versions {hello.oldest} to {hello.newest}, not 1")
        return hello


# Calls

SILENCE_SECONDS = 30.0
GREETING_SECONDS = 10.0
READ_SIZE = 256 << 10
OUTBOX_MAX = 1 << 20
"""Messages wait for their turn while more than this is to be sent."""
UNREAD_MAX = 64 << 20
"""A server that has so much to read and does not is given up."""
ATTEMPTS_MAX = 3
"""How often a call is begun that no server has seen."""
CLOSES = {
    2: Status.FAILED_PRECONDITION, 3: Status.FAILED_PRECONDITION, 4: Status.UNAUTHENTICATED,
    6: Status.RESOURCE_EXHAUSTED, 7: Status.UNAVAILABLE, 8: Status.RESOURCE_EXHAUSTED, 9: Status.UNAVAILABLE,
}  # fmt: skip
"""What calls end with after a GOAWAY that closes at once. After others, calls that were seen are answered."""


class Connection:
    """One connection. A thread of its own reads, writes and pings; `changed` guards everything and tells of changes."""

    def __init__(self, address: tuple[str, int], hello: Hello, changed: threading.Condition) -> None:
        """Connects and sends HELLO; `wait_ready` awaits the server's."""
        self.hello, self.changed = hello, changed
        self.peer: Hello | None = None
        self.calls: dict[int, Call] = {}
        self.last_stream = 0
        self.send_credit, self.receive_credit, self.due = 0, hello.connection_credit, 0
        self.draining = ""
        """What a GOAWAY said after which the server still answers."""
        self.lost: RPCError | None = None
        self._outbox = bytearray()
        self._last_heard = time.monotonic()
        self._pinged = False
        try:
            self._socket = socket.create_connection(address, GREETING_SECONDS)
        except OSError as error:
            raise unavailable(f"{address[0]}:{address[1]} cannot be reached: {error}") from None
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="gozon", daemon=True)
        with changed:
            self.write(hello.frame())
        self._thread.start()

    def wait_ready(self) -> None:
        """Waits for the server's HELLO."""
        with self.changed:
            self.changed.wait_for(lambda: self.peer or self.lost or self.draining, GREETING_SECONDS)
            if not self.peer:
                self.lose(self.draining or "the server sent no HELLO")
                assert self.lost
                raise self.lost

    @property
    def usable(self) -> bool:
        """Whether calls can begin here."""
        return self.lost is None and not self.draining and self.last_stream < 0xFFFFFFFF

    @property
    def has_room(self) -> bool:
        return len(self._outbox) < OUTBOX_MAX

    def write(self, frame: Frame) -> None:
        """Sends a frame in its turn."""
        self._outbox += frame.pack()
        if len(self._outbox) > UNREAD_MAX:
            self.lose("the server does not read what it is sent", Status.RESOURCE_EXHAUSTED)
        self._ring()

    def give_back(self, cost: int) -> None:
        """Grants the connection's credit for a message that is consumed or ignored."""
        self.due += cost
        if self.due * 2 >= self.hello.connection_credit and not self.lost:
            self.write(Frame(Kind.CREDIT, value=self.due))
            self.receive_credit += self.due
            self.due = 0

    def close(self) -> None:
        """Closes the connection; calls under way end with UNAVAILABLE."""
        with self.changed:
            self.lose("the client closed the connection")
        self._thread.join()

    def lose(self, why: str, status: Status = Status.UNAVAILABLE, reason: str = "") -> None:
        """Ends everything here; the first reason counts."""
        self.lost = self.lost or RPCError(status, {"message": why, "reason": reason})
        self._ring()
        self.changed.notify_all()

    def _ring(self) -> None:
        if threading.current_thread() is not self._thread:
            try:
                self._ringer.send(b"!", socket.MSG_DONTWAIT)
            except OSError:
                pass  # It rings already, or nobody is there to hear it.

    def _run(self) -> None:
        reader = FrameReader(self.hello.payload_max)
        try:
            with self._socket, self._bell, self._ringer, selectors.DefaultSelector() as selector:
                selector.register(self._bell, selectors.EVENT_READ)
                selector.register(self._socket, selectors.EVENT_READ)
                while not self.lost:
                    writes = selectors.EVENT_WRITE if self._outbox else 0
                    selector.modify(self._socket, selectors.EVENT_READ | writes)
                    for key, events in selector.select(self._silence()):
                        if key.fileobj is self._bell:
                            self._bell.recv(4096)
                        else:
                            self._turn(reader, events)
                self._socket.settimeout(1)
                self._socket.sendall(self._outbox)
        except OSError as error:
            with self.changed:
                self.lose(f"the connection was lost: {error}")
        except ProtocolError as error:
            with self.changed:
                self.lose(f"the server broke the protocol: {error}", Status.INTERNAL)

    def _turn(self, reader: FrameReader, events: int) -> None:
        data = self._socket.recv(READ_SIZE) if events & selectors.EVENT_READ else None
        with self.changed:
            if events & selectors.EVENT_WRITE and self._outbox:
                del self._outbox[: self._socket.send(self._outbox[:READ_SIZE])]
            if data == b"":
                self.lose("the server closed the connection")
            elif data:
                self._last_heard, self._pinged = time.monotonic(), False
                for frame in reader.feed(data):
                    self._receive(frame)
            if self.draining and not self.calls:
                self.lose(self.draining)
            self.changed.notify_all()

    def _silence(self) -> float:
        """Pings after a long silence, gives up after another; the seconds until there is something to do."""
        allowed = max(SILENCE_SECONDS, (self.peer.ping_milliseconds if self.peer else 0) / 1000)
        left = self._last_heard + allowed * (2 if self._pinged else 1) - time.monotonic()
        if left > 0:
            return left
        if self._pinged or not self.peer:
            raise TimeoutError("the server is silent")
        self._pinged = True
        with self.changed:
            self.write(Frame(Kind.PING))
        return allowed

    def _receive(self, frame: Frame) -> None:
        if self.peer is None and frame.kind not in (Kind.HELLO, Kind.GOAWAY):
            raise ProtocolError(f"the server's first frame is {Kind(frame.kind).name}")
        if frame.kind == Kind.HELLO:
            if self.peer:
                raise ProtocolError("the server greets twice")
            self.peer = Hello.read(frame.payload)
            self.send_credit = self.peer.connection_credit
        elif frame.kind == Kind.PING:
            self.write(Frame(Kind.PONG, value=frame.value))
        elif frame.kind == Kind.GOAWAY:
            self._go_away(frame)
        elif frame.kind == Kind.CREDIT and frame.stream == 0:
            self.send_credit = granted(self.send_credit, frame.value)
        elif frame.kind in (Kind.RESPONSE, Kind.MESSAGE, Kind.CREDIT):
            self._receive_for_call(frame)
        elif frame.kind != Kind.PONG:
            raise ProtocolError(f"a {Kind(frame.kind).name} from a server")

    def _receive_for_call(self, frame: Frame) -> None:
        if not 0 < frame.stream <= self.last_stream:
            raise ProtocolError(f"a {Kind(frame.kind).name} for a call that never began")
        if frame.kind == Kind.MESSAGE:
            if self.receive_credit <= 0:
                raise ProtocolError("a MESSAGE without credit of the connection")
            self.receive_credit -= frame.cost
        if call := self.calls.get(frame.stream):
            call.receive(frame)
        elif frame.kind == Kind.MESSAGE:
            self.give_back(frame.cost)

    def _go_away(self, frame: Frame) -> None:
        text = frame.payload.decode(errors="replace") or f"the server says GOAWAY {frame.code}"
        if status := CLOSES.get(frame.code):
            return self.lose(text, status, f"GOAWAY_{frame.code}")
        self.draining = text
        for stream in [stream for stream in self.calls if stream > frame.stream]:
            self.calls.pop(stream).unseen = True


class Call:
    """One call: requests go in, responses and the outcome come out. One thread may send while another reads. Who reads no
    more before the end cancels, or unread messages go on taking up the connection's credit."""

    def __init__(self, client: Client, method: Method, request: bytes, metadata: Pairs, seconds: float) -> None:
        self.method, self.metadata = method, list[tuple[str, str]]()
        self.unseen = True
        self._client, self._request, self._pairs = client, request, metadata
        self._deadline = time.monotonic() + seconds
        self.stream, self._send_credit, self._receive_credit = 0, 0, 0
        self._attempts, self._beginning = 0, False
        self._inbox, self._due = deque[bytes](), 0
        self._outcome: tuple[Status, list[tuple[str, str]], bytes] | None = None
        self._finished = False
        self._sent: list[bytes] | None = []
        """Messages of a call that the server may not have seen; bounded by the credit that it began with."""
        self._attempt(lambda: True)

    def send(self, request: Json) -> bool:
        """Sends one message of the stream of requests, once there is credit; False when the call has ended already."""
        payload = self._client.schema.encode(self.method.request, request)
        self._check_size(payload)

        def message() -> bool | None:
            if self._over or self._finished:
                return False
            if not self._send_paid(payload):
                return None
            if self._sent is not None:
                self._sent.append(payload)
            return True

        return self._attempt(message)

    def finish(self) -> None:
        """Says that no more requests come."""

        def end() -> bool:
            if not self._finished and not self._over:
                self._connection.write(Frame(Kind.END, self.stream))
            self._finished = True
            return True

        self._attempt(end)

    def cancel(self) -> None:
        """Gives the call up: it ends with CANCELLED here, whatever the server does."""
        with self._client.changed:
            self._give_up(Status.CANCELLED, "the caller gave the call up")

    def __iter__(self) -> Iterator[dict[str, Json]]:
        """The responses as they come; RPCError when the call did not end with OK."""
        while found := self._attempt(self._next):
            yield self._decode(found[0])
        self.outcome()

    def response(self) -> dict[str, Json]:
        """The one response; RPCError when there is none."""
        return self._decode(self.outcome())

    def outcome(self) -> bytes:
        """Waits for the end; the payload of the RESPONSE when it is OK."""
        status, self.metadata, payload = self._attempt(lambda: self._outcome)
        if status == Status.OK:
            return payload
        try:
            details = self._client.schema.decode("gozon.rpc.ErrorDetails", payload)
        except MessageError as error:
            details = {"message": f"the server's error cannot be read: {error}"} if payload else {}
        raise RPCError(status, details, self.metadata)

    def _decode(self, payload: bytes) -> dict[str, Json]:
        try:
            return self._client.schema.decode(self.method.response, payload)
        except MessageError as error:
            self.cancel()
            raise RPCError(Status.INTERNAL, {"message": f"the response cannot be read: {error}"}) from None

    def receive(self, frame: Frame) -> None:
        """Takes a frame of this call from its connection."""
        self._sent = None
        if frame.kind == Kind.CREDIT:
            self._send_credit = granted(self._send_credit, frame.value)
        elif frame.kind == Kind.MESSAGE:
            if not self.method.streams_responses or self._receive_credit <= 0:
                raise ProtocolError("a MESSAGE that was not to be sent")
            self._receive_credit -= frame.cost
            self._inbox.append(frame.payload)
        else:
            pairs, payload = unpack_metadata(frame.payload) if frame.flags & HAS_METADATA else ([], frame.payload)
            status = Status(frame.code) if frame.code in Status._value2member_map_ else Status.UNKNOWN
            self._outcome = (status, pairs, payload)
            del self._connection.calls[self.stream]

    @property
    def _over(self) -> bool:
        return self._outcome is not None or self._connection.lost is not None

    def _begin(self) -> None:
        """Sends the REQUEST, and again everything that an earlier server did not see."""
        if self._attempts == ATTEMPTS_MAX:
            raise unavailable("no server has seen the call")
        self._attempts += 1
        self._connection = self._client.connection(self._deadline, patient=self._attempts > 1)
        peer = self._connection.peer
        assert peer
        pairs = [*self._pairs, *([("attempt", str(self._attempts))] if self._attempts > 1 else [])]
        payload = (pack_metadata(pairs) if pairs else b"") + self._request
        self._check_size(payload)
        if len(self._connection.calls) >= peer.calls_max:
            details = {"message": f"the server allows {peer.calls_max} calls at once", "reason": "TOO_MANY_STREAMS"}
            raise RPCError(Status.RESOURCE_EXHAUSTED, details)
        self._send_credit, self._receive_credit = peer.call_credit, self._client.hello.call_credit
        self._connection.last_stream += 1
        self.stream = self._connection.last_stream
        self._connection.calls[self.stream] = self
        self.unseen = False
        left = min(max(1, math.ceil(self._seconds_left * 1000)), 0xFFFFFFFF)
        flags = self.method.flags | (HAS_METADATA if pairs else 0)
        self._connection.write(Frame(Kind.REQUEST, self.stream, flags, self.method.code, left, payload))
        self._send_again()

    def _send_again(self) -> None:
        """Sends what was sent on an earlier connection, unless this one does not see it either."""
        for payload in list(self._sent or []):
            self._client.changed.wait_for(
                lambda: self.unseen or self._over or self._send_paid(payload), max(0, self._seconds_left)
            )
        if self._finished and not self.unseen and not self._over:
            self._connection.write(Frame(Kind.END, self.stream))

    def _send_paid(self, payload: bytes) -> bool:
        """Sends a message if there is credit for it."""
        if min(self._send_credit, self._connection.send_credit) <= 0 or not self._connection.has_room:
            return False
        frame = Frame(Kind.MESSAGE, self.stream, payload=payload)
        self._send_credit -= frame.cost
        self._connection.send_credit -= frame.cost
        self._connection.write(frame)
        return True

    def _check_size(self, payload: bytes) -> None:
        peer = self._connection.peer
        if peer and len(payload) > peer.payload_max:
            raise RPCError(Status.RESOURCE_EXHAUSTED, {"message": f"the server accepts {peer.payload_max} bytes"})

    def _next(self) -> tuple[bytes, ...] | None:
        """The next message, paid for anew; nothing yet (None), or no more (empty)."""
        if not self._inbox:
            return () if self._outcome else None
        payload = self._inbox.popleft()
        cost = HEADER_SIZE + len(payload)
        self._connection.give_back(cost)
        self._due += cost
        if self._due * 2 >= self._client.hello.call_credit and not self._over:
            self._connection.write(Frame(Kind.CREDIT, self.stream, value=self._due))
            self._receive_credit, self._due = self._receive_credit + self._due, 0
        return (payload,)

    @property
    def _seconds_left(self) -> float:
        return self._deadline - time.monotonic()

    def _attempt(self, step: Callable[[], Found | None]) -> Found:
        """Repeats a step until it finds something, making the call again when it was not seen. The end of the time
        or of the connection is an RPCError."""
        with self._client.changed:
            while True:
                if self._beginning:
                    self._client.changed.wait()
                elif self.unseen:
                    self._beginning = True
                    try:
                        self._begin()
                    finally:
                        self._beginning = False
                        self._client.changed.notify_all()
                elif (found := step()) is not None:
                    return found
                elif self._connection.lost:
                    raise self._connection.lost
                elif self._seconds_left <= 0:
                    self._give_up(Status.DEADLINE_EXCEEDED, "the time allowed ran out")
                else:
                    self._client.changed.wait(self._seconds_left)

    def _give_up(self, status: Status, why: str) -> None:
        self._connection.give_back(sum(HEADER_SIZE + len(payload) for payload in self._inbox))
        self._inbox.clear()
        if self._over:
            return
        if self._connection.calls.pop(self.stream, None):
            self._connection.write(Frame(Kind.CANCEL, self.stream))
        self.unseen = False
        details = self._client.schema.encode("gozon.rpc.ErrorDetails", {"message": why, "reason": "", "violations": []})
        self._outcome = (status, [], details)
        self._client.changed.notify_all()


class Client:
    """Calls to one server, over one connection at a time."""

    def __init__(self, address: str, schema: Schema | None = None, token: str = "", **limits: Any) -> None:
        """`address` is HOST:PORT; `limits` are those of Hello."""
        host, _, port = address.rpartition(":")
        self.address = (host.strip("[]"), int(port))
        self.schema = schema or Schema.of_directory()
        pairs = [("name", "gozon-client.py"), *([("token", token)] if token else [])]
        self.hello = Hello(metadata=pairs, **limits)
        self.changed = threading.Condition()
        self._connection: Connection | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        if self._connection:
            self._connection.close()

    def call(self, method: str, request: Json = None, *, metadata: Pairs = (), seconds: float = 10) -> Call:
        """Begins a call; its one request, or None when the requests are a stream."""
        found = self.schema.method(method)
        payload = b"" if found.streams_requests else self.schema.encode(found.request, request or {})
        return Call(self, found, payload, metadata, seconds)

    def unary(self, method: str, request: Json = None, **options: Any) -> dict[str, Json]:
        """The response to one request."""
        return self.call(method, request, **options).response()

    def stream(self, method: str, requests: Iterable[Json], **options: Any) -> Iterator[dict[str, Json]]:
        """Sends a stream of requests from a thread of its own; the responses, or the one response."""
        call, mistakes = self.call(method, **options), list[Exception]()

        def send() -> None:
            try:
                if all(call.send(request) for request in requests):
                    call.finish()
            except Exception as error:
                mistakes.append(error)
                call.cancel()

        threading.Thread(target=send, daemon=True).start()
        try:
            yield from call if call.method.streams_responses else [call.response()]
        except RPCError as error:
            raise (mistakes or [error])[0] from None

    def reflect(self) -> Schema:
        """The schema of everything that the server offers; later calls find their methods there."""
        found = self.unary("gozon.rpc.Server/Reflect")
        self.schema = Schema({file["name"]: file["source"] for file in found["files"]})
        return self.schema

    def connection(self, deadline: float, patient: bool) -> Connection:
        """A connection for calls to begin on, with `changed` held; a patient caller waits for a server that starts."""
        pause = 0.05
        while True:
            try:
                if not (self._connection and self._connection.usable):
                    self._connection = Connection(self.address, self.hello, self.changed)
                self._connection.wait_ready()
                return self._connection
            except RPCError:
                if not patient or time.monotonic() + pause > deadline:
                    raise
                self.changed.wait(pause)
                pause = min(2 * pause, 1)


def granted(credit: int, more: int) -> int:
    """A credit after a grant."""
    if more == 0 or credit + more > CREDIT_MAX:
        raise ProtocolError("a CREDIT of nothing, or one that makes more than 2,147,483,647")
    return credit + more


def unavailable(why: str) -> RPCError:
    return RPCError(Status.UNAVAILABLE, {"message": why})


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Makes one call of a Gozon server and prints what comes back.")
    parser.add_argument("address", metavar="HOST:PORT")
    parser.add_argument("method", metavar="METHOD", nargs="?", help="such as Orders.GetOrder; all are listed without")
    parser.add_argument("request", metavar="JSON", nargs="?", help="streams of requests come on standard input")
    parser.add_argument("--metadata", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--seconds", type=float, default=10, help="how long to wait for the end of the call")
    parser.add_argument("--token", default="", help="the service token, where the server asks for one")
    options = parser.parse_args(arguments)
    pairs = [tuple(pair.partition("=")[::2]) for pair in options.metadata]
    try:
        with Client(options.address, token=options.token) as client:
            schema = client.reflect()
            if not options.method:
                print("\n".join(sorted(schema.methods)))
                return 0
            if schema.method(options.method).streams_requests:
                requests = (parse_json(line) for line in sys.stdin if line.strip())
                answers = client.stream(options.method, requests, metadata=pairs, seconds=options.seconds)
            else:
                call = client.call(
                    options.method, parse_json(options.request or "{}"), metadata=pairs, seconds=options.seconds
                )
                answers = iter(call) if call.method.streams_responses else iter([call.response()])
            for answer in answers:
                print(json.dumps(answer, ensure_ascii=False), flush=True)
    except RPCError as error:
        print(error, *(f"  {one['pointer']}: {one['detail']}" for one in error.violations), sep="\n", file=sys.stderr)
        return 64 + error.status
    except (MessageError, SchemaError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
