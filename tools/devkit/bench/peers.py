"""Who is measured with the same calls: our bench-server with `gozon bench`, and gRPC C++ with the programs in grpc/."""

from __future__ import annotations

import json
import subprocess
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Protocol

from devkit.bench.measure import HERE
from devkit.bench.pinned import CLIENT_CORE, Server, run_client, serving, stay_on
from devkit.console import Failure, run_step
from devkit.packages import CACHE, prepare

REQUEST = {
    "userId": "01890000-0000-7000-8000-000000000001",
    "amount": 1000,
    "currency": "RUB",
    "description": "a text that makes a hundred bytes",
    "id": "01890000-0000-7000-8000-000000000002",
}
"""100 bytes as we encode it, and 200 the answer; 79 and 161 in protobuf, which is gRPC's to gain."""

GRPC_SOURCES = HERE / "grpc"
GRPC_PACKAGES = (
    "g++",
    "libgrpc++-dev",
    "libprotobuf-dev",
    "pkg-config",
    "protobuf-compiler",
    "protobuf-compiler-grpc",
)
OPEN_IN_FLIGHT = 4096
"""How many calls of an open load may be under way."""

IDLE_SECONDS_MAX = 60
"""How long our idle connections stay if nobody ends them."""


@dataclass(frozen=True)
class Load:
    """What a load measured; times in microseconds."""

    calls_per_second: float
    p50: float
    p99: float
    server_cpu: float
    """For a call, as is the client's."""
    client_cpu: float
    never_begun: int
    """Calls of an open load that were due and still waited for their turn when it ended."""


class Peer(Protocol):
    """An RPC server, and what loads it."""

    name: str

    def serving(self, *flags: str) -> AbstractContextManager[Server]: ...

    def unary(self, port: int, seconds: int, in_flight: int, rate: int | None) -> list[str]:
        """The command of a load over one connection: closed, or open at a rate of calls a second."""

    def serving_streams(self) -> AbstractContextManager[Server]: ...

    def stream(self, port: int, seconds: int, shape: str, buffered: bool) -> list[str]:
        """The command of one stream of messages of 1 KB over one connection, from the server ("produce") or to it
        ("consume"). Buffered messages may wait for those behind them, where it makes a difference."""

    def idle(self, port: int, connections: int) -> AbstractContextManager[None]:
        """Opens so many connections and keeps them; they may still be on their way when the body begins."""


def load(peer: Peer, seconds: int, in_flight: int, rate: int | None = None, flags: tuple[str, ...] = ()) -> Load:
    """Loads a fresh server of a peer."""
    with peer.serving(*flags) as server:
        before = server.cpu_seconds()
        output, client_cpu = run_client(peer.unary(server.port, seconds, in_flight, rate), seconds)
        server_cpu = server.cpu_seconds() - before
    result = json.loads(output)
    if result["failures"]:
        raise Failure(f"calls of {peer.name} failed: {result['failures']}")
    latency = result["latencyMicroseconds"]
    return Load(
        calls_per_second=result["callsPerSecond"], p50=latency["p50"], p99=latency["p99"],
        server_cpu=1e6 * server_cpu / result["calls"], client_cpu=1e6 * client_cpu / result["calls"],
        never_begun=result["neverBegun"])


@dataclass(frozen=True)
class StreamLoad:
    """What a stream measured."""

    messages_per_second: float
    server_cpu: float
    """In microseconds for a message, as is the client's."""
    client_cpu: float


def load_stream(peer: Peer, seconds: int, shape: str, buffered: bool = False) -> StreamLoad:
    """Loads a fresh server of a peer with one stream."""
    with peer.serving_streams() as server:
        before = server.cpu_seconds()
        output, client_cpu = run_client(peer.stream(server.port, seconds, shape, buffered), seconds)
        server_cpu = server.cpu_seconds() - before
    result = json.loads(output)
    messages = max(result["messages"], 1)
    return StreamLoad(result["messagesPerSecond"], 1e6 * server_cpu / messages, 1e6 * client_cpu / messages)


class Gozon:
    """Ours."""

    name = "gozon"

    def __init__(self, programs: Path, directory: Path) -> None:
        self._programs = programs
        self._ports = directory / "bench-server.json"

    def serving(self, *flags: str) -> AbstractContextManager[Server]:
        program = str(self._programs / "bench-server")
        return serving([program, "--ports-file", str(self._ports), *flags], self._ports)

    def unary(self, port: int, seconds: int, in_flight: int, rate: int | None) -> list[str]:
        command = [str(self._programs / "gozon"), "bench", "Orders.CreateOrder", "--backends", f"127.0.0.1:{port}"]
        command += ["--json", "--concurrency", str(in_flight), "--duration", f"{seconds}s"]
        return command + ["--request", json.dumps(REQUEST)] + (["--rate", str(rate)] if rate else [])

    def serving_streams(self) -> AbstractContextManager[Server]:
        return self.serving()

    def stream(self, port: int, seconds: int, shape: str, buffered: bool) -> list[str]:
        command = [str(self._programs / "bench-client"), "--server", f"127.0.0.1:{port}"]
        return command + ["--shape", shape, "--seconds", str(seconds)]

    @contextmanager
    def idle(self, port: int, connections: int) -> Iterator[None]:
        """With one call a second over all of them together."""
        command = self.unary(port, IDLE_SECONDS_MAX, 1, 1) + ["--connections", str(connections)]
        with _running(command):
            yield


class GRPC:
    """gRPC C++ as Debian has it."""

    name = "gRPC"

    def __init__(self, directory: Path) -> None:
        prepare(others=GRPC_PACKAGES)
        self._programs = _build()
        self._port = directory / "grpc-server.json"
        self.version = f"gRPC C++ {_pkg_config('--modversion', 'grpc++')[0]}"

    def serving(self, *flags: str) -> AbstractContextManager[Server]:
        return serving([str(self._programs / "server"), "orders", *flags], self._port)

    def unary(self, port: int, seconds: int, in_flight: int, rate: int | None) -> list[str]:
        return [str(self._programs / "client"), str(port), "unary", str(in_flight), str(seconds), str(rate or 0)]

    def serving_streams(self) -> AbstractContextManager[Server]:
        return serving([str(self._programs / "server"), "probe"], self._port)

    def stream(self, port: int, seconds: int, shape: str, buffered: bool) -> list[str]:
        return [str(self._programs / "client"), str(port), shape, str(seconds), str(int(buffered))]

    @contextmanager
    def idle(self, port: int, connections: int) -> Iterator[None]:
        with _running([str(self._programs / "client"), str(port), "hold", str(connections)]):
            yield


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    """Runs a client until the body has ended, or its standard input has because we have."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, preexec_fn=lambda: stay_on(CLIENT_CORE)
    ) as client:
        try:
            yield
        finally:
            client.terminate()


def _build() -> Path:
    """Compiles gRPC's server and client when a source is newer; the directory of the programs."""
    directory = CACHE / "grpc"
    stamp = directory / "built"
    newest = max(source.stat().st_mtime for source in GRPC_SOURCES.iterdir())
    if stamp.exists() and stamp.stat().st_mtime > newest:
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    protoc = ["protoc", f"-I{GRPC_SOURCES}", f"--cpp_out={directory}", f"--grpc_out={directory}"]
    protoc += ["--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin", str(GRPC_SOURCES / "bench.proto")]
    run_step("generating gRPC's messages", protoc, directory / "protoc.log")
    compiled = _pkg_config("--cflags", "grpc++", "protobuf")
    linked = _pkg_config("--libs", "grpc++", "protobuf")
    for program in ("server", "client"):
        sources = [GRPC_SOURCES / f"{program}.cc", directory / "bench.pb.cc", directory / "bench.grpc.pb.cc"]
        command = ["g++", "-std=c++17", "-O2", *compiled, f"-I{directory}", *map(str, sources)]
        command += ["-o", str(directory / program), *linked]
        run_step(f"compiling gRPC's {program}", command, directory / f"{program}.log")
    stamp.touch()
    return directory


def _pkg_config(*arguments: str) -> list[str]:
    return subprocess.run(["pkg-config", *arguments], check=True, capture_output=True, text=True).stdout.split()
