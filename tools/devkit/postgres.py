"""A private PostgreSQL: loopback only, durable, made once and kept in the home."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from textwrap import shorten

from devkit.console import Failure, last_lines, say
from devkit.home import Home
from devkit.packages import postgres_programs
from devkit.processes import Process, Program

DATABASES = ("orders", "payments")
OWNER = "gozon"
"""The role of the services: owns both databases and may nothing else."""

SERVER_USER = "postgres"
"""PostgreSQL refuses to run as root; root runs it as this user, which Debian's package makes."""

SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PrivatePostgres:
    """The cluster of a home and its server."""

    def __init__(self, home: Home, port: int) -> None:
        self.home = home
        self.port = port
        self.user = SERVER_USER if os.geteuid() == 0 else None
        self.settings = dict(SERVER_SETTINGS)
        """What its server is started with."""

    def url(self, database: str, role: str = OWNER) -> str:
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    @property
    def admin_url(self) -> str:
        return self.url("postgres", "postgres")

    def program(self) -> Program:
        """Makes the cluster if there is none yet."""
        directory = self._cluster()
        command = [str(self.programs / "postgres"), "-D", str(directory), "-p", str(self.port)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        return Program(
            Process(self.home, "postgres"),
            command,
            probe=self._probe,
            user=self.user,
            before=lambda: _clear_after_kill(directory),
            after=self._create_databases,
        )

    @property
    def programs(self) -> Path:
        try:
            version = (self.home.postgres / "PG_VERSION").read_text().strip()
        except OSError:
            version = None
        return postgres_programs(version)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Runs SQL as the superuser; the rows as text, columns parted by `|`."""
        answer = subprocess.run(
            [str(self.programs / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.url(database, "postgres")]
            + ["-c", statement],
            capture_output=True,
            text=True,
        )
        if answer.returncode != 0:
            raise Failure(f"PostgreSQL refused {shorten(statement, 200)!r}: {answer.stderr.strip()}")
        return answer.stdout.strip()

    def _probe(self) -> str | None:
        try:
            self.sql("SELECT 1")
            return None
        except Failure as failure:
            return str(failure)

    def _create_databases(self) -> None:
        if not self.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{OWNER}'"):
            self.sql(f"CREATE ROLE {OWNER} LOGIN")
        present = self.sql("SELECT datname FROM pg_database").splitlines()
        for database in DATABASES:
            if database not in present:
                self.sql(f"CREATE DATABASE {database} OWNER {OWNER}")

    def _cluster(self) -> Path:
        """The directory of the cluster, made on the first call."""
        place = self.home.postgres
        if (place / "PG_VERSION").exists():
            return place.resolve()
        initdb = self.programs / "initdb"
        if self.user:
            _ensure_user(self.user)
            if not _can_reach(self.user, self.home.path):
                place = self._outside_home()
        draft = place.with_name("postgres.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self.user:
            shutil.chown(draft, self.user, self.user)
        say("making the private PostgreSQL cluster ...")
        log = self.home.log / "initdb.log"
        with log.open("wb") as output:
            answer = subprocess.run(
                [str(initdb), "-D", str(draft), "--username=postgres", "--auth=trust", "--encoding=UTF8"]
                + ["--locale=C.UTF-8", "--data-checksums", "--no-instructions"],
                cwd="/",
                stdout=output,
                stderr=output,
                **({"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}),
            )
        if answer.returncode != 0:
            raise Failure(f"initdb failed\n{last_lines(log)}")
        draft.rename(place)
        return place.resolve()

    def _outside_home(self) -> Path:
        """A place that the server's user can reach, with a link to it in the home."""
        key = hashlib.sha256(str(self.home.path).encode()).hexdigest()[:12]
        place = Path(f"/var/lib/gozon-{key}/postgres")
        say(
            f"user {self.user}, which PostgreSQL runs as, cannot reach {self.home.path}: "
            f"the cluster goes to {place}, with a link to it in the home"
        )
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        self.home.postgres.unlink(missing_ok=True)
        self.home.postgres.symlink_to(place)
        return place


def _clear_after_kill(directory: Path) -> None:
    """After a postmaster was killed its children need a moment to notice, and a new one refuses to start before.
    They are the processes whose working directory is the cluster's. Without any, a lock file that is left is stale,
    even when the killed postmaster is still there as a zombie, which PostgreSQL itself cannot tell."""
    deadline = time.monotonic() + 30
    while any(_working_directory(entry) == directory for entry in Path("/proc").glob("[0-9]*")):
        if time.monotonic() > deadline:
            raise Failure(f"processes of a killed PostgreSQL are still at work in {directory}")
        time.sleep(0.05)
    (directory / "postmaster.pid").unlink(missing_ok=True)


def _working_directory(process: Path) -> Path | None:
    try:
        return (process / "cwd").readlink()
    except OSError:
        return None


def _ensure_user(user: str) -> None:
    try:
        pwd.getpwnam(user)
    except KeyError:
        say(f"adding the system user {user}, which PostgreSQL runs as")
        subprocess.run(["useradd", "--system", "--user-group", "--no-create-home", user], check=True)


def _can_reach(user: str, path: Path) -> bool:
    return subprocess.run(["test", "-x", str(path)], cwd="/", user=user, group=user, extra_groups=[]).returncode == 0
