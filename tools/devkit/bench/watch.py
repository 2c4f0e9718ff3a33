"""Watchers of orders: how many one gateway holds, what each costs, and how late they learn of a settlement."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from devkit.bench.measure import HERE, Bench, Result
from devkit.console import Failure, say

WATCHERS = 10_000
"""Each watches the orders of a user of its own."""

RATE = 400
"""Orders a second while it is measured how late watchers learn of them."""

FULL_RATE = 1_000
"""Orders a second of which no watcher may miss the last state."""

LATENCY_P99_MAX = 50.0
"""Milliseconds from the commit of a settlement until its watcher has read it, that we want."""

MEMORY_MAX = 20.0
"""Kilobytes of the gateway for each watcher that we want."""


@dataclass
class Period:
    """Orders that were created in some time."""

    rate: int
    since: str
    orders: int = 0
    wrong: int = 0
    """Orders that their watchers know otherwise than they are."""
    unsettled: int = 0
    latencies: list[float] = field(default_factory=list)
    """Milliseconds from the commit of each settlement to its watcher."""

    def percentile(self, share: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))] if self.latencies else 0


def measure_watchers(bench: Bench, seconds: int) -> Result:
    """Holds many watchers while orders are placed at a steady rate, and compares what they were told with what is."""
    say(f"watchers: {WATCHERS:,}, with {RATE} and then {FULL_RATE:,} orders a second")
    # Their ids are such that a template of requests can make them.
    users = [f"00000000-0000-4000-8000-0000000{number}" for number in range(10_000, 10_000 + WATCHERS)]
    file, log = bench.fund(users, "watched-users"), bench.directory / "watched"
    before = _memory(bench)
    with _watchers(bench, file, log) as watchers:
        idle = _memory(bench)
        _load(bench, RATE, 2)
        periods = [_period(bench, rate, seconds) for rate in (RATE, FULL_RATE)]
        loaded = _memory(bench)
        watchers.communicate(timeout=60)
    return _result(bench, log, periods, before, idle, loaded)


def _period(bench: Bench, rate: int, seconds: int) -> Period:
    period = Period(rate, bench.sql("orders", "SELECT now()"))
    _load(bench, rate, seconds)
    period.unsettled = _settle(bench)
    time.sleep(1)  # Whoever has not learned of it by then is late indeed.
    return period


def _watchers(bench: Bench, users: Path, log: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "watchers.py"), bench.system.url.removeprefix("http://"), str(users), str(log)]
    watchers = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert watchers.stdout is not None
    if watchers.stdout.readline() != "ready\n":
        watchers.kill()
        raise Failure("the watchers' streams could not be opened")
    return watchers


def _load(bench: Bench, rate: int, seconds: int) -> None:
    request = '{"userId": "00000000-0000-4000-8000-0000000{{random 10000 19999}}", "amount": 1}'
    command = [str(bench.programs / "gozon"), "bench", "Orders.CreateOrder", "--rate", str(rate)]
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


def _compare(bench: Bench, period: Period, until: str, told: dict[str, list[tuple[float, str]]]) -> None:
    """Compares what the orders of a period are with what their watchers were told last."""
    rows = bench.sql(
        "orders",
        f"""
        SELECT id, CASE status WHEN 1 THEN 'NEW' WHEN 2 THEN 'FINISHED' WHEN 3 THEN 'CANCELLED' ELSE 'REFUNDED' END,
          extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM orders
        WHERE created_at >= '{period.since}' AND created_at < '{until}'""",
    )
    for order, status, committed in (row.split("|") for row in rows.splitlines()):
        at, last = told.get(order, [(0.0, "")])[-1]
        period.orders += 1
        if last == status:
            period.latencies.append(1000 * (at - float(committed)))
        else:
            period.wrong += 1
    period.latencies.sort()


def _result(
    bench: Bench, log: Path, periods: list[Period], before: dict[str, float], idle: dict[str, float], loaded: dict[str, float]
) -> Result:
    told: dict[str, list[tuple[float, str]]] = {}
    lost = 0
    for line in log.read_text().splitlines():
        at, order, status = line.split()
        if status == "LOST":
            lost += 1
        else:
            told.setdefault(order, []).append((float(at), status))
    for period, until in zip(periods, [period.since for period in periods[1:]] + ["infinity"]):
        _compare(bench, period, until, told)
    steady, full = periods
    memory = (idle["gateway"] - before["gateway"]) / WATCHERS
    p99 = steady.percentile(0.99)
    mistakes = [f"{p.wrong} orders of {p.rate}/s are not as their watchers were told last" for p in periods if p.wrong]
    mistakes += [f"no order of {p.rate}/s was measured" for p in periods if not p.latencies]
    mistakes += [f"{lost} streams broke off"] if lost else []
    mistakes += [f"{p.unsettled} orders of {p.rate}/s are not settled" for p in periods if p.unsettled]
    mistakes += [f"the p99 is not under {LATENCY_P99_MAX} ms"] if p99 >= LATENCY_P99_MAX else []
    mistakes += [f"a watcher costs {memory:.1f} KB, not under {MEMORY_MAX}"] if memory >= MEMORY_MAX else []
    return Result(
        name=f"{WATCHERS:,} watchers of {steady.rate} orders/s: from a settlement's commit to the watcher, p99",
        unit="ms",
        digits=2,
        ours=p99,
        yardstick="",
        theirs=0,
        details={
            "p50": steady.percentile(0.5),
            "p99.9": steady.percentile(0.999),
            "orders": float(steady.orders),
            "last states lost": float(steady.wrong),
            f"at {full.rate} orders/s: orders": float(full.orders),
            "  last states lost": float(full.wrong),
            "  p50": full.percentile(0.5),
            "  p99": full.percentile(0.99),
            "memory of the gateway for each watcher, KB": memory,
            "  while orders are placed": (loaded["gateway"] - before["gateway"]) / WATCHERS,
            "memory of orders for each watcher, KB": (idle["orders"] - before["orders"]) / WATCHERS,
        },
        mistakes=mistakes,
    )
