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
"""Of the load generator; the same for every benchmark over HTTP."""

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

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.theirs else None

    @property
    def sound(self) -> bool:
        return not self.mistakes

    def text(self) -> str:
        lines = [f"{self.name}: {self.ours:,.0f} {self.unit}"]
        if self.ratio is not None:
            lines.append(f"  {self.yardstick}: {self.theirs:,.0f}; ours is {self.ratio:.2f} times that")
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
        self.system.start()
        self._users: Path | None = None
        return self

    def __exit__(self, *_: object) -> None:
        discard_all(self.home)

    def sql(self, database: str, statement: str) -> str:
        return self.system.postgres.sql(statement, database)

    def users(self) -> Path:
        """A file with the ids of funded users, made on the first call: with accounts and deposits as the service
        keeps them."""
        if self._users is None:
            ids = [str(uuid.uuid4()) for _ in range(USERS)]
            rows = ", ".join(f"('{user}'::uuid)" for user in ids)
            self.sql(
                "payments",
                f"""
                WITH users (id) AS (VALUES {rows}), opened AS (
                  INSERT INTO accounts (user_id, currency, balance, deposited, entries, created_at)
                  SELECT id, 'RUB', {DEPOSIT}, {DEPOSIT}, 1, now() FROM users)
                INSERT INTO entries (user_id, number, kind, cause, amount, balance, created_at)
                SELECT id, 1, 1, gen_random_uuid(), {DEPOSIT}, {DEPOSIT}, now() FROM users""",
            )
            self._users = self.directory / "users"
            self._users.write_text("\n".join(ids) + "\n")
        return self._users

    def load(self, what: str, seconds: int) -> dict[str, float]:
        """Loads the gateway with `orders` or reads of `accounts`; what load.lua reports in the end."""
        say(f"  load for {seconds} s over {CONNECTIONS} connections ...")
        output = self.run(
            ["wrk", "-t", "2", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--timeout", "10s"]
            + ["-s", str(HERE / "load.lua"), self.system.url, "--", what, str(self.users())]
        )
        return json.loads(output.strip().splitlines()[-1])

    def pgbench(self, script: Path, seconds: int, clients: Sequence[int] = PGBENCH_CLIENTS) -> float:
        """Runs of a script a second, on the same cluster while our services are idle; the best of the numbers of
        clients."""
        self._make_yardstick()
        program = self.system.postgres.programs / "pgbench"
        url = self.system.postgres.url("yardstick", "postgres")
        best = 0.0
        for count in clients:
            say(f"  pgbench for {seconds} s, clients: {count} ({script.name}) ...")
            output = self.run(
                [str(program), "-n", "-M", "prepared", "-c", str(count), "-j", str(min(count, 2)), "-T", str(seconds)]
                + ["-D", f"users={USERS}", "-f", str(script), url]
            )
            match = re.search(r"^tps = ([\d.]+)", output, re.M)
            if match is None:
                raise Failure(f"pgbench says no tps:\n{output}")
            best = max(best, float(match.group(1)))
        return best

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
        pids = {process.name: process.pid() for process in processes_of(self.home)}
        return {name: cpu_seconds(pid) for name, pid in pids.items() if pid is not None}

    def run(self, command: list[str]) -> str:
        """What a program prints; a Failure when it fails."""
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode != 0:
            raise Failure(f"{command[0]} ended with {answer.returncode}:\n{answer.stdout}{answer.stderr}")
        return answer.stdout


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, and its children with it."""
    children = [stat for stat in map(_stat, Path("/proc").glob("[0-9]*")) if stat and int(stat[1]) == pid]
    own = _stat(Path(f"/proc/{pid}"))
    ticks = sum(map(int, own[11:15])) if own else 0  # user, system, and the same of children that have ended
    ticks += sum(int(word) for stat in children for word in stat[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: Path) -> list[str] | None:
    """The words of /proc/PID/stat behind the name: state, parent's pid, and so on (proc(5))."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
