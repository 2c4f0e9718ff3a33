"""Where the checkout is, and the home that holds everything one running system keeps."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from devkit.console import say

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Home:
    """$GOZON_HOME: state, pid files, logs and addresses of one system. Two homes never touch each other."""

    path: Path

    @staticmethod
    def of_environment() -> Home:
        return Home(Path(os.environ.get("GOZON_HOME") or CHECKOUT / ".gozon").absolute())

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def nats(self) -> Path:
        return self.path / "nats"

    @property
    def postgres(self) -> Path:
        """Where the cluster is; a link when the user that PostgreSQL runs as cannot reach the home."""
        return self.path / "postgres"

    @property
    def ports_file(self) -> Path:
        return self.path / "ports.json"

    @property
    def env_file(self) -> Path:
        """The addresses of the running system as shell exports; tools/gozon reads it."""
        return self.path / "env"

    def create(self) -> None:
        for directory in (self.run, self.log):
            directory.mkdir(parents=True, exist_ok=True)

    def saved_ports(self) -> dict[str, int]:
        """The ports in use or last used; empty for a new home."""
        try:
            return json.loads(self.ports_file.read_text())
        except (OSError, ValueError):
            return {}

    def save_ports(self, ports: dict[str, int]) -> None:
        write_whole(self.ports_file, json.dumps(ports, indent=2) + "\n")

    def wipe(self) -> None:
        """Removes the state of a stopped system, and nothing else that somebody may keep in the same directory."""
        if self.postgres.is_symlink():
            shutil.rmtree(self.postgres.resolve().parent, ignore_errors=True)
            self.postgres.unlink()
        for path in (self.postgres, self.nats, self.log, self.run):
            shutil.rmtree(path, ignore_errors=True)
        for file in (self.ports_file, self.env_file):
            file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One tool at a time starts or stops what is in a home."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"another tool is at work in {self.path}: waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Replaces a file at once: a reader sees the old text or the new, never a part."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    draft.replace(path)
