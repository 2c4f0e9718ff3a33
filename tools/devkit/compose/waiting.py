"""Waiting for something to become so."""

from __future__ import annotations

import time
from typing import Callable

from devkit.console import Failure


def wait(what: str | Callable[[], str], seconds: float, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if is_so():
                return
        except (OSError, Failure):
            pass
        if time.monotonic() > deadline:
            raise Failure(f"after {seconds:.0f} s, it is not so that {what() if callable(what) else what}")
        time.sleep(0.3)
