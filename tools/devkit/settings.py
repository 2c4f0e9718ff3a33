"""What can be chosen by environment variables, and which ports a system gets."""

from __future__ import annotations

import os
import random
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

from devkit.console import Failure, say
from devkit.home import Home

PORTS = {
    "http": ("GOZON_HTTP_PORT", 8080),
    "orders": ("GOZON_ORDERS_PORT", 7001),
    "payments": ("GOZON_PAYMENTS_PORT", 7002),
    "gatewayAdmin": ("GOZON_GATEWAY_ADMIN_PORT", 9080),
    "ordersAdmin": ("GOZON_ORDERS_ADMIN_PORT", 9081),
    "paymentsAdmin": ("GOZON_PAYMENTS_ADMIN_PORT", 9082),
    "postgres": ("GOZON_POSTGRES_PORT", 15432),
    "nats": ("GOZON_NATS_PORT", 14222),
    "natsMonitor": ("GOZON_NATS_MONITOR_PORT", 18222),
}
"""The names in ports.json, each with its variable and its default."""


@dataclass(frozen=True)
class Settings:
    """What the environment asks for; checked as a whole."""

    ports: Mapping[str, int]
    """As asked: 0 means any free one."""
    orders_database: str | None
    payments_database: str | None
    nats_url: str | None
    programs: Path | None
    """Where built programs are; None to build them."""

    @staticmethod
    def of_environment(environment: Mapping[str, str] = os.environ) -> Settings:
        mistakes: list[str] = []
        ports = {}
        for name, (variable, default) in PORTS.items():
            text = environment.get(variable) or str(default)
            if text.isascii() and text.isdigit() and int(text) <= 65535:
                ports[name] = int(text)
            else:
                mistakes.append(f"{variable} is {text!r}: give a port from 1 to 65535, or 0 for any free one")
        for name, (variable, _) in PORTS.items():
            same = [PORTS[other][0] for other in ports if ports[other] == ports.get(name) != 0]
            if len(same) > 1 and same[0] == variable:
                mistakes.append(f"{' and '.join(same)} are all {ports[name]}: give each its own port")
        programs = environment.get("GOZON_BUILD_DIR")
        if programs and not (Path(programs) / "gozon-gateway").is_file():
            mistakes.append(f"GOZON_BUILD_DIR is {programs!r}: there is no gozon-gateway in it")
        if mistakes:
            raise Failure("\n  ".join(["the environment is wrong:"] + mistakes))
        return Settings(
            ports,
            environment.get("GOZON_DATABASE_URL_ORDERS") or None,
            environment.get("GOZON_DATABASE_URL_PAYMENTS") or None,
            environment.get("GOZON_NATS_URL") or None,
            Path(programs).absolute() if programs else None,
        )

    @property
    def needs_postgres(self) -> bool:
        """Whether a private PostgreSQL is needed."""
        return not (self.orders_database and self.payments_database)

    @property
    def needs_nats(self) -> bool:
        """Whether a private NATS is needed."""
        return not self.nats_url

    def choose_ports(self, home: Home, running: bool) -> dict[str, int]:
        """The ports of a system: of a running one those it has, else those asked for. Where any free one will do,
        the one used last is preferred."""
        saved = home.saved_ports()
        chosen: dict[str, int] = {}
        for name, asked in self.ports.items():
            variable, _ = PORTS[name]
            if running and name in saved:
                chosen[name] = saved[name]
                if os.environ.get(variable) and asked not in (0, saved[name]):
                    say(f"{variable}={asked} has to wait: the system runs with {saved[name]} (tools/down ends it)")
            elif asked == 0:
                last = saved.get(name, 0)
                chosen[name] = last if last and is_free(last) else any_free_port(set(chosen.values()))
            else:
                chosen[name] = asked
        return chosen


def is_free(port: int) -> bool:
    """Whether a server could listen on a loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def any_free_port(taken: set[int] = frozenset()) -> int:
    """A free port below the range the kernel takes for outgoing connections: nobody's client can sit on it
    while its server restarts."""
    try:
        first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        first_outgoing = 32768
    for _ in range(1000):
        port = random.randrange(10240, max(first_outgoing, 12000))
        if port not in taken and is_free(port):
            return port
    raise Failure("no free port was found")


def require_free(name: str, port: int) -> None:
    """A Failure that names the port and the variable when somebody else listens on it."""
    if not is_free(port):
        variable, _ = PORTS[name]
        raise Failure(
            f"port {port} is in use by another program: set {variable} to a free port, or to 0 for any free one"
        )


def without_password(url: str) -> str:
    """An address that can be shown."""
    return re.sub(r"(//[^:/@]*):[^@/]*@", r"\1:***@", url)
