"""The system that faults happen to: two of each service, and a proxy on every way from one process to another."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Iterable, Iterator

from devkit.chaos.proxy import Link, Proxies
from devkit.chaos.schedule import GATEWAYS, LINKS, PROCESSES, SERVICES
from devkit.home import Home
from devkit.nats import PrivateNATS
from devkit.postgres import DATABASES, PrivatePostgres
from devkit.processes import Process, Program, discard_all, ending
from devkit.settings import Settings, any_free_port
from devkit.system import System, environment_for

STAGES = (("postgres", "nats"), SERVICES, GATEWAYS)
HOLD_TABLES = """
  DO $$
  DECLARE name text;
  BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
      EXECUTE format('LOCK TABLE %I IN ACCESS SHARE MODE', name);
    END LOOP;
  END $$"""

STOPPING_SECONDS = 40
"""More than a service that drains takes, whatever it has lost."""


class Fleet:
    """The processes and the ways between them. Making one starts nothing but proxies."""

    def __init__(self, home: Home, programs: Path) -> None:
        self.home = home
        self.system = System(home, Settings.of_environment(environment_for(home, programs)), programs)
        self.mistakes: list[str] = []
        """What processes did that nobody did to them."""
        self._proxies = Proxies()
        self._taken = set(self.system.ports.values())
        self._ports = {name: self._server_port(name) for name in PROCESSES}
        self._links = {link: self._proxies.link(self._free_port(), self._ports[link[1]]) for link in LINKS}
        self._programs: dict[str, Program] = {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        """What was started and not ended by us."""
        self._locks = {name: threading.Lock() for name in PROCESSES}
        self._runs = 0

    def _server_port(self, name: str) -> int:
        """Where a process is reached."""
        return self.system.ports.get("http" if name == "gateway" else name) or self._free_port()

    def _free_port(self) -> int:
        port = any_free_port(self._taken)
        self._taken.add(port)
        return port

    # Addresses

    def link(self, client: str, server: str) -> Link:
        """The way from one process to another."""
        return self._links[client, server]

    @property
    def public_addresses(self) -> list[str]:
        """Where clients reach the gateways: through proxies too."""
        return [f"127.0.0.1:{self.link('clients', name).port}" for name in GATEWAYS]

    @property
    def direct_address(self) -> str:
        """A gateway, past the proxies."""
        return f"127.0.0.1:{self._ports['gateway']}"

    def sql(self, database: str, statement: str) -> list[list[str]]:
        """Rows of a database, as the superuser sees them."""
        return [line.split("|") for line in self.system.postgres.sql(statement, database).splitlines()]

    # Starting and ending

    def start(self) -> None:
        """Starts everything, and waits until it is ready."""
        self.home.create()
        for stage in STAGES:
            for name in stage:
                self._programs[name] = self._program(name)
                self.start_one(name)
            for name in stage:
                self._programs[name].wait_ready(self._children[name])

    def _program(self, name: str) -> Program:
        if name == "postgres":
            return self.system.postgres.program()
        if name == "nats":
            return self.system.nats.program()
        if name in GATEWAYS:
            backends = ",".join(f"127.0.0.1:{self.link(name, service).port}" for service in SERVICES)
            return self.system.gateway(self._ports[name], self._free_port(), backends, name)
        kind = Process(self.home, name).kind
        return self.system.service(
            name,
            self._ports[name],
            self._free_port(),
            nats_url=PrivateNATS(self.home, self.link(name, "nats").port, 0).url,
            database=PrivatePostgres(self.home, self.link(name, "postgres").port).url(kind),
        )

    def close(self) -> None:
        """Ends everything."""
        for name in self._children:
            self._signal(name, signal.SIGCONT)
        discard_all(self.home)
        for child in self._children.values():
            child.wait()
        self._proxies.close()

    @contextlib.contextmanager
    def holding(self, names: Iterable[str]) -> Iterator[None]:
        """Keeps other faults away from processes."""
        with contextlib.ExitStack() as stack:
            for name in sorted(names):
                stack.enter_context(self._locks[name])
            yield

    def start_one(self, name: str) -> None:
        """Starts a process; it may become ready later. The log of its run before is kept."""
        log = self._programs[name].process.log_file
        if log.exists():
            self._runs += 1
            log.rename(log.with_suffix(f".{self._runs}.log"))
        self._children[name] = self._programs[name].start()

    def kill(self, names: Iterable[str]) -> None:
        """kill -9 of all together; of PostgreSQL every process, as if the machine had failed."""
        names = list(names)
        children = [child for name in names if (child := self._take(name))]
        for name in names:
            self._signal(name, signal.SIGKILL)
        for child in children:
            child.wait()

    def end(self, name: str) -> None:
        """Asks a process to end, and waits until it has."""
        if (child := self._take(name)) is None:
            return
        process = self._programs[name].process
        process.kill(process.stopping.ask)
        try:
            code = child.wait(STOPPING_SECONDS)
            # One that has said nothing yet may not have got as far as to say that it wants to be asked.
            is_unborn = code == -process.stopping.ask and process.log_file.stat().st_size == 0
            if code != 0 and not is_unborn:
                self.mistakes.append(f"{name}, asked to end, {ending(code)}")
        except subprocess.TimeoutExpired:
            self.mistakes.append(f"{name} did not end within {STOPPING_SECONDS} s")
            self._signal(name, signal.SIGKILL)
            child.wait()

    def stop(self, name: str) -> None:
        """SIGSTOP; of PostgreSQL every process."""
        self._signal(name, signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        """SIGCONT."""
        self._signal(name, signal.SIGCONT)

    def wipe_broker(self) -> None:
        """Removes what the broker, which does not run, has stored."""
        shutil.rmtree(self.home.nats)

    def wipe_consumers(self) -> None:
        """Removes what the broker, which does not run, knows of its consumers."""
        for consumers in self.home.nats.glob("**/obs"):
            shutil.rmtree(consumers)

    def copy_broker(self) -> Path:
        """Copies what the broker, which is stopped for a moment, has stored; the copy."""
        copy = self.home.path / "nats.copy"
        shutil.rmtree(copy, ignore_errors=True)
        self.stop("nats")
        try:
            shutil.copytree(self.home.nats, copy)
        finally:
            self.go_on("nats")
        return copy

    def rewind_broker(self, copy: Path) -> None:
        """Puts a copy in the place of what the broker, which does not run, has stored: what it had taken since then
        is lost, as if it had never reached the disk."""
        shutil.rmtree(self.home.nats)
        copy.rename(self.home.nats)

    @contextlib.contextmanager
    def tables_held(self) -> Iterator[None]:
        """Holds a lock on every table that stops nobody who reads or writes, as pg_dump does while it runs."""
        with contextlib.ExitStack() as stack:
            for database in DATABASES:
                url = self.system.postgres.url(database, "postgres")
                command = [str(self.system.postgres.programs / "psql"), "-Xq", "-d", url]
                session = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, text=True))
                session.stdin.write(f"BEGIN; {HOLD_TABLES};\n")
                session.stdin.flush()
            yield

    def revive(self) -> None:
        """Starts what has ended by itself, noting that it has."""
        for name in PROCESSES:
            child = self._children.get(name)
            if child is None or child.poll() is not None:
                self._take(name)
                self.start_one(name)

    def wait_ready(self, seconds: float) -> list[str]:
        """Waits until everything is ready; what is not in the end, and why."""
        deadline = time.monotonic() + seconds
        while True:
            reasons = {name: self._programs[name].probe() for name in PROCESSES}
            unready = [f"{name} is not ready: {reason}" for name, reason in reasons.items() if reason is not None]
            if not unready or time.monotonic() > deadline:
                return unready
            time.sleep(0.1)

    def _take(self, name: str) -> subprocess.Popen[bytes] | None:
        """The process that is about to be ended; None, and a mistake is noted, when it has ended by itself."""
        child = self._children.pop(name, None)
        if child is None:
            return None
        if (code := child.poll()) is not None:
            self.mistakes.append(f"{name} {ending(code)}, and nobody had ended it")
            return None
        return child

    def _signal(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to a process and its children; nothing happens when it is gone."""
        self._programs[name].process.kill_family(number)
