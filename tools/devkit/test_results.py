"""What `swift test` says while it runs, and what its processes do when they hang."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from devkit.console import say

_STARTED = re.compile(r"◇ Test (?!case |run )(.+) started\.$")
_ENDED = re.compile(r"[✔✘] Test (?!case |run )(.+?) (?:with \d+ test cases? )?(?:passed|failed) after ")


class TestResults:
    """Shows suites that have passed and tests that have failed; a test that starts, with arguments of several lines
    maybe, and one that passes are no news."""

    def __init__(self) -> None:
        self._running: list[str] = []
        self._is_shown = True

    def read(self, line: str) -> None:
        line = line.rstrip("\n")
        if started := _STARTED.match(line):
            self._running.append(started[1])
        elif (ended := _ENDED.match(line)) and ended[1] in self._running:
            self._running.remove(ended[1])
        if line.startswith(("◇", "✔ Test ")) and not line.startswith("✔ Test run"):
            self._is_shown = False
        elif line.startswith(("✔", "✘", "↳", "Test run")):
            self._is_shown = True
        if self._is_shown and line.strip():
            say(line)

    def unfinished(self) -> str:
        """The tests that have started and not ended; of one name, several may be."""
        return "\n".join([f"{len(self._running)} tests have started and not ended:", *map("  {}".format, self._running)])


def kill_session(session: int) -> None:
    """Ends every process of a session, in whatever process group: `swift test` gives the test program one of its own."""
    for _ in range(100):
        processes = _processes_of(session)
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not processes:
            return
        time.sleep(0.05)


def stacks_of_session(session: int) -> str:
    """Where the threads of the test programs of this session are; needs gdb."""
    gdb = shutil.which("gdb")
    if not gdb:
        return "their stacks are not shown: there is no gdb"
    stacks = []
    for pid, program in _processes_of(session).items():
        # Of the programs that tests start, each says what it does in a log of its own.
        if not program.startswith("gozonPackageTes"):
            continue
        command = [gdb, "--batch", "--nx", "--pid", str(pid), "--eval-command", "thread apply all backtrace 40"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
        except subprocess.TimeoutExpired:
            continue
        frames = [line for line in done.stdout.splitlines() if line.startswith(("#", "Thread "))]
        stacks.append("\n".join([f"{program} ({pid}):", *frames[:600]]))
    return "\n".join(stacks)


def _processes_of(session: int) -> dict[int, str]:
    """The names of the living processes of a session."""
    processes = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # PID (NAME) STATE PPID PGRP SESSION ... (proc(5))
            before, _, after = status.read_text().rpartition(") ")
        except OSError:
            continue
        state, _, _, its_session, *_ = after.split()
        if int(its_session) == session and state != "Z":
            processes[int(status.parent.name)] = before.partition("(")[2]
    return processes
