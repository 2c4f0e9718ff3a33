"""What the tools say, and how they run a step that takes long."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Mapping, Sequence

PROGRESS_SECONDS = 15
"""A step that is silent for longer makes people wonder whether it hangs."""

LAST_LINES = 30
"""How much of a log is shown when its step failed: the cause and what led to it."""


class Failure(Exception):
    """A tool cannot go on; the text says why and what to do. Shown without a stack trace."""


def say(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Whoever listened has heard enough (`| head`); the work goes on.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def last_lines(log: Path, count: int = LAST_LINES) -> str:
    """The end of a log, indented, under its path."""
    return _quote("last lines", log, _lines(log)[-count:])


def _reason(log: Path) -> str:
    """What a compiler's log says is wrong, or the end of any other."""
    errors = list(dict.fromkeys(line for line in _lines(log) if "error: " in line and " `- " not in line))
    return _quote("errors", log, errors[:LAST_LINES]) if errors else last_lines(log)


def _lines(log: Path) -> list[str]:
    try:
        return log.read_text(errors="replace").splitlines()
    except OSError:
        return []


def _quote(what: str, log: Path, lines: list[str]) -> str:
    return "\n".join([f"  {what} of {log}:"] + [f"  | {line}" for line in lines or ["(empty)"]])


def run_step(
    title: str,
    command: Sequence[str],
    log: Path,
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Runs a command with its output in a log, saying every now and then that it still runs; a Failure with the
    errors in the log, or its last lines, when it fails."""
    say(f"{title} ...")
    started = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while True:
                try:
                    code = process.wait(PROGRESS_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    say(f"  still at it after {time.monotonic() - started:.0f} s{_newest_line(log)}")
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if code != 0:
        raise Failure(f"{title} failed ({' '.join(command[:4])} ... ended with {code})\n{_reason(log)}")
    say(f"  done in {time.monotonic() - started:.0f} s")


def _newest_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 400))
        lines = file.read().decode(errors="replace").split("\n")
    newest = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {newest[:90]}" if newest else ""
