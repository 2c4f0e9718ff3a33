"""tools/compose-test: docker-compose.yml for real."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import time

from devkit.compose.checks import check_cluster, check_single
from devkit.compose.engine import HERE, running_engine
from devkit.compose.images import make_images
from devkit.console import Failure, complain, say
from devkit.packages import prepare


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/compose-test",
        description="Builds the image with tools/Dockerfile, brings the system up with docker-compose.yml, takes the "
        "README's tour, kills each container in turn, checks the books, and tears everything down; then the same with "
        "two of each service and three NATS servers, of which it loses each under load. Needs root: it starts a Docker "
        "engine of its own. The first time takes long: base images are made from Debian's packages and this machine's "
        "Swift. The last line is `N passed, N failed`.",
    )
    parser.add_argument("--only", choices=("single", "cluster"), help="one of the two systems")
    parser.add_argument("--forget", action="store_true", help="remove what earlier runs have kept, and do nothing else")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.forget:
        shutil.rmtree(HERE, ignore_errors=True)
        return 0
    if os.geteuid() != 0:
        raise Failure("only root can start a Docker engine: sudo tools/compose-test")
    prepare(nats=True, others=["curl", "debootstrap", "docker.io", "docker-compose", "iptables"])

    started = time.monotonic()
    passed, failed = 0, 0
    checks = {"single": check_single, "cluster": check_cluster}
    with running_engine() as engine:
        make_images(engine)
        for name, check in checks.items():
            if options.only in (None, name):
                try:
                    check(engine)
                    passed += 1
                except Failure as failure:
                    complain(f"{name}: {failure}")
                    failed += 1
    say(f"\ntook {time.monotonic() - started:.0f} s")
    say(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
