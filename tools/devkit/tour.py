"""The README's tour as a script, so that what it says is what works."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Mapping

from devkit.console import Failure
from devkit.home import CHECKOUT

STATED = "http://127.0.0.1:8080"
"""Where the README says that the gateway is."""

TIMEOUT_SECONDS = 120


def take_tour(url: str, *, tool: str = "tools/gozon", environment: Mapping[str, str] | None = None) -> str:
    """Runs the tour line by line against the gateway at `url` and with the client tool `tool`; what it prints. A Failure
    when a line fails, or an order does not end as the tour says."""
    answer = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", _script().replace(STATED, url).replace("tools/gozon", tool)],
        cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    if answer.returncode != 0:
        raise Failure(f"the README's tour ended with {answer.returncode}:\n{answer.stdout}{answer.stderr}")
    ends = re.findall(r'"status":\s*"(FINISHED|CANCELLED)"(?:,\s*"reason":\s*"(\w+)")?', answer.stdout)
    wanted = [("FINISHED", ""), ("CANCELLED", "INSUFFICIENT_FUNDS"), ("CANCELLED", "NO_ACCOUNT")]
    if ends[:3] != wanted or '"status":"REFUNDED"' not in answer.stdout:
        raise Failure(f"the README's tour did not end as it says:\n{answer.stdout}{answer.stderr}")
    return answer.stdout


def _script() -> str:
    section = Path(CHECKOUT / "README.md").read_text().split("## Tour", 1)[1].split("\n## ", 1)[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.S))
