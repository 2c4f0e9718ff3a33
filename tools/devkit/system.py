"""A whole system: which programs it consists of, how they find each other, and how it is brought up."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from devkit.console import say
from devkit.home import CHECKOUT, Home, write_whole
from devkit.nats import PrivateNATS
from devkit.packages import swagger_ui
from devkit.postgres import PrivatePostgres
from devkit.probes import http_probe
from devkit.processes import Process, Program, processes_of, stop
from devkit.settings import PORTS, Settings, require_free

PORTS_OF = {
    "postgres": ("postgres",),
    "nats": ("nats", "natsMonitor"),
    "orders": ("orders", "ordersAdmin"),
    "payments": ("payments", "paymentsAdmin"),
    "gateway": ("http", "gatewayAdmin"),
}
"""The ports each process listens on."""


class System:
    """The programs of a home with their ports and addresses. Making one starts nothing."""

    def __init__(self, home: Home, settings: Settings, programs: Path) -> None:
        self.home = home
        self.programs = programs
        running = {process.name for process in processes_of(home) if process.pid() is not None}
        self.ports = settings.choose_ports(home, bool(running))
        self.postgres = PrivatePostgres(home, self.ports["postgres"]) if settings.needs_postgres else None
        self.nats = PrivateNATS(home, self.ports["nats"], self.ports["natsMonitor"]) if settings.needs_nats else None
        for name, server in (("postgres", self.postgres), ("nats", self.nats)):
            if server is None:
                for port in PORTS_OF[name]:
                    del self.ports[port]
        self.nats_url = settings.nats_url or self.nats.url
        self.databases = {
            "orders": settings.orders_database or self.postgres.url("orders"),
            "payments": settings.payments_database or self.postgres.url("payments"),
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['http']}"

    @property
    def backends(self) -> str:
        return ",".join(f"127.0.0.1:{self.ports[name]}" for name in ("orders", "payments"))

    def stages(self) -> list[list[Program]]:
        """All programs; those of a stage start together, once those of the stages before are ready."""
        servers = [server.program() for server in (self.postgres, self.nats) if server]
        services = [self.service(name, self.ports[name], self.ports[f"{name}Admin"]) for name in ("orders", "payments")]
        gateway = self.gateway(self.ports["http"], self.ports["gatewayAdmin"], self.backends)
        return [servers, services, [gateway]]

    def service(
        self, name: str, port: int, admin_port: int, *, nats_url: str | None = None, database: str | None = None
    ) -> Program:
        """`orders` or `payments`; a replica is called `orders-2`. It may be given other ways to its servers."""
        process = Process(self.home, name)
        kind = process.kind
        return Program(
            process,
            [str(self.programs / f"gozon-{kind}"), f"--{kind}-port", str(port), f"--{kind}-admin-port", str(admin_port)]
            + ["--nats-url", nats_url or self.nats_url, "--migrations", str(CHECKOUT / "Schemas" / "sql" / kind)]
            + ["--ports-file", process.marker],
            probe=http_probe(f"http://127.0.0.1:{admin_port}/readyz", whole=True),
            # Not a flag: it may hold a password, and everybody on the machine sees command lines.
            environment={f"GOZON_DATABASE_URL_{kind.upper()}": database or self.databases[kind]},
        )

    def gateway(self, port: int, admin_port: int, backends: str, name: str = "gateway") -> Program:
        process = Process(self.home, name)
        docs = None if os.environ.get("GOZON_DOCS_ASSETS") else swagger_ui()
        return Program(
            process,
            [str(self.programs / "gozon-gateway"), "--http-port", str(port), "--gateway-admin-port", str(admin_port)]
            + ["--backends", backends, "--ports-file", process.marker]
            + (["--docs-assets", str(docs)] if docs else []),
            probe=http_probe(f"http://127.0.0.1:{admin_port}/readyz"),
        )

    def start(self) -> dict[str, subprocess.Popen[bytes]]:
        """Starts what does not run, and waits until everything is ready; what it started, by name. When that fails,
        what it started is stopped again."""
        self.home.create()
        self._require_free_ports()
        self.home.save_ports(self.ports)
        started: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for stage in self.stages():
                self._start_stage(stage, started)
        except BaseException:
            stop(Process(self.home, name) for name in started)
            raise
        self._write_env()
        return started

    def _require_free_ports(self) -> None:
        for name, ports in PORTS_OF.items():
            if Process(self.home, name).pid() is None:
                for port in ports:
                    if port in self.ports:
                        require_free(port, self.ports[port])

    def _start_stage(self, programs: list[Program], started: dict[str, subprocess.Popen[bytes]]) -> None:
        for program in programs:
            if program.process.pid() is None:
                started[program.name] = program.start()
        for program in programs:
            child = started.get(program.name)
            program.wait_ready(child)
            if child:
                say(f"  {program.name} is ready (pid {child.pid}, port {self.ports[PORTS_OF[program.name][0]]})")

    @property
    def addresses(self) -> dict[str, str]:
        """The variables by which the client tool finds everything."""
        return {
            "GOZON_BACKENDS": self.backends,
            "GOZON_NATS_URL": self.nats_url,
            "GOZON_DATABASE_URL_ORDERS": self.databases["orders"],
            "GOZON_DATABASE_URL_PAYMENTS": self.databases["payments"],
        }

    def _write_env(self) -> None:
        exports = self.addresses.items()
        # What is set already wins.
        lines = [f'[ "${{{name}:-}}" ] || export {name}={shlex.quote(value)}\n' for name, value in exports]
        write_whole(
            self.home.env_file, "".join(lines), mode=0o600
        )  # The addresses of outside servers may hold passwords.


def environment_for(home: Home, programs: Path) -> dict[str, str]:
    """The variables that make tools/up run ready programs in a home of their own, with its own servers and on free
    ports, without TLS, whatever else the environment says."""
    ports = {variable: "0" for variable, _ in PORTS.values()}
    servers = ("GOZON_DATABASE_URL_ORDERS", "GOZON_DATABASE_URL_PAYMENTS", "GOZON_NATS_URL")
    tls = (f"GOZON_RPC_TLS_{name}" for name in ("CERTIFICATE", "KEY", "CLIENT_CA", "CA"))
    own = dict.fromkeys((*servers, *tls), "")
    return {"GOZON_HOME": str(home.path), "GOZON_BUILD_DIR": str(programs), **ports, **own}
