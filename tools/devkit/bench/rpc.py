"""RPC beside gRPC C++ doing the same calls, and beside Redis answering as many requests of the same size."""

from __future__ import annotations

import csv
import socket
import subprocess
import time
from dataclasses import dataclass, fields
from statistics import median
from typing import Callable

from devkit.bench.measure import Bench, Figures, Result
from devkit.bench.peers import OPEN_IN_FLIGHT, GRPC, Gozon, Load, Peer, load
from devkit.bench.pinned import Memory, run_client, serving, wait_for
from devkit.console import say
from devkit.packages import prepare

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


def measure_unary(bench: Bench, seconds: int) -> Result:
    """Server and client have a core each, if there are two, and one connection between them."""
    prepare(others=["redis-tools"])
    ours, grpc = Gozon(bench.system.programs, bench.directory), GRPC(bench.directory)
    say(f"rpc: unary calls, {IN_FLIGHT} in flight on one connection, gozon and gRPC in turns")
    our_rounds, grpc_rounds = _rounds(ours, grpc, seconds)
    closed, closed_grpc = _median(our_rounds), _median(grpc_rounds)
    rate = int(closed_grpc.calls_per_second / 2)
    say(f"  {rate:,} calls/s, one call at a time, a handler that suspends, and Redis ...")
    open_, open_grpc = load(ours, seconds, OPEN_IN_FLIGHT, rate), load(grpc, seconds, OPEN_IN_FLIGHT, rate)
    lone, lone_grpc = (load(peer, min(seconds, LONE_SECONDS), 1) for peer in (ours, grpc))
    suspending = load(ours, seconds, IN_FLIGHT, flags=("--suspends",))
    redis = _redis(seconds)

    def both(figure: Callable[[Load], float], our_load: Load, grpc_load: Load) -> Figures:
        return {ours.name: figure(our_load), grpc.name: figure(grpc_load)}

    return Result(
        name=f"unary RPC calls, {IN_FLIGHT} in flight on one connection, async handler",
        unit="calls/s",
        ours=closed.calls_per_second,
        yardstick=f"{grpc.version}, the same calls on the same cores",
        theirs=closed_grpc.calls_per_second,
        details={
            "calls/s in turns": {
                ours.name: [load.calls_per_second for load in our_rounds],
                grpc.name: [load.calls_per_second for load in grpc_rounds],
            },
            "CPU of the server for a call, us": {
                **both(lambda load: load.server_cpu, closed, closed_grpc),
                "ratio": closed_grpc.server_cpu / closed.server_cpu,
            },
            "CPU of the client for a call, us": {
                **both(lambda load: load.client_cpu, closed, closed_grpc),
                "ratio": closed_grpc.client_cpu / closed.client_cpu,
            },
            f"p50 with {IN_FLIGHT} in flight, us": both(lambda load: load.p50, closed, closed_grpc),
            f"p99 with {IN_FLIGHT} in flight, us": both(lambda load: load.p99, closed, closed_grpc),
            f"p50 at {rate:,} calls/s, us": both(lambda load: load.p50, open_, open_grpc),
            f"p99 at {rate:,} calls/s, us": both(lambda load: load.p99, open_, open_grpc),
            "p50 of a lone call, us": both(lambda load: load.p50, lone, lone_grpc),
            "p99 of a lone call, us": both(lambda load: load.p99, lone, lone_grpc),
            "a handler that suspends once": {
                "calls/s": suspending.calls_per_second,
                "CPU of the server for a call, us": suspending.server_cpu,
                "calls/s to gRPC's": suspending.calls_per_second / closed_grpc.calls_per_second,
            },
            "Redis on one core, GET, the same sizes, as many in flight": {
                "requests/s": redis.requests_per_second,
                "CPU of the server for one, us": redis.server_cpu,
                "our calls/s to that": closed.calls_per_second / redis.requests_per_second,
            },
        },
        mistakes=_unary_mistakes(closed, closed_grpc) + _open_mistakes(rate, open_, open_grpc),
    )


def _rounds(ours: Peer, grpc: Peer, seconds: int) -> tuple[list[Load], list[Load]]:
    """The closed load in turns, so that what else the machine does meets both; together each gets the seconds."""
    rounds: tuple[list[Load], list[Load]] = ([], [])
    for _ in range(ROUNDS):
        for peer, loads in zip((ours, grpc), rounds):
            loads.append(load(peer, max(1, seconds // ROUNDS), IN_FLIGHT))
    return rounds


def _median(loads: list[Load]) -> Load:
    """The medians of each figure."""
    return Load(*(median(getattr(load, field.name) for load in loads) for field in fields(Load)))


def _unary_mistakes(closed: Load, closed_grpc: Load) -> list[str]:
    found = []
    if closed.calls_per_second < FLOOR:
        found.append(f"below the floor of {FLOOR:,} calls/s")
    if closed.calls_per_second < FLOOR_RATIO * closed_grpc.calls_per_second:
        found.append(f"less than {FLOOR_RATIO} times the calls/s of gRPC")
    return found


def _open_mistakes(rate: int, open_: Load, open_grpc: Load) -> list[str]:
    found = []
    if open_.never_begun:
        found.append(f"{open_.never_begun:,} calls at {rate:,} calls/s were due and never begun")
    if open_.p99 >= open_grpc.p99:
        found.append(f"the p99 at {rate:,} calls/s is not below that of gRPC")
    return found


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
            "RSS before and after, KB": {
                ours.name: [before.rss, after.rss], grpc.name: [grpc_before.rss, grpc_after.rss]},
            "PSS before and after, KB": {
                ours.name: [before.pss, after.pss], grpc.name: [grpc_before.pss, grpc_after.pss]},
        },
        mistakes=[f"more than {IDLE_KB_MAX:,} KB"] if grown > IDLE_KB_MAX else [],
    )


def _idle_memory(peer: Peer) -> tuple[Memory, Memory]:
    """What a server holds that has answered calls, one at a time so that no memory is left over from many, and then with
    the connections."""
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
