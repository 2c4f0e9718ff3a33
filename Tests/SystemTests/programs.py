"""The servers that tests talk to without a whole system: the real ones of RPC and of HTTP, each with something to ask
for, and one that follows a script."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any, Iterator

from conversation import PATIENCE_SECONDS, Conversation, Surprise, schema
from harness import eventually, programs_directory
from gozon_client import SCHEMAS, Client, Kind, ProtocolError

STOPPING_SECONDS = 15
"""A server that shuts down waits for its calls."""
SCHEMA = schema()
ANSWER = {"payload": "aGk=", "metadata": [], "millisecondsLeft": 1}
REFLECTION = {
    "server": "a scripted server",
    "services": ["gozon.probe.Probe"],
    "files": [
        {"name": name, "source": (SCHEMAS / name).read_text("utf-8")} for name in ("probe.gozon", "rpc.gozon")
    ],
}


@contextlib.contextmanager
def probe_server(**variables: str) -> Iterator[ProbeServer]:
    """A bench-server of one's own, with more environment variables."""
    with _program("bench-server", variables) as (process, ports):
        yield ProbeServer(process, ports["bench"])


@contextlib.contextmanager
def http_server(**variables: str) -> Iterator[HTTPProbe]:
    """A bench-http of one's own, with more environment variables."""
    with _program("bench-http", variables) as (process, ports):
        yield HTTPProbe(process, ports["http"])


@contextlib.contextmanager
def lone_gateway(**variables: str) -> Iterator[HTTPProbe]:
    """A gateway of one's own without services behind it, with more environment variables."""
    settings = {"GOZON_HTTP_PORT": "0", "GOZON_GATEWAY_ADMIN_PORT": "0", "GOZON_BACKENDS": "127.0.0.1:1"}
    with _program("gozon-gateway", {**settings, **variables}) as (process, ports):
        yield HTTPProbe(process, ports["http"])


@contextlib.contextmanager
def _program(name: str, variables: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, int]]]:
    """A running program, and the ports it listens on."""
    with tempfile.TemporaryDirectory(prefix="gozon-program-") as directory:
        ports = Path(directory) / "ports.json"
        command = [str(programs_directory() / name), "--ports-file", str(ports)]
        with subprocess.Popen(command, env={**os.environ, **variables}, stderr=subprocess.DEVNULL) as process:
            try:
                eventually(ports.exists, bool, f"{name} to listen", 20)
                yield process, json.loads(ports.read_text())
            finally:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOPPING_SECONDS)
                process.kill()


class HTTPProbe:
    """A running bench-http; by TLS where it has a context."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port
        self.context: ssl.SSLContext | None = None

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def memory(self) -> int:
        """Bytes of its memory that are in use."""
        words = Path(f"/proc/{self.process.pid}/status").read_text().split()
        return int(words[words.index("VmRSS:") + 1]) * 1024

    def status(self, path: str = "/status") -> dict[str, int]:
        """What it says of itself, this question included."""
        address = ("127.0.0.1", self.port)
        with contextlib.closing(
            http.client.HTTPSConnection(*address, timeout=20, context=self.context)
            if self.context
            else http.client.HTTPConnection(*address, timeout=20)
        ) as connection:
            connection.request("GET", path)
            return dict(json.loads(connection.getresponse().read()))


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
            return int(client.unary("Server.Inspect")["connectionCount"])


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
        if not (found := self.answer_reflection(conversation) or "").startswith("gozon.probe.Probe."):
            raise Surprise(f"the probe was to be called, not {found}")

    def answer_calls(self, conversation: Conversation) -> None:
        """Answers as a server should; a call that has come already first."""
        if not conversation.is_called():
            self.await_call(conversation)
        conversation.follow([{"send": {"kind": "RESPONSE", "status": "OK", "message": ANSWER}}])
