"""The gateway as an HTTP server, next to nginx answering from its memory."""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Callable, Mapping

from devkit.bench.measure import Bench, Result
from devkit.bench.nginx import nginx
from devkit.console import say

ROUNDS = 3
"""Ours and theirs in turns: what disturbs the machine disturbs both."""

FLOOR = 0.5
"""Of nginx's rate, that reads with an RPC and a query behind them are to have."""

P99_MAX = 5.0
"""Milliseconds, of the same reads."""


@dataclass(frozen=True)
class Load:
    """What one load measured; CPU in microseconds for each request, by process."""

    rate: float
    p50: float
    p99: float
    errors: int
    cpu: Mapping[str, float]


def measure_accounts(bench: Bench, seconds: int) -> Result:
    """Reads a second through the gateway, each with an RPC and a query of PostgreSQL behind it."""
    say("http: GET /v1/accounts/{userId}")
    result = _beside_nginx(bench, "accounts", seconds, "accounts read over HTTP")
    if result.ratio is not None and result.ratio < FLOOR:
        result.mistakes.append(f"that is less than {FLOOR} of what nginx does")
    if float(result.details["p99, ms"]) >= P99_MAX:  # type: ignore[arg-type]
        result.mistakes.append(f"the p99 is not under {P99_MAX} ms")
    return result


def measure_order_posts(bench: Bench, seconds: int) -> Result:
    """Orders taken a second through the gateway, each committed and on its way to be settled."""
    say("http: POST /v1/orders")
    return _beside_nginx(bench, "orders", seconds, "orders posted over HTTP, durable when answered")


def _beside_nginx(bench: Bench, what: str, seconds: int, name: str) -> Result:
    answer = _account(bench)
    with nginx(Path(bench.directory) / f"nginx-{what}", answer) as peer:
        ours, theirs = [], []
        for _ in range(ROUNDS):
            theirs.append(_load(bench, "accounts", seconds, lambda: {"nginx": peer.cpu_seconds()}, peer.url))
            ours.append(_load(bench, what, seconds, bench.processor_seconds))
    errors = sum(load.errors for load in ours + theirs)
    cpu = {process: median(load.cpu[process] for load in ours) for process in ours[0].cpu}
    return Result(
        name=name,
        unit="requests/s",
        ours=median(load.rate for load in ours),
        yardstick=f"nginx, {len(answer)} bytes from its memory",
        theirs=median(load.rate for load in theirs),
        details={
            "of each round": [load.rate for load in ours],
            "of each round of nginx": [load.rate for load in theirs],
            "p50, ms": median(load.p50 for load in ours),
            "p99, ms": median(load.p99 for load in ours),
            "p99 of nginx, ms": median(load.p99 for load in theirs),
            "CPU of one request, us": sum(cpu.values()),
            **{f"  of it {process}": used for process, used in cpu.items()},
            "CPU of one request of nginx, us": median(load.cpu["nginx"] for load in theirs),
        },
        mistakes=[f"{errors} requests failed"] if errors else [],
    )


def _load(
    bench: Bench, what: str, seconds: int, used: Callable[[], Mapping[str, float]], url: str | None = None
) -> Load:
    before = used()
    load = bench.load(what, seconds, url=url)
    after = used()
    requests = max(load["requests"], 1)
    return Load(
        rate=load["requests"] / load["seconds"],
        p50=load["p50"],
        p99=load["p99"],
        errors=int(load["errors"]),
        cpu={process: 1e6 * (after[process] - before[process]) / requests for process in after},
    )


def _account(bench: Bench) -> str:
    """What the gateway answers to a read."""
    user = bench.users().read_text().split()[0]
    return urllib.request.urlopen(f"{bench.system.url}/v1/accounts/{user}", timeout=10).read().decode()
