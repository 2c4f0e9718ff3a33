"""The images that the Dockerfile and the compose file name, made here, and then ours."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from devkit.compose.engine import HERE, Engine
from devkit.console import Failure, say
from devkit.home import CHECKOUT
from devkit.packages import nats_server

STAND_INS = CHECKOUT / "tools" / "compose" / "stand-ins"


def make_images(engine: Engine) -> None:
    """Makes those that are missing, and ours anew."""
    if not engine.has("debian:bookworm-slim"):
        root = HERE / "debian"
        shutil.rmtree(root, ignore_errors=True)
        engine.step("making debian:bookworm-slim", [str(STAND_INS / "debian.sh"), str(root)])
        _import(engine, f"tar -C {root} -c .", "debian:bookworm-slim", "CMD bash")
        shutil.rmtree(root)
    if not engine.has("swift:6.3-bookworm"):
        say("taking this machine's toolchain ...")
        toolchain = _toolchain()
        _import(engine, f"tar -C {toolchain} --exclude='*lldb*' --exclude='*.artifactbundle' -c usr", "gozon-toolchain")
        _stand_in(engine, "swift:6.3-bookworm", "swift")
        engine.run("image", "rm", "gozon-toolchain")
    if not engine.has("postgres:15"):
        _stand_in(engine, "postgres:15", "postgres", STAND_INS / "postgres-entrypoint.sh")
    if not engine.has("nats:2-alpine"):
        _stand_in(engine, "nats:2-alpine", "nats", nats_server())
    engine.step(
        "building the image gozon with tools/Dockerfile",
        ["/usr/bin/docker", "build", "--network", "host", "-f", "tools/Dockerfile", "-t", "gozon", "."])


def _toolchain() -> Path:
    swift = shutil.which("swift")
    if swift is None:
        raise Failure("there is no Swift toolchain on the PATH: install Swift 6.3 or newer (https://swift.org/install)")
    return Path(swift).resolve().parents[2]


def _import(engine: Engine, archive: str, image: str, *changes: str) -> None:
    flags = " ".join(f"--change '{change}'" for change in changes)
    engine.step(f"importing {image}", ["bash", "-eu", "-o", "pipefail", "-c", f"{archive} | docker import {flags} - {image}"])


def _stand_in(engine: Engine, image: str, name: str, *files: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="gozon-image-") as context:
        for file in files:
            shutil.copy(file, context)
        engine.step(
            f"making {image}",
            ["/usr/bin/docker", "build", "--network", "host", "-f", str(STAND_INS / f"{name}.Dockerfile"), "-t", image]
            + [context])
