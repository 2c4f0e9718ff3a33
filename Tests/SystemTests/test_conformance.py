"""The protocol as Schemas/PROTOCOL.md says it, case by case; the cases are in Tests/Conformance."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, ClassVar, Iterator, Mapping

from conversation import PATIENCE_SECONDS, Conversation, Surprise, cases, schema
from gozon_client import SCHEMAS, Client, Kind, ProtocolError, Status
from harness import CHECKOUT, eventually, programs_directory

AT_ONCE = 16
"""Cases under way at the same time: most of them wait."""


@contextlib.contextmanager
def probe_server() -> Iterator[ProbeServer]:
    """A bench-server of one's own."""
    with tempfile.TemporaryDirectory(prefix="gozon-conformance-") as directory:
        ports = Path(directory) / "ports.json"
        command = [str(programs_directory() / "bench-server"), "--ports-file", str(ports)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                eventually(ports.exists, bool, "bench-server to listen", 20)
                yield ProbeServer(process, json.loads(ports.read_text())["bench"])
            finally:
                process.kill()


class ProbeServer:
    """A running bench-server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def connections(self) -> int:
        """How many it has, this question's own included."""
        with Client(self.address) as client:
            return client.unary("Server.Inspect")["connectionCount"]


class ConformanceTestCase(unittest.TestCase):
    """Cases of a file, several at once; each that fails is a failure with its name."""

    def run_cases(self, found: list[dict[str, Any]], run: Callable[[dict[str, Any]], None]) -> None:
        names = [case["name"] for case in found]
        self.assertEqual(len(names), len(set(names)), "two cases have one name")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            # The slow ones first, so that none is left alone in the end.
            order = sorted(range(len(found)), key=lambda index: not found[index].get("slow"))
            runs: dict[int, Future[None]] = {index: pool.submit(run, found[index]) for index in order}
            for index, name in enumerate(names):
                with self.subTest(name):
                    runs[index].result()


class ServerConformanceTests(ConformanceTestCase):
    """The real server, against clients that say what the cases tell them to."""

    def test_the_server_answers_as_the_protocol_says(self) -> None:
        with probe_server() as shared:
            self.run_cases(cases("server.json"), lambda case: self.run_case(case, shared))
            self.assertIsNone(shared.process.poll(), "the server ended")

    def run_case(self, case: dict[str, Any], shared: ProbeServer) -> None:
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(probe_server()) if case.get("own server") else shared
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            conversation = Conversation(connection, SCHEMA, is_server=False)
            if case.get("greets", True):
                conversation.greet(**case.get("hello", {}))
            conversation.follow(
                case["steps"],
                {
                    "terminate": lambda _: server.process.terminate(),
                    "read nothing until": lambda wanted: self.wait_for_connections(server, wanted["connections"]),
                },
            )
            conversation.end(case.get("ends", "open"))

    def wait_for_connections(self, server: ProbeServer, count: int) -> None:
        eventually(server.connections, lambda found: found == count, f"{count} connections of {server.address}", 20)


ASK = ["Probe.Ask", json.dumps({"payload": "aGk=", "delayMilliseconds": 0})]
ANSWER = {"payload": "aGk=", "metadata": [], "millisecondsLeft": 1}


class ScriptedServer:
    """A server whose connections do what a case tells them to, one after the other."""

    def __init__(self, connections: list[dict[str, Any]]) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE_SECONDS)
        self.scripts = connections
        self.surprises: list[str] = []
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self) -> ScriptedServer:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.join()
        self.listener.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        try:
            for script in self.scripts:
                with self.listener.accept()[0] as connection:
                    self.follow(script, Conversation(connection, SCHEMA, is_server=True))
        except (Surprise, OSError, ProtocolError) as error:
            self.surprises.append(f"{type(error).__name__}: {error}")

    def follow(self, script: dict[str, Any], conversation: Conversation) -> None:
        until = script.get("until", "called")
        if until != "connected":
            conversation.greet(**script.get("hello", {}))
        if until == "called":
            self.await_call(conversation)
        conversation.follow(
            script["steps"],
            {
                "answer calls": lambda _: self.answer_calls(conversation),
                "answer reflection": lambda _: self.answer_reflection(conversation),
            },
        )
        if {"hang up": True} not in script["steps"]:
            conversation.wait_closed()

    def answer_reflection(self, conversation: Conversation) -> str | None:
        """Answers reflection until something else is called; that, or None when the client has hung up."""
        while frame := conversation.read():
            method = conversation.describe(frame).get("method")
            if method != "gozon.rpc.Server.Reflect":
                return method or f"a frame of kind {frame.kind}"
            conversation.follow([{"send": {"kind": "RESPONSE", "status": "OK", "message": REFLECTION}}])
        return None

    def await_call(self, conversation: Conversation) -> None:
        if (found := self.answer_reflection(conversation)) != "gozon.probe.Probe.Ask":
            raise Surprise(f"Probe.Ask was to be called, not {found}")

    def answer_calls(self, conversation: Conversation) -> None:
        """Answers as a server should; a call that has come already first."""
        if not conversation.is_called():
            self.await_call(conversation)
        conversation.follow([{"send": {"kind": "RESPONSE", "status": "OK", "message": ANSWER}}])


class ClientConformanceTests(ConformanceTestCase):
    """The real clients, against servers that say what the cases tell them to."""

    def test_gozon_bears_whatever_a_server_says(self) -> None:
        program = str(programs_directory() / "gozon")

        def command(address: str, milliseconds: int) -> list[str]:
            return [program, "call", *ASK, "--backends", address, "--timeout", f"{milliseconds}ms"]

        self.run_cases(cases("client.json"), lambda case: self.run_case(case, command))

    def test_the_client_in_python_bears_it_too(self) -> None:
        program = str(CHECKOUT / "tools" / "gozon_client.py")

        def command(address: str, milliseconds: int) -> list[str]:
            return [sys.executable, program, address, *ASK, "--seconds", str(milliseconds / 1000)]

        self.run_cases(cases("client.json"), lambda case: self.run_case(case, command))

    def run_case(self, case: dict[str, Any], command: Callable[[str, int], list[str]]) -> None:
        with ScriptedServer(case["connections"]) as server:
            answer = subprocess.run(
                command(server.address, case.get("milliseconds", 10_000)),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
            )
        self.assertEqual(server.surprises, [], answer)
        wanted = 0 if case["exit"] == "OK" else 64 + Status[case["exit"]]
        self.assertEqual(answer.returncode, wanted, answer)
        for part in case.get("says", []):
            self.assertIn(part, answer.stderr)
        if "prints" in case:
            self.assertEqual(json.loads(answer.stdout), case["prints"])


SCHEMA = schema()
REFLECTION = {
    "server": "a scripted server",
    "services": ["gozon.probe.Probe"],
    "files": [
        {"name": name, "source": (SCHEMAS / name).read_text("utf-8")} for name in ("probe.gozon", "rpc.gozon")
    ],
}
