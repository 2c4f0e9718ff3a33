"""Servers and loads with a core each, and what they use of it."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Sequence, TypeVar

from devkit.console import Failure

Found = TypeVar("Found")

SERVER_CORE = 0
CLIENT_CORE = 1
START_SECONDS = 20
"""How long a server may take until it is there, and a thousand clients until they are connected."""

GRACE_SECONDS = 60
"""How much longer than it was told a load may run."""


@dataclass(frozen=True)
class Memory:
    """What a process holds, in KB (proc(5), smaps_rollup)."""

    rss: int
    pss: int


class Server:
    """A server on its core."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def cpu_seconds(self) -> float:
        """What it has used so far, all its threads together."""
        words = self._read("stat").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> Memory:
        sizes = dict(re.findall(r"^(Rss|Pss):\s+(\d+) kB", self._read("smaps_rollup"), re.M))
        return Memory(rss=int(sizes["Rss"]), pss=int(sizes["Pss"]))

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def _read(self, name: str) -> str:
        return Path(f"/proc/{self.process.pid}/{name}").read_text()


@contextmanager
def serving(command: Sequence[str], port: int | Path, executable: str | None = None) -> Iterator[Server]:
    """Runs a server. Its port is known, or the server writes it into a file: itself, or on standard output, which goes
    there."""
    output = port.open("wb") if isinstance(port, Path) else open(os.devnull, "wb")
    with output:
        process = subprocess.Popen(
            command, executable=executable, stdout=output, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: stay_on(SERVER_CORE))
    try:
        yield Server(process, port if isinstance(port, int) else wait_for(lambda: _port_in(port)))
    finally:
        process.terminate()
        process.wait()


def _port_in(file: Path) -> int | None:
    text = file.read_text()
    return json.loads(text)["bench"] if text else None


def run_client(command: Sequence[str], seconds: float) -> tuple[str, float]:
    """What a load of so many seconds prints, and the CPU seconds it used."""
    before = _children_cpu_seconds()
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds + GRACE_SECONDS,
            preexec_fn=lambda: stay_on(CLIENT_CORE))
    except subprocess.TimeoutExpired as timeout:
        raise Failure(f"{command[0]} did not end within {timeout.timeout:.0f} s") from None
    if answer.returncode != 0:
        raise Failure(f"{command[0]} ended with {answer.returncode}:\n{answer.stdout}{answer.stderr}")
    return answer.stdout, _children_cpu_seconds() - before


def _children_cpu_seconds() -> float:
    """Of children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def stay_on(core: int) -> None:
    """Keeps the calling process on one of the cores that it may use."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


def wait_for(look: Callable[[], Found | None]) -> Found:
    """What `look` finds, once it does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.02)
    raise Failure(f"a server of the benchmark, or its clients, were not there within {START_SECONDS} s")
