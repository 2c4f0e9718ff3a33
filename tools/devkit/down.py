"""tools/down: stops what tools/up started."""

from __future__ import annotations

import argparse

from devkit.console import say
from devkit.home import Home
from devkit.processes import stop_all


def main(arguments: list[str]) -> int:
    argparse.ArgumentParser(
        prog="tools/down",
        description="Stops everything that runs in $GOZON_HOME (.gozon in the checkout). Loses nothing: tools/up "
        "finds every order as it was.",
    ).parse_args(arguments)
    home = Home.of_environment()
    if not home.run.exists():
        say(f"nothing was ever started in {home.path}")
        return 0
    with home.locked():
        stopped = stop_all(home)
    say("Gozon is down." if stopped else "Nothing was running.")
    return 0
