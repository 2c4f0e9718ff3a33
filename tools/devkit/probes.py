"""Asking a process over HTTP whether it is ready."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Callable

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def http_probe(url: str, *, whole: bool = False) -> Callable[[], str | None]:
    """A probe that wants a 200; the reason is what the answer says, or why there was none. `whole` wants of a /readyz also
    that nothing is missing that can be done without."""

    def probe() -> str | None:
        try:
            with _direct.open(url, timeout=2) as answer:
                body = answer.read()
            return body.decode() if whole and json.loads(body).get("degraded") else None
        except urllib.error.HTTPError as error:
            return f"{url} answers {error.code}: {error.read(300).decode(errors='replace').strip()}"
        except OSError as error:
            return f"{url} does not answer ({getattr(error, 'reason', error)})"

    return probe
