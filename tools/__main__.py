"""Runs one of the tools: `python3 tools up --detach` is `tools/up --detach`."""

import importlib
import sys

from devkit.console import Failure, complain

COMMANDS = ("up", "down", "test", "bench", "fuzz", "chaos", "compose_test")


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        complain(f"usage: python3 tools {'|'.join(COMMANDS)} ...")
        return 64
    command = importlib.import_module(f"devkit.{sys.argv[1]}")
    try:
        return command.main(sys.argv[2:])
    except Failure as failure:
        complain(f"tools/{sys.argv[1].replace('_', '-')}: {failure}")
        return 1
    except KeyboardInterrupt:
        return 130


sys.exit(main())
