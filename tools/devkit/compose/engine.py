"""A Docker engine of our own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

from devkit.compose.waiting import wait
from devkit.console import Failure, last_lines, run_step
from devkit.home import CHECKOUT
from devkit.packages import CACHE

HERE = CACHE / "compose"
"""What is kept for the next time."""

PROJECT = "gozon-compose-test"
ENGINE_SECONDS = 60


class Engine:
    """A Docker engine of our own, reached by its socket."""

    def __init__(self, socket: Path) -> None:
        # /usr/bin first: Debian's client fits Debian's engine, whatever else is installed.
        path = f"/usr/bin:{os.environ['PATH']}"
        self.environment = {
            **os.environ, "PATH": path, "DOCKER_HOST": f"unix://{socket}", "DOCKER_BUILDKIT": "1",
            "COMPOSE_PROJECT_NAME": PROJECT,
        }  # fmt: skip

    def run(self, *arguments: str, given: str | None = None) -> str:
        answer = subprocess.run(
            ["/usr/bin/docker", *arguments], env=self.environment, input=given, capture_output=True, text=True)
        if answer.returncode != 0:
            raise Failure(f"docker {' '.join(arguments[:3])} failed:\n{answer.stderr}")
        return answer.stdout.strip()

    def step(self, title: str, command: list[str]) -> None:
        run_step(title, command, HERE / "step.log", cwd=CHECKOUT, environment=self.environment)

    def has(self, image: str) -> bool:
        return bool(self.run("images", "-q", image))


@contextlib.contextmanager
def running_engine() -> Iterator[Engine]:
    HERE.mkdir(parents=True, exist_ok=True)
    # The path of a socket may have 107 bytes (unix(7)).
    with tempfile.TemporaryDirectory(prefix="gozon-docker-") as run, (HERE / "engine.log").open("wb") as log:
        socket = Path(run) / "docker.sock"
        process = subprocess.Popen(
            ["/usr/sbin/dockerd", "--data-root", str(HERE / "data"), "--exec-root", f"{run}/exec"]
            + ["--host", f"unix://{socket}", "--pidfile", f"{run}/docker.pid"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            engine = Engine(socket)
            wait("the Docker engine is up", ENGINE_SECONDS, lambda: bool(engine.run("version", "-f", "{{.Server.Version}}")))
            yield engine
        except Failure as failure:
            if process.poll() is not None:
                raise Failure(f"the Docker engine ended\n{last_lines(HERE / 'engine.log')}") from failure
            raise
        finally:
            process.terminate()
            try:
                process.wait(ENGINE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
