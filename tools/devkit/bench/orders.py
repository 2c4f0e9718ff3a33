"""Orders and accounts over HTTP, end to end, next to pgbench doing the same to the same tables."""

from __future__ import annotations

import http.client
import json
import subprocess
import threading
import time
import uuid
from itertools import count
from pathlib import Path
from statistics import quantiles

from devkit.bench.measure import HERE, Bench, Result
from devkit.console import Failure, say

DRAIN_SECONDS = 60
ORDER_CONNECTIONS = 256
"""Of the load of orders: as many requests wait for their commit together."""

FLOOR = 12_000
"""Orders settled a second that we want on two cores."""

STEADY_RATE = 400
STEADY_CONNECTIONS = 16
STEADY_P50_MAX = 5.0
"""Milliseconds from taking an order until its settlement is committed that we want at that rate."""

HOT_RATE = 5_000
"""Orders a second against one account that we want, in order."""


def measure_orders(bench: Bench, seconds: int) -> Result:
    """Orders settled a second: from the first POST until the last order is settled, divided by all of them."""
    say("orders: POST /v1/orders until settled")
    users = bench.users()
    bench.load("orders", 2)  # Connections are made and statements are prepared.
    _settle(bench)
    settled = _count(bench, "status = 2")
    before = bench.processor_seconds()
    started = time.monotonic()
    load = bench.load("orders", seconds, ORDER_CONNECTIONS, users)
    new = _settle(bench)
    took = time.monotonic() - started
    after = bench.processor_seconds()
    settled = _count(bench, "status = 2") - settled
    used = {name: 1000 * (after[name] - before[name]) / max(settled, 1) for name in after}
    return Result(
        name="orders settled end to end over HTTP",
        unit="orders/s",
        ours=settled / took,
        yardstick="pgbench, one order after the other (three transactions each)",
        theirs=bench.pgbench(HERE / "order.sql", seconds),
        details={
            f"of the {FLOOR:,} we want": settled / took / FLOOR,
            "accepted a second": load["requests"] / load["seconds"],
            "p50 of the answer, ms": load["p50"],
            "p99 of the answer, ms": load["p99"],
            "settled after the load's end, s": took - load["seconds"],
            "CPU of one order, ms": sum(used.values()),
            **{f"  of it {name}": value for name, value in used.items()},
        },
        mistakes=_mistakes(bench, load, new),
    )


def _count(bench: Bench, condition: str) -> int:
    return int(bench.sql("orders", f"SELECT count(*) FROM orders WHERE {condition}"))


def _settle(bench: Bench) -> int:
    """Waits until every order is settled; how many are not after a while."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while (new := _count(bench, "status = 1")) > 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    return new


def _mistakes(bench: Bench, load: dict[str, float], new: int) -> list[str]:
    found = []
    if load["errors"]:
        found.append(f"{load['errors']:.0f} requests failed")
    if new:
        found.append(f"{new} orders are not settled")
    finished = int(bench.sql("orders", "SELECT coalesce(sum(amount), 0) FROM orders WHERE status = 2"))
    deposits, balances = bench.sql("payments", "SELECT sum(deposited), sum(balance) FROM accounts").split("|")
    if int(balances) + finished != int(deposits):
        found.append(f"the books do not balance: {deposits} deposited, {balances} left, {finished} spent")
    return found


def measure_settle_latency(bench: Bench, seconds: int) -> Result:
    """How long an order takes from its taking until its settlement is committed, at a rate that leaves room."""
    say(f"orders: {STEADY_RATE} a second, open loop")
    since = bench.sql("orders", "SELECT now()")
    answers = _steady_load(bench, seconds)
    new = _settle(bench)
    percentiles = bench.sql(
        "orders",
        f"""
        SELECT array_to_string(percentile_cont(ARRAY[0.5, 0.9, 0.99, 0.999]) WITHIN GROUP (ORDER BY
          1000 * extract(epoch FROM pg_xact_commit_timestamp(xmin) - created_at)), '|')
        FROM orders WHERE created_at >= '{since}' AND status = 2""",
    )
    p50, p90, p99, p999 = map(float, percentiles.split("|"))
    cuts = quantiles(answers, n=100)
    return Result(
        name=f"settle latency at {STEADY_RATE} orders/s over HTTP, p50",
        unit="ms",
        digits=2,
        ours=p50,
        yardstick=f"pgbench, one order after the other at {STEADY_RATE}/s, on average",
        theirs=bench.pgbench_latency(HERE / "order.sql", seconds, STEADY_RATE),
        details={
            "p90": p90,
            "p99": p99,
            "p99.9": p999,
            "p50 of the answer to POST, from when it was due": cuts[49],
            "p99 of the answer to POST": cuts[98],
            "orders": float(len(answers)),
        },
        mistakes=([f"the p50 is not under {STEADY_P50_MAX} ms"] if p50 >= STEADY_P50_MAX else [])
        + ([f"{new} orders are not settled"] if new else []),
    )


def _steady_load(bench: Bench, seconds: int) -> list[float]:
    """Places orders at times that do not depend on the answers; how long each took from when it was due, in
    milliseconds."""
    users = bench.users().read_text().split()
    numbers, lock = count(), threading.Lock()
    total = STEADY_RATE * seconds
    answers: list[float] = []
    failures: list[str] = []
    start = time.monotonic() + 0.2

    def place() -> None:
        connection = http.client.HTTPConnection(bench.system.url.removeprefix("http://"), timeout=10)
        while True:
            with lock:
                number = next(numbers)
            if number >= total or failures:
                break
            due = start + number / STEADY_RATE
            time.sleep(max(0.0, due - time.monotonic()))
            body = json.dumps({"userId": users[number % len(users)], "amount": 1})
            connection.request("POST", "/v1/orders", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
            if response.status != 201:
                failures.append(f"{response.status} {answer.decode()}")
            answers.append(1000 * (time.monotonic() - due))
        connection.close()

    threads = [threading.Thread(target=place) for _ in range(STEADY_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Failure(f"an order was refused: {failures[0]}")
    return answers


def measure_hot_account(bench: Bench, seconds: int) -> Result:
    """Everybody's orders against one account: as many as that account alone can settle, in the order of the stream."""
    say("orders: all of one user's")
    user = str(uuid.uuid4())
    hot = bench.fund([user], "hot-user")
    first = _last_sequence(bench) + 1
    started = time.monotonic()
    load = bench.load("orders", seconds, ORDER_CONNECTIONS, hot)
    new = _settle(bench)
    took = time.monotonic() - started
    charged = bench.sql("payments", f"SELECT cause FROM entries WHERE user_id = '{user}' AND kind = 2 ORDER BY number")
    charges = charged.split()
    told = _orders_told(bench, first, user)
    mistakes = _mistakes(bench, load, new)
    if charges != told:
        mistakes.append(f"the {len(charges)} charges are not in the order of the {len(told)} events")
    return Result(
        name="orders of one account settled, in the order of the stream",
        unit="orders/s",
        ours=len(charges) / took,
        yardstick="pgbench, one order after the other, all of one account",
        theirs=bench.pgbench(HERE / "hot_order.sql", seconds),
        details={
            f"of the {HOT_RATE:,} we want": len(charges) / took / HOT_RATE,
            "p50 of the answer, ms": load["p50"],
            "p99 of the answer, ms": load["p99"],
        },
        mistakes=mistakes,
    )


def _gozon(bench: Bench, *arguments: str) -> str:
    environment = {"GOZON_BACKENDS": bench.system.backends, "GOZON_NATS_URL": bench.system.nats_url}
    return subprocess.run(
        [str(bench.programs / "gozon"), *arguments], check=True, capture_output=True, text=True, env=environment
    ).stdout


def _last_sequence(bench: Bench) -> int:
    return int(json.loads(_gozon(bench, "stream", "info", "ORDERS", "--json"))["state"]["last_seq"])


def _orders_told(bench: Bench, first: int, user: str) -> list[str]:
    """The user's orders as the stream has them, each once."""
    say("  reading the stream ...")
    lines = _gozon(bench, "stream", "view", "ORDERS", "--json", "--from", str(first), "--limit", "1000000").splitlines()
    messages = [json.loads(line)["message"] for line in lines]
    return list(dict.fromkeys(message["orderId"] for message in messages if message["userId"] == user))


def measure_million(bench: Bench, seconds: int) -> Result:
    """What a million orders leave behind: rows, dead rows and bytes of every table, and the memory of every process."""
    say("million: POST /v1/orders until there are a million")
    bench.load("orders", 5, ORDER_CONNECTIONS)
    _settle(bench)
    before = _memory(bench)
    marks = {f"{_count(bench, 'true'):,} orders": _tables(bench)}
    started, first = time.monotonic(), _count(bench, "true")
    goal = 250_000
    while goal <= 1_000_000:
        errors = bench.load("orders", max(seconds, 15), ORDER_CONNECTIONS)["errors"]
        placed = _count(bench, "true")
        if errors:
            raise Failure(f"{errors:.0f} requests failed")
        say(f"  {placed:,} orders")
        if placed >= goal:
            goal += 250_000
            marks[f"{placed:,} orders"] = _tables(bench)
    new = _settle(bench)
    took = time.monotonic() - started
    time.sleep(20)  # The last slots of the outbox are swept, and the vacuum has looked around.
    marks["20 s later"] = _tables(bench)
    after = _memory(bench)
    return Result(
        name="a million orders placed and settled",
        unit="orders/s",
        ours=(_count(bench, "true") - first) / took,
        yardstick="",
        theirs=0,
        details={
            **{
                f"{table}, {figure}": " / ".join(f"{tables[table][index]:,}" for tables in marks.values())
                for table in marks["20 s later"]
                for index, figure in enumerate(("rows", "dead rows", "KB"))
            },
            "  at": " / ".join(marks),
            **{f"memory of {name}, MB, before / after": f"{before[name]:.0f} / {after[name]:.0f}" for name in after},
        },
        mistakes=[f"{new} orders are not settled"] if new else [],
    )


def _tables(bench: Bench) -> dict[str, tuple[int, int, int]]:
    """Of every table: rows, dead rows, KB with its indexes, as the server counts them."""
    found = {}
    for database in ("orders", "payments"):
        lines = bench.sql(
            database,
            """
            SELECT relname, n_live_tup, n_dead_tup, pg_total_relation_size(relid) / 1024 FROM pg_stat_user_tables
            WHERE relname <> 'schema_migrations' ORDER BY relname""",
        )
        for name, *figures in (line.split("|") for line in lines.splitlines()):
            found[f"{database}.{name}"] = tuple(map(int, figures))
    return found


def _memory(bench: Bench) -> dict[str, float]:
    """What each process holds, in MB; of PostgreSQL the shared memory once, and what each of its processes has besides."""
    return {name: sum(map(_private_kb, pids)) / 1024 for name, pids in bench.processes().items()}


def _private_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
