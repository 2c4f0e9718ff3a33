"""tools/up: brings the whole system up."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import time

from devkit.console import say
from devkit.home import Home
from devkit.packages import prepare, swift_build
from devkit.processes import Process, ending, stop, stop_all
from devkit.settings import PORTS, Settings, without_password
from devkit.system import System

EPILOG = "environment:\n" + "\n".join(
    [
        "  GOZON_HOME                   where state, pid files and logs are kept (.gozon in the checkout)",
        *(f"  {variable:28} port, 0 for any free one ({default})" for variable, default in PORTS.values()),
        "  GOZON_DATABASE_URL_ORDERS    an existing database instead of a private PostgreSQL; both or one",
        "  GOZON_DATABASE_URL_PAYMENTS  likewise",
        "  GOZON_NATS_URL               an existing NATS with JetStream instead of a private one",
        "  GOZON_BUILD_DIR              where built programs are, to run those instead of building",
        "",
        "The ports in use are in $GOZON_HOME/ports.json, pids in $GOZON_HOME/run, logs in $GOZON_HOME/log, where NAME.log.1",
        "is of the run before.",
    ]
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/up",
        description="Installs what is missing, builds, and starts PostgreSQL, NATS, orders, payments and the gateway. "
        "Stays in the foreground; Ctrl-C stops what it started. On a running system it starts again what has died.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--detach", action="store_true", help="return when everything is ready")
    parser.add_argument("--reset", action="store_true", help="stop what runs and wipe the state first")
    options = parser.parse_args(arguments)

    settings = Settings.of_environment()
    home = Home.of_environment()
    # Also where a shell has started it in the background, with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with home.locked():
        if options.reset:
            _reset(home, settings)
        home.create()
        prepare(
            build=not settings.programs,
            postgres=settings.needs_postgres,
            nats=settings.needs_nats,
            docs=not os.environ.get("GOZON_DOCS_ASSETS"),
        )
        programs = settings.programs or swift_build("release", home.log / "build.log")
        system = System(home, settings, programs)
        children = system.start()
    _print_addresses(system, bool(children))
    if options.detach or not children:
        return 0
    return _stay(home, children)


def _reset(home: Home, settings: Settings) -> None:
    stop_all(home)
    home.wipe()
    say(f"wiped the state in {home.path}")
    if not (settings.needs_postgres and settings.needs_nats):
        say("  servers that are not the home's own keep what is in them")


def _print_addresses(system: System, started: bool) -> None:
    say("")
    say("Gozon is up." if started else "Gozon was up already; nothing had to be started.")
    say(f"  API      {system.url}/v1/orders")
    say(f"           {system.url}/docs tries it out, {system.url}/openapi.json describes it")
    say(f"  RPC      {system.backends} (tools/gozon finds them)")
    for name, port in ((name, system.ports[f"{name}Admin"]) for name in ("gateway", "orders", "payments")):
        say(f"  {name:8} http://127.0.0.1:{port}/metrics, /healthz, /readyz")
    for name, address in {**system.databases, "nats": system.nats_url}.items():
        say(f"  {name:8} {without_password(address)}")
    say(f"  logs     {system.home.log}")


def _stay(home: Home, children: dict[str, subprocess.Popen[bytes]]) -> int:
    """Watches over what was started, until it is interrupted or somebody else has stopped everything."""
    say("Ctrl-C stops it.")
    alive = dict(children)
    try:
        while alive or any(Process(home, name).pid() for name in children):
            for name, child in list(alive.items()):
                if child.poll() is not None:
                    del alive[name]
                    say(f"{name} {ending(child.returncode)}; tools/up starts again what has died")
            time.sleep(0.2)
        say("everything has ended")
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        say("\nstopping ...")
        with home.locked():
            stop(Process(home, name) for name in children)
    return 0
