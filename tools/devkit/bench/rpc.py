"""Unary RPC calls a second, measured by `gozon bench`."""

from __future__ import annotations

from devkit.bench.measure import Bench, Result
from devkit.console import Failure


def measure_rpc(bench: Bench, seconds: int) -> Result:
    raise Failure("the rpc benchmark is not written yet")
