"""Unary RPC calls a second: a server that keeps nothing on one core, `gozon bench` on another."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Iterator

from devkit.bench.measure import Bench, Result, cpu_seconds
from devkit.console import Failure, last_lines, say

IN_FLIGHT = 512
REQUEST = {
    "userId": "0190a000-0000-7000-8000-000000000001",
    "amount": 100,
    "currency": "RUB",
    "description": "benchmark",
    "id": "0190a000-0000-7000-8000-000000000002",
}


def measure_rpc(bench: Bench, seconds: int) -> Result:
    """Calls of an async handler, its request decoded and its response encoded, over one connection."""
    say(f"rpc: Orders.CreateOrder, {IN_FLIGHT} in flight over one connection")
    with _server(bench) as (pid, port):
        say(f"  load for {seconds} s ...")
        before = cpu_seconds(pid)
        command = [str(bench.programs / "gozon"), "bench", "Orders.CreateOrder", "--json"]
        command += ["--request", json.dumps(REQUEST), "--backends", f"127.0.0.1:{port}"]
        command += ["--concurrency", str(IN_FLIGHT), "--duration", f"{seconds}s"]
        load = json.loads(bench.run(_on_core(1) + command))
        used = cpu_seconds(pid) - before
    latency = load["latencyMicroseconds"]
    return Result(
        name="RPC calls on one core",
        unit="calls/s",
        ours=load["callsPerSecond"],
        yardstick=f"PostgreSQL's SELECT of a constant, {IN_FLIGHT} in a pipeline over one connection",
        theirs=_pipelined_selects(bench, seconds),
        details={
            "CPU of the server for one call, \u00b5s": 1e6 * used / max(load["calls"], 1),
            "p50, \u00b5s": latency["p50"],
            "p99, \u00b5s": latency["p99"],
        },
        mistakes=[f"calls failed: {load['failures']}"] if load["failures"] else [],
    )


@contextlib.contextmanager
def _server(bench: Bench) -> Iterator[tuple[int, int]]:
    """A bench-server; its pid and port."""
    ports, log = bench.directory / "bench-server.json", bench.directory / "bench-server.log"
    command = [str(bench.programs / "bench-server"), "--ports-file", str(ports)]
    with log.open("wb") as output:
        child = subprocess.Popen(_on_core(0) + command, stdout=output, stderr=output)
    try:
        while not ports.exists():
            if child.poll() is not None:
                raise Failure(f"bench-server ended with {child.returncode}\n{last_lines(log)}")
            time.sleep(0.02)
        yield child.pid, json.loads(ports.read_text())["bench"]
    finally:
        child.terminate()
        child.wait()


def _on_core(core: int) -> list[str]:
    """Keeps a program on a core of its own, where there are two."""
    available = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(available[core])] if len(available) > 1 else []


def _pipelined_selects(bench: Bench, seconds: int) -> float:
    script = Path(bench.directory / "pipeline.sql")
    script.write_text("\n".join(["\\startpipeline", *["SELECT 1;"] * IN_FLIGHT, "\\endpipeline", ""]))
    return IN_FLIGHT * bench.pgbench(script, seconds, clients=(1,))
