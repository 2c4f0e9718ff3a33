"""Starting, finding and stopping the processes of a home."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterable, Mapping, Sequence

from devkit.console import Failure, complain, last_lines, say
from devkit.home import Home, write_whole

START_ORDER = ("postgres", "nats", "orders", "payments", "gateway")
"""What comes later needs what comes before; stopping goes backwards."""

READY_SECONDS = 120
"""A cluster that was killed replays its log first, which takes a while after much load."""


@dataclass(frozen=True)
class Stopping:
    """How a process is asked to end, how long it may take, and how one insists then."""

    ask: signal.Signals
    insist: signal.Signals
    seconds: float


SERVICE_STOPPING = Stopping(signal.SIGTERM, signal.SIGKILL, 30)
"""They drain within ten seconds."""

POSTGRES_STOPPING = Stopping(signal.SIGINT, signal.SIGQUIT, 120)
"""Its fast shutdown, which writes a last checkpoint, and its immediate one; both are safe for the data."""


@dataclass(frozen=True)
class Process:
    """One process of a home, running or not."""

    home: Home
    name: str

    @property
    def kind(self) -> str:
        """`orders` for `orders` and for its replica `orders-2`."""
        return self.name.partition("-")[0]

    @property
    def pid_file(self) -> Path:
        return self.home.run / f"{self.name}.pid"

    @property
    def log_file(self) -> Path:
        return self.home.log / f"{self.name}.log"

    @property
    def marker(self) -> str:
        """An argument that only this process of this home has. A pid file alone proves nothing: pids are reused."""
        if self.kind == "postgres":
            return str(self.home.postgres.resolve())
        if self.kind == "nats":
            return str(self.home.nats)
        return str(self.home.run / f"{self.name}.ports.json")

    @property
    def stopping(self) -> Stopping:
        return POSTGRES_STOPPING if self.kind == "postgres" else SERVICE_STOPPING

    def pid(self) -> int | None:
        """The process's id while it lives; None when it is dead, a zombie, or the id is another's by now."""
        try:
            pid = int(self.pid_file.read_text())
        except (OSError, ValueError):
            return None
        return pid if self.marker.encode() in _arguments(pid) else None

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Sends a signal; nothing happens when the process is gone."""
        pid = self.pid()
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill_family(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Sends a signal to the process and its children; nothing happens when it is gone."""
        pid = self.pid()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number != signal.SIGCONT:
                os.kill(pid, signal.SIGSTOP)  # It starts no others then.
            for child in children_of(pid):
                os.kill(child, number)
            os.kill(pid, number)

    def wait_gone(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid() is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def stop(self) -> bool:
        """Asks the process to end, and insists after a while; False when it did not run."""
        if self.pid() is None:
            self.pid_file.unlink(missing_ok=True)
            return False
        self.kill(self.stopping.ask)
        if not self.wait_gone(self.stopping.seconds):
            complain(f"{self.name} did not end within {self.stopping.seconds} s: sending {self.stopping.insist.name}")
            self.discard()
        self.pid_file.unlink(missing_ok=True)
        return True

    def discard(self) -> None:
        """Ends the process at once."""
        self.kill(self.stopping.insist)
        if not self.wait_gone(30):
            raise Failure(f"{self.name} (pid {self.pid()}) does not end")


@dataclass(frozen=True)
class Program:
    """How to start a process, and how to tell that it is ready."""

    process: Process
    command: Sequence[str]
    probe: Callable[[], str | None]
    """None when the process is ready, else why it is not."""
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    """Another user to run as; only root may say so."""
    before: Callable[[], None] = lambda: None
    """What must be done or waited for right before each start."""
    after: Callable[[], None] = lambda: None
    """What must be done once it is ready."""

    @property
    def name(self) -> str:
        return self.process.name

    def start(self) -> subprocess.Popen[bytes]:
        """Starts the process in a session of its own, so that a Ctrl-C meant for a tool does not reach it. Its log
        begins anew; that of the run before is kept beside it."""
        self.before()
        log_file = self.process.log_file
        if log_file.exists():
            log_file.replace(log_file.with_suffix(".log.1"))
        identity = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        with log_file.open("wb") as log:
            child = subprocess.Popen(
                self.command,
                cwd="/",
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **identity,
            )
        write_whole(self.process.pid_file, f"{child.pid}\n")
        return child

    def wait_ready(self, child: subprocess.Popen[bytes] | None = None) -> None:
        """Waits until the process is ready; a Failure with the end of its log when it ends before. `child` is what
        `start` returned, None when the process ran already."""
        started = reported = time.monotonic()
        while (reason := self.probe()) is not None:
            if child is None and self.process.pid() is None:
                raise self._failure("has ended")
            if child is not None and child.poll() is not None:
                raise self._failure(ending(child.returncode))
            now = time.monotonic()
            if now - started > READY_SECONDS:
                raise self._failure(f"is not ready after {READY_SECONDS} s: {reason}")
            if now - reported > 10:
                reported = now
                say(f"  {self.name} is not ready yet: {reason}")
            time.sleep(0.02)
        self.after()

    def _failure(self, what: str) -> Failure:
        return Failure(f"{self.name} {what}\n{last_lines(self.process.log_file)}")


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # State, parent and more stand behind the name (proc(5)), which may hold anything.
            state, parent = status.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(status.parent.name))
    return found


def _arguments(pid: int) -> list[bytes]:
    """The command line of a process; empty when it is dead. One that is just replacing its program has none for a
    moment, and is looked at again."""
    for _ in range(50):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return []
        if line or state in "ZX":
            return line.split(b"\0")
        time.sleep(0.002)
    return []


def ending(code: int) -> str:
    """How a process ended, from its return code."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def processes_of(home: Home) -> list[Process]:
    """Everything with a pid file in a home."""
    names = [path.stem for path in home.run.glob("*.pid")]
    return [Process(home, name) for name in names if name.partition("-")[0] in START_ORDER]


def stop(processes: Iterable[Process]) -> list[str]:
    """Stops processes, what starts last first; the names of those that ran."""
    backwards = sorted(processes, key=lambda process: -START_ORDER.index(process.kind))
    stopped = []
    for process in backwards:
        if process.stop():
            say(f"  {process.name} is stopped")
            stopped.append(process.name)
    return stopped


def stop_all(home: Home) -> list[str]:
    """Stops everything that runs in a home; the names of what ran."""
    return stop(processes_of(home))


def discard_all(home: Home) -> None:
    """Ends everything in a home whose state nobody needs any more."""
    for process in processes_of(home):
        process.discard()
