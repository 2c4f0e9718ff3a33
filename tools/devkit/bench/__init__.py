"""tools/bench: the benchmarks, each next to something real that does the same work in the same run."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from devkit.bench.http import measure_accounts, measure_order_posts
from devkit.bench.measure import Bench
from devkit.bench.orders import (
    measure_hot_account,
    measure_million,
    measure_orders,
    measure_settle_latency,
)
from devkit.bench.rpc import measure_consume, measure_idle, measure_produce, measure_unary
from devkit.bench.watch import measure_watchers
from devkit.console import say
from devkit.packages import prepare

EPILOG = """\
rpc     unary calls, 512 in flight on one connection, ours and gRPC C++ in turns, with a core for the server and one for
        the client; both at the same rate, open loop; a lone call; Redis; streams of 1 KB messages both ways; the
        memory of 1,000 idle connections
orders  orders over HTTP until they are paid, beside pgbench doing the same to the same tables one by one: as many as go;
        the settle latency at 400 orders a second, open loop; all of them of one account, whose charges have to be in the
        order of the stream
http    accounts read over HTTP, a read of PostgreSQL behind each, beside nginx answering with as many bytes from its
        memory, in turns; orders posted, beside the same nginx
watch   10,000 streams of events on one gateway, while orders are placed at 400 and at 1,000 a second: how late each learns
        of a settlement, whether it was told the last state of everything, and what it costs
million only when it is named: a million orders, and what they leave behind: rows, dead rows and bytes of every table, the
        memory of every process

What breaks a promise, such as less than 12 times the calls of gRPC, is said as FAILED, and the exit status is 1."""

BENCHMARKS = {
    "rpc": (measure_unary, measure_produce, measure_consume, measure_idle),
    "orders": (measure_orders, measure_settle_latency, measure_hot_account),
    "http": (measure_accounts, measure_order_posts),
    "watch": (measure_watchers,),
    "million": (measure_million,),
}
ONLY_WHEN_NAMED = ("million",)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/bench",
        description="Measures the release build on a system of its own. Figures are of this machine, with the load\n"
        "generator on it; ratios carry over to others.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, help="one benchmark; without, all but million")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output, and nothing else")
    parser.add_argument("--seconds", type=int, default=15, help="how long each load runs (15)")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    # With --json what the steps say goes where it does not disturb.
    with contextlib.redirect_stdout(sys.stderr) if options.json else contextlib.nullcontext():
        prepare(build=not os.environ.get("GOZON_BUILD_DIR"), postgres=True, nats=True, others=["wrk"])
        with tempfile.TemporaryDirectory(prefix="gozon-bench-") as directory, Bench(Path(directory)) as bench:
            names = [options.name] if options.name else [name for name in BENCHMARKS if name not in ONLY_WHEN_NAMED]
            results = [measure(bench, options.seconds) for name in names for measure in BENCHMARKS[name]]
    if options.json:
        machine = {"system": platform.platform(), "processors": os.cpu_count()}
        print(json.dumps({"machine": machine, "results": [{**asdict(r), "ratio": r.ratio} for r in results]}, indent=2))
    else:
        for result in results:
            say(f"\n{result.text()}")
    return 0 if all(result.sound for result in results) else 1
