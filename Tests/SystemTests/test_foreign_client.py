"""tools/gozon_client.py, which was written from Schemas/ alone: its bytes, and its calls of the real server."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any, Iterator

from conversation import CONFORMANCE, cases
from harness import CHECKOUT
from programs import ProbeServer, ScriptedServer, probe_server
from gozon_client import SCHEMAS, Client, Frame, FrameReader, Hello, Kind, MessageError, RPCError, Schema, Status
from gozon_client import parse_json

EVERYTHING = CHECKOUT / "Tests" / "SchemaTests" / "Schemas"
TOOL = CHECKOUT / "tools" / "gozon_client.py"


def pieces(count: int, size: int) -> Iterator[dict[str, Any]]:
    payload = base64.b64encode(b"p" * size).decode()
    return ({"number": number, "payload": payload} for number in range(count))


def corpus(path: Path) -> Iterator[tuple[str, str, Any, bytes]]:
    """The entries of a corpus: message, name, JSON and bytes."""
    for block in path.read_text("utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            message, _, name = lines[0].partition(", ")
            yield message, name, parse_json(lines[1]), bytes.fromhex("".join(lines[2:]))


class BytesTests(unittest.TestCase):
    def assert_corpus(self, schema: Schema, path: Path) -> None:
        for message, name, value, data in corpus(path):
            with self.subTest(f"{message}, {name}"):
                self.assertEqual(schema.encode(message, value), data)
                self.assertEqual(schema.decode(message, data), value)

    def test_messages_have_the_bytes_that_our_codec_gives_them(self) -> None:
        self.assert_corpus(Schema.of_directory(EVERYTHING), CONFORMANCE / "everything.corpus")
        for release in sorted((SCHEMAS / "released").iterdir()):
            for path in sorted(release.glob("*.corpus")):
                self.assert_corpus(Schema.of_directory(release), path)

    def test_bytes_that_are_no_message_are_refused(self) -> None:
        schema = Schema.of_directory(EVERYTHING)
        for case in cases("refused.json"):
            with self.subTest(case["name"]), self.assertRaises(MessageError):
                schema.decode(case["message"], bytes.fromhex(case["hex"]))

    def test_the_examples_of_the_specification_are_what_it_says(self) -> None:
        frames = [frame for title in ("two calls", "a stream each way") for frame in self.example(title)]
        self.assertEqual(len(frames), 11)
        schema = Schema.of_directory()
        user = {"userId": "00112233-4455-6677-8899-aabbccddeeff"}
        piece = {"number": 7, "payload": "aGk="}
        error = {"message": "no account", "reason": "NO_ACCOUNT", "violations": []}
        account = {**user, "balance": 500, "currency": "RUB", "createdAt": "2026-01-01T00:00:00Z"}
        self.assertEqual(Hello(metadata=[("name", "example")]).frame().pack(), frames[0])
        server = Hello(calls_max=8192, metadata=[("name", "payments")]).frame().pack()
        self.assertEqual(server, frames[1])
        decoded = [frame for data in frames for frame in FrameReader(1000).feed(data)]
        self.assertEqual([frame.pack() for frame in decoded], frames)
        self.assertEqual(schema.decode("gozon.payments.Account", decoded[4].payload), account)
        self.assertEqual(schema.decode("gozon.rpc.ErrorDetails", decoded[5].payload), error)
        message = Frame(Kind.MESSAGE, 1, payload=schema.encode("gozon.probe.Piece", piece))
        self.assertEqual([decoded[7], decoded[9]], [message, message])

    def example(self, title: str) -> list[bytes]:
        text = (SCHEMAS / "PROTOCOL.md").read_text("utf-8").partition(f"### Worked example: {title}")[2]
        row = re.compile(r"^ *\d+  ((?:[0-9a-f]{2} ?)+)", re.MULTILINE)
        return [bytes.fromhex("".join(row.findall(block))) for block in text.split("```")[1].split("\n\n")]


class ForeignClientTests(unittest.TestCase):
    server: ProbeServer

    @classmethod
    def setUpClass(cls) -> None:
        stack = contextlib.ExitStack()
        cls.addClassCleanup(stack.close)
        cls.server = stack.enter_context(probe_server())

    def setUp(self) -> None:
        self.client = Client(self.server.address)
        self.addCleanup(self.client.close)

    def test_reflection_tells_of_every_method(self) -> None:
        self.assertEqual(self.client.schema.methods.keys() - self.client.reflect().methods.keys(), PAYMENTS_METHODS)

    def test_streams_longer_than_their_windows_pass_in_every_shape(self) -> None:
        count, size = 3000, 2000
        produced = self.client.call("Probe.Produce", {"count": count, "size": size, "intervalMilliseconds": 0})
        self.assertEqual([piece["number"] for piece in produced], list(range(count)))
        (counted,) = self.client.stream("Probe.Consume", pieces(count, size))
        self.assertEqual(counted, {"count": count, "bytes": count * size})
        self.assertEqual(list(self.client.stream("Probe.Echo", pieces(count, size))), list(pieces(count, size)))

    def test_a_message_of_any_size_passes_through_small_windows(self) -> None:
        with Client(self.server.address, call_credit=100, connection_credit=150) as client:
            produced = client.call("Probe.Produce", {"count": 20, "size": 100_000, "intervalMilliseconds": 0})
            self.assertEqual(sum(1 for _ in produced), 20)
            self.assertEqual(sum(1 for _ in client.stream("Probe.Echo", pieces(500, 70))), 500)

    def test_a_reader_that_stops_reading_holds_up_its_own_call_alone(self) -> None:
        stopped = self.client.call("Probe.Produce", {"count": 10_000, "size": 1000, "intervalMilliseconds": 0})
        next(iter(stopped))
        self.assertEqual(list(self.client.stream("Probe.Echo", pieces(2, 10))), list(pieces(2, 10)))
        stopped.cancel()
        with self.assertRaises(RPCError) as caught:
            list(stopped)
        self.assertEqual(caught.exception.status, Status.CANCELLED)
        self.assertEqual(sum(1 for _ in self.client.stream("Probe.Echo", pieces(9000, 1000))), 9000)

    def test_a_status_comes_with_its_details(self) -> None:
        request = {"payload": "", "delayMilliseconds": 0, "status": 9, "reason": "NOT_NOW"}
        with self.assertRaises(RPCError) as caught:
            self.client.unary("Probe.Ask", request)
        self.assertEqual((caught.exception.status, caught.exception.reason), (Status.FAILED_PRECONDITION, "NOT_NOW"))
        with self.assertRaises(RPCError) as caught:
            self.client.unary("Probe.Ask", {**request, "status": 17})
        self.assertEqual([violation["pointer"] for violation in caught.exception.violations], ["/status"])

    def test_time_that_runs_out_ends_a_call(self) -> None:
        with self.assertRaises(RPCError) as caught:
            self.client.unary("Probe.Ask", {"payload": "", "delayMilliseconds": 60_000}, seconds=0.1)
        self.assertEqual(caught.exception.status, Status.DEADLINE_EXCEEDED)

    def test_metadata_is_sent(self) -> None:
        answer = self.client.unary("Probe.Ask", {"payload": "", "delayMilliseconds": 0}, metadata=[("a", "b")])
        self.assertEqual(answer["metadata"], ["a", "b"])

    def test_a_stream_that_was_not_seen_is_sent_again_whole(self) -> None:
        answer = {"kind": "RESPONSE", "status": "OK", "message": {"count": 2, "bytes": 0}}
        requests: list[dict[str, Any]] = [
            {"expect": {"kind": "REQUEST", "method": "gozon.probe.Probe.Consume"}},
            {"expect": {"kind": "MESSAGE", "message": {"number": 0}}},
            {"expect": {"kind": "MESSAGE", "message": {"number": 1}}},
            {"expect": {"kind": "END"}},
        ]
        away = {"send": {"kind": "GOAWAY", "stream": 0, "reason": 1, "value": 1000}}
        connections = [
            {"until": "greeted", "steps": [*requests, away]},
            {"until": "greeted", "steps": [*requests, {"send": answer}]},
        ]
        with ScriptedServer(connections) as server, Client(server.address) as client:
            self.assertEqual(list(client.stream("Probe.Consume", pieces(2, 0))), [answer["message"]])
        self.assertEqual(server.surprises, [])

    def test_as_a_program_it_speaks_ndjson(self) -> None:
        lines = "".join(json.dumps(piece) + "\n" for piece in pieces(3, 2))
        echoed = self.run_tool("Probe.Echo", stdin=lines)
        self.assertEqual(echoed.stdout, lines)
        request = {"payload": "", "delayMilliseconds": 0, "status": 5}
        self.assertEqual(self.run_tool("Probe.Ask", json.dumps(request), check=False).returncode, 64 + Status.NOT_FOUND)
        self.assertIn("gozon.probe.Probe.Echo", self.run_tool().stdout)
        self.assertEqual(self.run_tool("Probe.Ask", "{", check=False).returncode, 2)
        self.assertEqual(self.run_tool("Probe.Echo", stdin="{", check=False).returncode, 2)
        wrong = self.run_tool("Probe.Echo", stdin='{"number": -1, "payload": "a"}', check=False)
        self.assertEqual(wrong.returncode, 2)
        for pointer in ("/number", "/payload"):
            self.assertIn(pointer, wrong.stderr)

    def run_tool(self, *arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(TOOL), self.server.address, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=30, check=check)


PAYMENTS_METHODS = {
    f"gozon.payments.Payments.{name}" for name in ("CreateAccount", "GetAccount", "Deposit", "ListEntries")
}
"""What the project has and the server for tests does not offer."""
