"""Asking a process over HTTP whether it is ready."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Callable

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def http_probe(url: str) -> Callable[[], str | None]:
    """A probe that wants a 200; the reason is what the answer says, or why there was none."""

    def probe() -> str | None:
        try:
            with _direct.open(url, timeout=2):
                return None
        except urllib.error.HTTPError as error:
            return f"{url} answers {error.code}: {error.read(300).decode(errors='replace').strip()}"
        except OSError as error:
            return f"{url} does not answer ({getattr(error, 'reason', error)})"

    return probe
