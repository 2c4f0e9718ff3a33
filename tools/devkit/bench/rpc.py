"""RPC beside gRPC C++ doing the same calls, and beside Redis answering as many requests of the same size."""

from __future__ import annotations

import csv
import socket
import subprocess
import time
from dataclasses import dataclass, fields
from statistics import median
from typing import TypeVar

from devkit.bench.measure import Bench, Figures, Result
from devkit.bench.peers import OPEN_IN_FLIGHT, GRPC, Gozon, Load, Peer, StreamLoad, load, load_stream
from devkit.bench.pinned import Memory, run_client, serving, wait_for
from devkit.console import say
from devkit.packages import prepare

Measured = TypeVar("Measured", Load, StreamLoad)

IN_FLIGHT = 512
ROUNDS = 3
"""Of the closed loads, the peers taking turns; medians count."""

LONE_SECONDS = 3
IDLE_CONNECTIONS = 1000
SETTLE_SECONDS = 1
"""Until a server has answered what clients ask when they connect."""

KEY = "k" * 100
VALUE = "v" * 200
FLOOR = 300_000
"""Calls a second below which something is wrong with us or with the machine."""

FLOOR_RATIO = 12
"""How many times gRPC's calls a second ours have to be."""

IDLE_KB_MAX = 20_000_000 // 1024
"""What the idle connections may take of our server's memory."""


@dataclass(frozen=True)
class Both:
    """The same load of two peers: the medians of each figure, and the calls a second of each round."""

    ours: Load
    grpc: Load
    rounds: Figures

    def figures(self, name: str, ratio: bool = False) -> Figures:
        """One figure of both, and maybe what gRPC's is to ours."""
        ours, grpc = getattr(self.ours, name), getattr(self.grpc, name)
        return {Gozon.name: ours, GRPC.name: grpc, **({"ratio": grpc / ours} if ratio else {})}


def measure_unary(bench: Bench, seconds: int) -> Result:
    """Server and client have a core each, if there are two, and one connection between them."""
    prepare(others=["redis-tools"])
    ours, grpc = Gozon(bench.system.programs, bench.directory), GRPC(bench.directory)
    say(f"rpc: unary calls, {IN_FLIGHT} in flight on one connection, gozon and gRPC in turns")
    closed = _in_turns(ours, grpc, seconds, IN_FLIGHT)
    rate = int(closed.grpc.calls_per_second / 2)
    say(f"  {rate:,} calls/s of each, and one call at a time ...")
    open_ = _in_turns(ours, grpc, seconds, OPEN_IN_FLIGHT, rate)
    lone = _in_turns(ours, grpc, min(seconds, LONE_SECONDS), 1)
    say("  a handler that suspends, and Redis ...")
    suspending = load(ours, seconds, IN_FLIGHT, flags=("--suspends",))
    redis = _redis(seconds)
    return Result(
        name=f"unary RPC calls, {IN_FLIGHT} in flight on one connection, async handler",
        unit="calls/s",
        ours=closed.ours.calls_per_second,
        yardstick=f"{grpc.version}, the same calls on the same cores",
        theirs=closed.grpc.calls_per_second,
        details={
            "calls/s of the rounds": closed.rounds,
            "CPU of the server for a call, us": closed.figures("server_cpu", ratio=True),
            "CPU of the client for a call, us": closed.figures("client_cpu", ratio=True),
            **_latencies(f"with {IN_FLIGHT} in flight", closed),
            **_latencies(f"at {rate:,} calls/s", open_),
            **_latencies("of a lone call", lone),
            "a handler that suspends once": {
                "calls/s": suspending.calls_per_second,
                "CPU of the server for a call, us": suspending.server_cpu,
                "calls/s to those of gRPC": suspending.calls_per_second / closed.grpc.calls_per_second,
            },
            "Redis on one core, GET, the same sizes, as many in flight": {
                "requests/s": redis.requests_per_second,
                "CPU of the server for one, us": redis.server_cpu,
                "our calls/s to that": closed.ours.calls_per_second / redis.requests_per_second,
            },
        },
        mistakes=_closed_mistakes(closed) + _open_mistakes(rate, open_),
    )


def _in_turns(ours: Peer, grpc: Peer, seconds: int, in_flight: int, rate: int | None = None) -> Both:
    """Loads the two in turns, so that what else the machine does meets both; each gets the seconds in all."""
    our_loads: list[Load] = []
    grpc_loads: list[Load] = []
    for _ in range(ROUNDS):
        for peer, loads in ((ours, our_loads), (grpc, grpc_loads)):
            loads.append(load(peer, max(1, seconds // ROUNDS), in_flight, rate))
    rounds = {
        peer.name: [one.calls_per_second for one in loads] for peer, loads in ((ours, our_loads), (grpc, grpc_loads))}
    return Both(_median(our_loads), _median(grpc_loads), rounds)


def _median(loads: list[Measured]) -> Measured:
    """The medians of each figure."""
    kind = type(loads[0])
    return kind(*(median(getattr(one, field.name) for one in loads) for field in fields(kind)))


def _latencies(when: str, both: Both) -> dict[str, Figures]:
    return {f"{quantile} {when}, us": both.figures(quantile) for quantile in ("p50", "p99")}


def _closed_mistakes(closed: Both) -> list[str]:
    found = []
    if closed.ours.calls_per_second < FLOOR:
        found.append(f"below the floor of {FLOOR:,} calls/s")
    if closed.ours.calls_per_second < FLOOR_RATIO * closed.grpc.calls_per_second:
        found.append(f"less than {FLOOR_RATIO} times the calls/s of gRPC")
    return found


def _open_mistakes(rate: int, open_: Both) -> list[str]:
    found = []
    if open_.ours.never_begun:
        found.append(f"{open_.ours.never_begun:,.0f} calls at {rate:,} calls/s were due and never begun")
    if open_.ours.p99 >= open_.grpc.p99:
        found.append(f"the p99 at {rate:,} calls/s is not below that of gRPC")
    return found


def measure_produce(bench: Bench, seconds: int) -> Result:
    """Messages of 1 KB that the server sends in one stream."""
    return _streams(bench, seconds, "produce", "messages of 1 KB a second in one stream from the server")


def measure_consume(bench: Bench, seconds: int) -> Result:
    """Messages of 1 KB that the server is sent in one stream."""
    return _streams(bench, seconds, "consume", "messages of 1 KB a second in one stream to the server")


def _streams(bench: Bench, seconds: int, shape: str, name: str) -> Result:
    """gRPC sends each message at once, as we never keep one back beyond the turn of the loop; and, for comparison,
    buffered, which leaves a message where it is until others have filled the buffer."""
    ours, grpc = Gozon(bench.system.programs, bench.directory), GRPC(bench.directory)
    say(f"rpc: {name}, gozon and gRPC in turns")
    our_loads: list[StreamLoad] = []
    grpc_loads: list[StreamLoad] = []
    buffered_loads: list[StreamLoad] = []
    for _ in range(ROUNDS):
        our_loads.append(load_stream(ours, max(1, seconds // ROUNDS), shape))
        grpc_loads.append(load_stream(grpc, max(1, seconds // ROUNDS), shape))
        buffered_loads.append(load_stream(grpc, max(1, seconds // ROUNDS), shape, buffered=True))
    our, theirs, buffered = _median(our_loads), _median(grpc_loads), _median(buffered_loads)
    ratio = our.messages_per_second / theirs.messages_per_second
    return Result(
        name=name,
        unit="messages/s",
        ours=our.messages_per_second,
        yardstick=f"{grpc.version}, the same messages on the same cores",
        theirs=theirs.messages_per_second,
        details={
            "CPU of the server for a message, us": {
                ours.name: our.server_cpu, grpc.name: theirs.server_cpu, "gRPC buffered": buffered.server_cpu},
            "CPU of the client for a message, us": {
                ours.name: our.client_cpu, grpc.name: theirs.client_cpu, "gRPC buffered": buffered.client_cpu},
            "gRPC buffered, messages/s": buffered.messages_per_second,
            "our messages/s to that": our.messages_per_second / buffered.messages_per_second,
        },
        mistakes=[f"less than {FLOOR_RATIO} times the messages/s of gRPC"] if ratio < FLOOR_RATIO else [],
    )


def measure_idle(bench: Bench, seconds: int) -> Result:
    """What connections cost a server that nobody calls over them."""
    ours, grpc = Gozon(bench.system.programs, bench.directory), GRPC(bench.directory)
    say(f"rpc: {IDLE_CONNECTIONS:,} idle connections")
    (before, after), (grpc_before, grpc_after) = (_idle_memory(peer) for peer in (ours, grpc))
    grown = after.rss - before.rss
    return Result(
        name=f"memory that {IDLE_CONNECTIONS:,} idle connections take of the server",
        unit="KB",
        ours=grown,
        yardstick=f"{grpc.version}, as many connections",
        theirs=grpc_after.rss - grpc_before.rss,
        details={
            f"{what.upper()} before and after, KB": {
                ours.name: [getattr(before, what), getattr(after, what)],
                grpc.name: [getattr(grpc_before, what), getattr(grpc_after, what)],
            }
            for what in ("rss", "pss")
        },
        mistakes=[f"more than {IDLE_KB_MAX:,} KB"] if grown > IDLE_KB_MAX else [],
    )


def _idle_memory(peer: Peer) -> tuple[Memory, Memory]:
    """What a server holds that has answered calls (one at a time, so that no memory is left over from many), and then
    with the connections."""
    with peer.serving() as server:
        run_client(peer.unary(server.port, 1, 1, None), 1)
        before, files = server.memory(), server.open_files()
        with peer.idle(server.port, IDLE_CONNECTIONS):
            wait_for(lambda: True if server.open_files() >= files + IDLE_CONNECTIONS else None)
            time.sleep(SETTLE_SECONDS)
            return before, server.memory()


@dataclass(frozen=True)
class RedisLoad:
    """What redis-benchmark measured."""

    requests_per_second: float
    server_cpu: float
    """In microseconds for a request."""


def _redis(seconds: int) -> RedisLoad:
    """The server is in redis-tools under another name, and asks what it is called; the package redis-server would start
    one for good."""
    port = _free_port()
    command = ["redis-server", "--port", str(port), "--save", ""]
    with serving(command, port, executable="/usr/bin/redis-check-rdb") as server:
        wait_for(lambda: True if _answers(port) else None)
        subprocess.run(["redis-cli", "-p", str(port), "SET", KEY, VALUE], check=True, capture_output=True)
        rate = _redis_benchmark(port, 200_000, seconds)
        before = server.cpu_seconds()
        count = int(rate * seconds)
        rate = _redis_benchmark(port, count, seconds)
        return RedisLoad(rate, 1e6 * (server.cpu_seconds() - before) / count)


def _redis_benchmark(port: int, count: int, seconds: int) -> float:
    command = ["redis-benchmark", "-p", str(port), "-c", "1", "-P", str(IN_FLIGHT), "-n", str(count), "--csv"]
    output, _ = run_client([*command, "GET", KEY], seconds)
    rows = [row for row in csv.reader(output.splitlines()) if row]
    return float(rows[-1][1])


def _answers(port: int) -> bool:
    return subprocess.run(["redis-cli", "-p", str(port), "PING"], capture_output=True).stdout == b"PONG\n"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
