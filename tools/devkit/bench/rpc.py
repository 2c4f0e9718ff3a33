"""Unary RPC calls a second on one core, next to Redis answering as many requests of the same size."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, TypeVar

from devkit.bench.measure import Bench, Result
from devkit.console import Failure, say
from devkit.packages import prepare

Found = TypeVar("Found")

IN_FLIGHT = 512
REQUEST = {  # 100 bytes encoded; the server answers with 200.
    "userId": "01890000-0000-7000-8000-000000000001",
    "amount": 1000,
    "currency": "RUB",
    "description": "a text that makes a hundred bytes",
    "id": "01890000-0000-7000-8000-000000000002",
}
KEY = "k" * 100
VALUE = "v" * 200
FLOOR = 300_000
"""Calls a second below which something is wrong with us or with the machine."""


def measure_rpc(bench: Bench, seconds: int) -> Result:
    """Server and client have a core each, if there are two, and one connection between them."""
    prepare(others=["redis-tools"])
    say(f"rpc: unary calls, {IN_FLIGHT} in flight on one connection")
    programs = bench.system.programs
    plain = _load(bench, programs, seconds, IN_FLIGHT)
    suspending = _load(bench, programs, seconds, IN_FLIGHT, "--suspends")
    lone = _load(bench, programs, min(seconds, 3), 1)
    redis = _redis(bench, seconds)
    return Result(
        name="unary RPC calls on one core, async handler",
        unit="calls/s",
        ours=plain["calls"],
        yardstick="Redis on one core, GET, the same sizes, as many in flight",
        theirs=redis["calls"],
        details={
            "p50, us": plain["p50"],
            "p99, us": plain["p99"],
            "CPU of the server for a call, us": plain["cpu"],
            "calls/s of a handler that suspends once": suspending["calls"],
            "  p99, us": suspending["p99"],
            "  CPU of the server for a call, us": suspending["cpu"],
            "p50 of a lone call, us": lone["p50"],
            "CPU of Redis for a GET, us": redis["cpu"],
        },
        mistakes=[f"below the floor of {FLOOR:,} calls/s"] if plain["calls"] < FLOOR else [],
    )


def _load(bench: Bench, programs: Path, seconds: int, in_flight: int, *flags: str) -> dict[str, float]:
    """What `gozon bench` measures, and the server's CPU for each call."""
    ports = bench.directory / "bench-server.json"
    ports.unlink(missing_ok=True)
    with _server([str(programs / "bench-server"), "--ports-file", str(ports), *flags]) as server:
        port = _wait_for(lambda: json.loads(ports.read_text())["bench"] if ports.exists() else None)
        output = _on_core(1, [
            str(programs / "gozon"), "bench", "Orders.CreateOrder", "--backends", f"127.0.0.1:{port}", "--json",
            "--concurrency", str(in_flight), "--duration", f"{seconds}s", "--request", json.dumps(REQUEST),
        ])
        result = json.loads(output)
        if result["failures"]:
            raise Failure(f"calls failed: {result['failures']}")
        latency = result["latencyMicroseconds"]
        return {
            "calls": result["callsPerSecond"], "p50": latency["p50"], "p99": latency["p99"],
            "cpu": 1e6 * _processor_seconds(server) / result["calls"],
        }


def _redis(bench: Bench, seconds: int) -> dict[str, float]:
    """What redis-benchmark measures. The server is in redis-tools under another name, and asks what it is called; the
    package redis-server would start one for good."""
    port = _free_port()
    with _server(["redis-server", "--port", str(port), "--save", ""], executable="/usr/bin/redis-check-rdb") as server:
        _wait_for(lambda: True if _answers(port) else None)
        subprocess.run(["redis-cli", "-p", str(port), "SET", KEY, VALUE], check=True, capture_output=True)
        rate = _redis_benchmark(port, 200_000)
        before = _processor_seconds(server)
        count = int(rate * seconds)
        rate = _redis_benchmark(port, count)
        return {"calls": rate, "cpu": 1e6 * (_processor_seconds(server) - before) / count}


def _redis_benchmark(port: int, count: int) -> float:
    output = _on_core(1, [
        "redis-benchmark", "-p", str(port), "-c", "1", "-P", str(IN_FLIGHT), "-n", str(count), "--csv", "GET", KEY,
    ])
    rows = [row for row in csv.reader(output.splitlines()) if row]
    return float(rows[-1][1])


@contextmanager
def _server(command: list[str], executable: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    server = subprocess.Popen(
        command, executable=executable, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: _stay_on(0))
    try:
        yield server
    finally:
        server.terminate()
        server.wait()


def _on_core(core: int, command: list[str]) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: _stay_on(core))
    if answer.returncode != 0:
        raise Failure(f"{command[0]} ended with {answer.returncode}:\n{answer.stdout}{answer.stderr}")
    return answer.stdout


def _stay_on(core: int) -> None:
    """Keeps the calling process on one of the cores that it may use."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


def _processor_seconds(process: subprocess.Popen[bytes]) -> float:
    words = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _answers(port: int) -> bool:
    return subprocess.run(["redis-cli", "-p", str(port), "PING"], capture_output=True).stdout == b"PONG\n"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait_for(look: Callable[[], Found | None]) -> Found:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.02)
    raise Failure("a server of the benchmark did not start within 10 s")
