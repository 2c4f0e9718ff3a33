"""Watchers of orders: how many one gateway holds, what each costs, and how late they learn of a settlement."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import quantiles

from devkit.bench.measure import HERE, Bench, Result
from devkit.console import Failure, say

WATCHERS = 10_000
"""Each watches the orders of a user of its own."""

RATE = 400
"""Orders a second."""

LATENCY_P99_MAX = 50.0
"""Milliseconds from the commit of a settlement until its watcher has read it, that we want."""

MEMORY_MAX = 20.0
"""Kilobytes of the gateway for each watcher that we want."""


def measure_watchers(bench: Bench, seconds: int) -> Result:
    """Holds many watchers while orders are placed at a steady rate, and compares what they were told with what is."""
    say(f"watchers: {WATCHERS:,}, and {RATE} orders a second")
    # Their ids are such that a template of requests can make them.
    users = [f"00000000-0000-4000-8000-0000000{number}" for number in range(10_000, 10_000 + WATCHERS)]
    file, log = bench.fund(users, "watched-users"), bench.directory / "watched"
    before = _memory(bench)
    with _watchers(bench, file, log) as watchers:
        idle = _memory(bench)
        _load(bench, 2)
        since = bench.sql("orders", "SELECT now()")
        _load(bench, seconds)
        new = _settle(bench)
        time.sleep(1)  # Whoever has not learned of it by then is late indeed.
        loaded = _memory(bench)
        watchers.communicate(timeout=60)
    return _result(bench, log, since, new, before, idle, loaded)


def _watchers(bench: Bench, users: Path, log: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "watchers.py"), bench.system.url.removeprefix("http://"), str(users), str(log)]
    watchers = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert watchers.stdout is not None
    if watchers.stdout.readline() != "ready\n":
        watchers.kill()
        raise Failure("the watchers' streams could not be opened")
    return watchers


def _load(bench: Bench, seconds: int) -> None:
    request = '{"userId": "00000000-0000-4000-8000-0000000{{random 10000 19999}}", "amount": 1}'
    command = [str(bench.programs / "gozon"), "bench", "Orders.CreateOrder", "--rate", str(RATE)]
    command += ["--duration", f"{seconds}s", "--request", request, "--backends", bench.system.backends]
    bench.run(command)


def _settle(bench: Bench) -> int:
    """Waits until every order is settled; how many are not after a while."""
    deadline = time.monotonic() + 60
    while (new := int(bench.sql("orders", "SELECT count(*) FROM orders WHERE status = 1"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    return new


def _memory(bench: Bench) -> dict[str, float]:
    """Kilobytes that each of our processes holds."""
    held = {}
    for name, pids in bench.processes().items():
        if name in ("gateway", "orders"):
            status = Path(f"/proc/{pids[0]}/status").read_text()
            held[name] = float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
    return held


def _result(
    bench: Bench, log: Path, since: str, new: int, before: dict[str, float], idle: dict[str, float], loaded: dict[str, float]
) -> Result:
    told: dict[str, list[tuple[float, str]]] = {}
    lost = 0
    for line in log.read_text().splitlines():
        at, order, status = line.split()
        if status == "LOST":
            lost += 1
        else:
            told.setdefault(order, []).append((float(at), status))
    rows = bench.sql(
        "orders",
        f"""
        SELECT id, CASE status WHEN 1 THEN 'NEW' WHEN 2 THEN 'FINISHED' WHEN 3 THEN 'CANCELLED' ELSE 'REFUNDED' END,
          extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM orders WHERE created_at >= '{since}'""",
    )
    orders = [row.split("|") for row in rows.splitlines()]
    wrong = sum(1 for order, status, _ in orders if told.get(order, [(0, "")])[-1][1] != status)
    latencies = sorted(
        1000 * (told[order][-1][0] - float(committed))
        for order, status, committed in orders
        if order in told and told[order][-1][1] == status
    )
    cuts = quantiles(latencies, n=1000)
    memory = (idle["gateway"] - before["gateway"]) / WATCHERS
    mistakes = [f"{wrong} orders are not as their watchers were told last"] if wrong else []
    mistakes += [f"{lost} streams broke off"] if lost else []
    mistakes += [f"{new} orders are not settled"] if new else []
    mistakes += [f"the p99 is not under {LATENCY_P99_MAX} ms"] if cuts[989] >= LATENCY_P99_MAX else []
    mistakes += [f"a watcher costs {memory:.1f} KB, not under {MEMORY_MAX}"] if memory >= MEMORY_MAX else []
    return Result(
        name=f"{WATCHERS:,} watchers of {RATE} orders/s: from a settlement's commit to the watcher, p99",
        unit="ms",
        digits=2,
        ours=cuts[989],
        yardstick="",
        theirs=0,
        details={
            "p50": cuts[499],
            "p99.9": cuts[998],
            "orders": float(len(orders)),
            "states that watchers were told": float(sum(len(told.get(order, [])) for order, _, _ in orders)),
            "last states lost": float(wrong),
            "memory of the gateway for each watcher, KB": memory,
            "  while orders are placed": (loaded["gateway"] - before["gateway"]) / WATCHERS,
            "memory of orders for each watcher, KB": (idle["orders"] - before["orders"]) / WATCHERS,
        },
        mistakes=mistakes,
    )
