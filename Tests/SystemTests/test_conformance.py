"""The protocol as Schemas/PROTOCOL.md says it, case by case; the cases are in Tests/Conformance."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import unittest
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Callable

from conversation import Conversation, cases
from harness import CHECKOUT, eventually, programs_directory
from programs import SCHEMA, ProbeServer, ScriptedServer, probe_server
from gozon_client import Status

AT_ONCE = 16
"""Cases under way at the same time: most of them wait."""
ASK = ["Probe.Ask", json.dumps({"payload": "aGk=", "delayMilliseconds": 0})]


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
            server = shared
            if (variables := case.get("own server")) is not None:
                server = stack.enter_context(probe_server(**variables))
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


class ClientConformanceTests(ConformanceTestCase):
    """The real clients, against servers that say what the cases tell them to."""

    def test_gozon_bears_whatever_a_server_says(self) -> None:
        program = str(programs_directory() / "gozon")

        def command(address: str, call: list[str], milliseconds: int) -> list[str]:
            return [program, "call", *call, "--backends", address, "--timeout", f"{milliseconds}ms"]

        self.run_cases(cases("client.json"), lambda case: self.run_case(case, command))

    def test_the_client_in_python_bears_it_too(self) -> None:
        program = str(CHECKOUT / "tools" / "gozon_client.py")

        def command(address: str, call: list[str], milliseconds: int) -> list[str]:
            return [sys.executable, program, address, *call, "--seconds", str(milliseconds / 1000)]

        self.run_cases(cases("client.json"), lambda case: self.run_case(case, command))

    def run_case(self, case: dict[str, Any], command: Callable[[str, list[str], int], list[str]]) -> None:
        with ScriptedServer(case["connections"]) as server:
            answer = subprocess.run(
                command(server.address, case.get("call", ASK), case.get("milliseconds", 10_000)),
                input="".join(json.dumps(line) + "\n" for line in case.get("input", [])),
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
            self.assertEqual([json.loads(line) for line in answer.stdout.splitlines()], case["prints"])
