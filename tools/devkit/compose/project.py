"""docker-compose.yml as a running project."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Iterator

from devkit.compose.engine import Engine
from devkit.compose.waiting import wait
from devkit.console import Failure, complain, say
from devkit.home import CHECKOUT
from devkit.settings import any_free_port

READY_SECONDS = 180
"""How long the containers may take until all are healthy."""


class Compose:
    """docker-compose.yml as a running project, on ports that are free."""

    def __init__(self, engine: Engine, file: Path, variables: Path | None) -> None:
        self.engine = engine
        self.ports = [any_free_port()]
        self.ports.append(any_free_port({self.ports[0]}))
        self.environment = {
            **engine.environment, "GOZON_HTTP_PORT": str(self.ports[0]), "GOZON_HTTP_PORT_2": str(self.ports[1])}
        self.command = ["docker-compose", "--file", str(file), "--project-directory", str(CHECKOUT)]
        if variables is not None:
            lines = [line for line in variables.read_text().splitlines() if line and not line.startswith("#")]
            self.environment.update(line.split("=", 1) for line in lines)

    def run(self, *arguments: str) -> str:
        answer = subprocess.run(
            [*self.command, *arguments], env=self.environment, cwd=CHECKOUT, capture_output=True, text=True)
        if answer.returncode != 0:
            raise Failure(f"docker-compose {' '.join(arguments)} failed:\n{answer.stdout}{answer.stderr}")
        return answer.stdout

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def container(self, service: str) -> str:
        return self.run("ps", "-q", service).strip()

    def health(self) -> dict[str, str]:
        """What the engine says of each container."""
        found = self.run("ps", "-q").split()
        states = json.loads(self.engine.run("inspect", *found)) if found else []
        return {
            state["Config"]["Labels"]["com.docker.compose.service"]:
                state["State"].get("Health", {}).get("Status", state["State"]["Status"])
            for state in states
        }  # fmt: skip

    def wait_until_healthy(self) -> None:
        def is_healthy() -> bool:
            health = self.health()
            return bool(health) and all(status == "healthy" for status in health.values())

        wait(lambda: f"all containers are healthy (they are {self.health()})", READY_SECONDS, is_healthy)

    def verify(self) -> None:
        """The books, by the client tool in a container."""
        say("  gozon verify ...")
        self.run("run", "--rm", "-T", "gozon", "verify")


@contextlib.contextmanager
def up(engine: Engine, title: str, variables: Path | None = None) -> Iterator[Compose]:
    say(f"\n{title}")
    with tempfile.TemporaryDirectory(prefix="gozon-compose-") as directory:
        # Debian 12 has the first docker-compose, which does not know a project's name in the file.
        file = Path(directory) / "docker-compose.yml"
        lines = (CHECKOUT / "docker-compose.yml").read_text().splitlines(keepends=True)
        file.write_text("".join(line for line in lines if not line.startswith("name:")))
        compose = Compose(engine, file, variables)
        try:
            say("  docker-compose up ...")
            began = time.monotonic()
            compose.run("up", "--detach", "--no-build")
            compose.wait_until_healthy()
            say(f"  healthy after {time.monotonic() - began:.0f} s: {', '.join(sorted(compose.health()))}")
            yield compose
        except Failure:
            complain(_tail(compose))
            raise
        finally:
            compose.run("down", "--volumes", "--remove-orphans", "--timeout", "30")


def _tail(compose: Compose) -> str:
    try:
        return compose.run("logs", "--tail", "15", "--no-color")
    except Failure as failure:
        return str(failure)
