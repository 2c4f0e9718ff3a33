"""What every benchmark needs: a system, a load, a yardstick, and a result that shows the two side by side."""

from __future__ import annotations

import json
import os
import re
import subprocess
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping, Sequence

from devkit.console import Failure, say
from devkit.home import CHECKOUT, Home
from devkit.packages import swift_build
from devkit.processes import processes_of, discard_all
from devkit.settings import Settings
from devkit.system import System, environment_for

HERE = Path(__file__).parent
CONNECTIONS = 64
"""Of the load generator, unless a benchmark says otherwise."""

PGBENCH_CLIENTS = (8, 32)
"""pgbench runs with each, and its best counts."""

USERS = 1000
DEPOSIT = 1_000_000_000


Figure = float | int | str | list[float] | list[int]
Figures = Mapping[str, Figure]


@dataclass
class Result:
    """One figure of ours next to one of something real."""

    name: str
    unit: str
    ours: float
    yardstick: str
    """What the other figure is of; empty when there is none."""
    theirs: float
    details: Mapping[str, Figure | Figures] = field(default_factory=dict)
    """Other figures, or such that belong together under one name."""
    mistakes: list[str] = field(default_factory=list)
    """What makes the figure worthless, or breaks a promise."""
    digits: int = 0
    """Of ours and theirs, behind the point."""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.theirs else None

    @property
    def sound(self) -> bool:
        return not self.mistakes

    def text(self) -> str:
        lines = [f"{self.name}: {self.ours:,.{self.digits}f} {self.unit}"]
        if self.ratio is not None:
            lines.append(f"  {self.yardstick}: {self.theirs:,.{self.digits}f}; ours is {self.ratio:.2f} times that")
        lines += [f"  {name}: {_text(value)}" for name, value in self.details.items()]
        return "\n".join(lines + [f"  FAILED: {mistake}" for mistake in self.mistakes])


def _text(value: Figure | Figures) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(figure)}" for name, figure in value.items())
    if isinstance(value, list):
        return " / ".join(f"{figure:,.0f}" for figure in value)
    return f"{value:,.2f}" if isinstance(value, float) else f"{value}"


class Bench:
    """A system of the release build in a directory of its own, up for as long as the benchmarks run."""

    def __init__(self, directory: Path) -> None:
        directory.chmod(0o755)
        self.directory = directory
        self.home = Home(directory / "home")

    def __enter__(self) -> Bench:
        self.home.create()
        given = os.environ.get("GOZON_BUILD_DIR")
        self.programs = Path(given) if given else swift_build("release", CHECKOUT / ".build" / "bench.log")
        settings = Settings.of_environment(environment_for(self.home, self.programs))
        self.system = System(self.home, settings, self.programs)
        # When each change was committed: what the latency of a settlement is read from.
        self.system.postgres.settings["track_commit_timestamp"] = "on"
        self.system.start()
        self._users: Path | None = None
        return self

    def __exit__(self, *_: object) -> None:
        discard_all(self.home)

    def sql(self, database: str, statement: str) -> str:
        return self.system.postgres.sql(statement, database)

    def users(self) -> Path:
        """A file with the ids of funded users, made on the first call."""
        if self._users is None:
            self._users = self.fund([str(uuid.uuid4()) for _ in range(USERS)], "users")
        return self._users

    def fund(self, users: Sequence[str], name: str) -> Path:
        """A file with the ids of users who have accounts and deposits, as the service keeps them."""
        for first in range(0, len(users), USERS):
            self._fund(users[first : first + USERS])
        file = self.directory / name
        file.write_text("\n".join(users) + "\n")
        return file

    def _fund(self, users: Sequence[str]) -> None:
        """As many as one argument of a command has room for."""
        rows = ", ".join(f"('{user}'::uuid)" for user in users)
        self.sql(
            "payments",
            f"""
            WITH users (id) AS (VALUES {rows}), opened AS (
              INSERT INTO accounts (user_id, currency, balance, deposited, entries, created_at)
              SELECT id, 'RUB', {DEPOSIT}, {DEPOSIT}, 1, now() FROM users)
            INSERT INTO entries (user_id, number, kind, cause, amount, balance, created_at)
            SELECT id, 1, 1, gen_random_uuid(), {DEPOSIT}, {DEPOSIT}, now() FROM users""",
        )

    def load(
        self, what: str, seconds: int, connections: int = CONNECTIONS, users: Path | None = None, url: str | None = None
    ) -> dict[str, float]:
        """Loads the gateway, or what else is at `url`, with `orders` or reads of `accounts`; what load.lua reports in
        the end."""
        say(f"  load for {seconds} s over {connections} connections ...")
        output = self.run(
            ["wrk", "-t", "2", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s"]
            + ["-s", str(HERE / "load.lua"), url or self.system.url, "--", what, str(users or self.users())]
        )
        return json.loads(output.strip().splitlines()[-1])

    def pgbench(self, script: Path, seconds: int, clients: Sequence[int] = PGBENCH_CLIENTS) -> float:
        """Runs of a script a second, on the same cluster while our services are idle; the best of the numbers of
        clients."""
        return max(self._pgbench(script, seconds, count, r"^tps = ([\d.]+)") for count in clients)

    def pgbench_latency(self, script: Path, seconds: int, rate: int) -> float:
        """How long a run of a script takes on average, in milliseconds, at so many a second."""
        return self._pgbench(script, seconds, 8, r"^latency average = ([\d.]+) ms", "-R", str(rate))

    def _pgbench(self, script: Path, seconds: int, clients: int, figure: str, *flags: str) -> float:
        self._make_yardstick()
        program = self.system.postgres.programs / "pgbench"
        say(f"  pgbench for {seconds} s, clients: {clients} ({script.name}) ...")
        output = self.run(
            [str(program), "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(seconds)]
            + ["-D", f"users={USERS}", "-f", str(script), *flags, self.system.postgres.url("yardstick", "postgres")]
        )
        match = re.search(figure, output, re.M)
        if match is None:
            raise Failure(f"pgbench says no {figure}:\n{output}")
        return float(match.group(1))

    def _make_yardstick(self) -> None:
        """A database with the same tables, and as many users."""
        if self.sql("postgres", "SELECT 1 FROM pg_database WHERE datname = 'yardstick'"):
            return
        self.sql("postgres", "CREATE DATABASE yardstick")
        # Where the ledger's triggers find their tables.
        self.sql("postgres", "ALTER DATABASE yardstick SET search_path = bench_payments, bench_orders")
        for kind in ("orders", "payments"):
            files = sorted((CHECKOUT / "Schemas" / "sql" / kind).glob("*.sql"))
            tables = "\n".join(file.read_text() for file in files)
            self.sql("yardstick", f"CREATE SCHEMA bench_{kind}; SET search_path = bench_{kind}; {tables}")
        self.sql(
            "yardstick",
            f"""
            INSERT INTO bench_payments.accounts (user_id, currency, balance, deposited, entries, created_at)
            SELECT lpad(to_hex(i), 32, '0')::uuid, 'RUB', {DEPOSIT}, {DEPOSIT}, 0, now()
            FROM generate_series(1, {USERS}) AS i""",
        )
        self.sql("yardstick", "VACUUM ANALYZE")

    def processor_seconds(self) -> dict[str, float]:
        """What each process has used so far, PostgreSQL's children included."""
        return {name: cpu_seconds(pids[0]) for name, pids in self.processes().items()}

    def processes(self) -> dict[str, list[int]]:
        """Each process of the system, and its children."""
        pids = {process.name: process.pid() for process in processes_of(self.home)}
        return {name: [pid, *children(pid)] for name, pid in pids.items() if pid is not None}

    def run(self, command: list[str]) -> str:
        """What a program prints; a Failure when it fails."""
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode != 0:
            raise Failure(f"{command[0]} ended with {answer.returncode}:\n{answer.stdout}{answer.stderr}")
        return answer.stdout


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    found = ((process, _stat(process)) for process in Path("/proc").glob("[0-9]*"))
    return [int(process.name) for process, stat in found if stat and int(stat[1]) == pid]


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, and its children with it."""
    own = _stat(Path(f"/proc/{pid}"))
    ticks = sum(map(int, own[11:15])) if own else 0  # user, system, and the same of children that have ended
    ticks += sum(int(word) for child in children(pid) for word in (_stat(Path(f"/proc/{child}")) or [])[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: Path) -> list[str] | None:
    """The words of /proc/PID/stat behind the name: state, parent's pid, and so on (proc(5))."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
