"""Orders and accounts over HTTP, end to end, next to pgbench doing the same to the same tables."""

from __future__ import annotations

import time

from devkit.bench.measure import DEPOSIT, HERE, USERS, Bench, Result
from devkit.console import say

DRAIN_SECONDS = 60


def measure_orders(bench: Bench, seconds: int) -> Result:
    """Orders settled a second: from the first POST until the last order is settled, divided by all of them."""
    say("orders: POST /v1/orders until settled")
    bench.users()
    before = bench.processor_seconds()
    started = time.monotonic()
    load = bench.load("orders", seconds)
    while (new := int(bench.sql("orders", "SELECT count(*) FROM orders WHERE status = 1"))) > 0:
        if time.monotonic() - started > seconds + DRAIN_SECONDS:
            break
        time.sleep(0.1)
    took = time.monotonic() - started
    after = bench.processor_seconds()
    settled = int(bench.sql("orders", "SELECT count(*) FROM orders WHERE status = 2"))
    used = {name: 1000 * (after[name] - before[name]) / max(settled, 1) for name in after}
    return Result(
        name="orders settled end to end over HTTP",
        unit="orders/s",
        ours=settled / took,
        yardstick="pgbench, one order after the other (three transactions each)",
        theirs=bench.pgbench(HERE / "order.sql", seconds),
        details={
            "accepted a second": load["requests"] / load["seconds"],
            "p50 of the answer, ms": load["p50"],
            "p99 of the answer, ms": load["p99"],
            "settled after the load's end, s": took - load["seconds"],
            "CPU of one order, ms": sum(used.values()),
            **{f"  of it {name}": value for name, value in used.items()},
        },
        mistakes=_mistakes(bench, load, new),
    )


def _mistakes(bench: Bench, load: dict[str, float], new: int) -> list[str]:
    found = []
    if load["errors"]:
        found.append(f"{load['errors']:.0f} requests failed")
    if new:
        found.append(f"{new} orders are not settled")
    finished = int(bench.sql("orders", "SELECT coalesce(sum(amount), 0) FROM orders WHERE status = 2"))
    balances = int(bench.sql("payments", "SELECT sum(balance) FROM accounts"))
    if balances + finished != USERS * DEPOSIT:
        found.append(f"the books do not balance: {USERS * DEPOSIT} deposited, {balances} left, {finished} spent")
    return found


def measure_accounts(bench: Bench, seconds: int) -> Result:
    """Reads a second through the gateway."""
    say("http: GET /v1/accounts/{userId}")
    load = bench.load("accounts", seconds)
    return Result(
        name="accounts read over HTTP",
        unit="requests/s",
        ours=load["requests"] / load["seconds"],
        yardstick="pgbench, the same row by its key, without HTTP",
        theirs=bench.pgbench(HERE / "account.sql", seconds),
        details={"p50, ms": load["p50"], "p99, ms": load["p99"]},
        mistakes=[f"{load['errors']:.0f} requests failed"] if load["errors"] else [],
    )
