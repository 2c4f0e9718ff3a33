"""tools/chaos: breaks a running system in every way while clients use it, and checks that it keeps its promises."""

from __future__ import annotations

import argparse
import random
import signal
import time
from pathlib import Path
from typing import Iterator

from devkit.chaos.mutations import Mutation, all_mutations
from devkit.chaos.run import Plan, run
from devkit.console import Failure, complain, say
from devkit.home import CHECKOUT
from devkit.packages import prepare, swift_build
from devkit.settings import Settings

SECONDS = 40
EPILOG = """\
Each run starts a PostgreSQL, a NATS, and two each of orders, payments and the gateway, with a proxy on every way from
one to another. While clients open accounts, deposit, order, cancel and read, processes are killed, stopped until others
take their work, restarted and taken away, what the broker has stored is wiped, put back or forgotten, tables are held,
and connections are cut, held up, delayed and robbed of answers. Then everything is mended, and the checker compares
what there is with what the clients were promised.

A mutation breaks one rule in the databases (Tests/Chaos/mutations), and the run has to find it.

exit status: 0 when no promise was broken, or every mutation was caught; 1 otherwise; 2 when it could not be found out.
GOZON_BUILD_DIR says where built programs are, to run those instead of building a release."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/chaos",
        description="Breaks systems of its own in every way under load, and checks that they keep every promise.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the first run; others count on")
    parser.add_argument("--seconds", type=float, metavar="S", help=f"of faults ({SECONDS}; a mutation has its own)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--runs", type=int, default=1, metavar="N", help="how many runs (1)")
    length.add_argument("--minutes", type=float, metavar="M", help="as many runs as begin within so many minutes")
    parser.add_argument("--mutation", metavar="NAME", help="break this rule first, or each of them in turn: all")
    parser.add_argument("--list-mutations", action="store_true", help="list what can be broken on purpose")
    parser.add_argument("--print", action="store_true", help="print the schedule of faults, and do nothing")
    parser.add_argument("--keep", action="store_true", help="keep logs, history and data, whatever comes out")
    options = parser.parse_args(arguments)
    if options.runs < 1 or (options.seconds is not None and options.seconds <= 0):
        parser.error("--runs and --seconds are more than 0")
    if options.mutation and options.minutes is not None:
        parser.error("--mutation goes with --runs, not with --minutes")
    # Also where a shell has started it in the background, with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        return _main(options)
    except Failure as failure:
        complain(f"tools/chaos: {failure}")
        return 2


def _main(options: argparse.Namespace) -> int:
    known = all_mutations()
    if options.list_mutations:
        for mutation in known:
            say(f"{mutation.name:<22} {mutation.purpose}")
        return 0
    mutations = _chosen(options.mutation, known)
    seed = options.seed if options.seed is not None else random.randrange(1_000_000)
    plans = _plans(seed, options, mutations)
    if options.print:
        for plan in plans:
            say(f"{plan.command}\n" + "\n".join(f"  {fault}" for fault in plan.schedule))
        return 0
    programs = _programs()
    return _catch(plans, programs, options.keep) if mutations else _endure(plans, programs, options)


def _chosen(name: str | None, known: list[Mutation]) -> list[Mutation]:
    if name is None:
        return []
    chosen = [mutation for mutation in known if name in (mutation.name, "all")]
    if not chosen:
        raise Failure(f"there is no {name}: it is one of {', '.join(mutation.name for mutation in known)}, or all")
    return chosen


def _plans(seed: int, options: argparse.Namespace, mutations: list[Mutation]) -> list[Plan]:
    seeds = range(seed, seed + options.runs)
    if mutations:
        return [Plan(seed, options.seconds or one.seconds, one) for one in mutations for seed in seeds]
    return [Plan(seed, options.seconds or SECONDS) for seed in seeds]


def _programs() -> Path:
    settings = Settings.of_environment()
    prepare(build=not settings.programs, postgres=True, nats=True)
    return settings.programs or swift_build("release", CHECKOUT / ".build" / "chaos.log")


def _endure(plans: list[Plan], programs: Path, options: argparse.Namespace) -> int:
    """Runs that have to come without a breach."""
    started = time.monotonic()
    done, broken = 0, []
    for plan in _until_over(plans, options.minutes):
        say(f"seed {plan.seed}: {len(plan.schedule)} faults in {plan.seconds:g} s")
        if run(plan, programs, keep=options.keep):
            broken.append(plan)
        done += 1
    minutes = (time.monotonic() - started) / 60
    for plan in broken:
        say(f"broken: {plan.command}")
    say(f"{done} runs in {minutes:.1f} minutes, {len(broken)} with breaches")
    return 1 if broken else 0


def _until_over(plans: list[Plan], minutes: float | None) -> Iterator[Plan]:
    """The plans; with minutes given, the first one with one seed after the other until the time is over."""
    if minutes is None:
        yield from plans
        return
    end = time.monotonic() + 60 * minutes
    seed, seconds = plans[0].seed, plans[0].seconds
    while time.monotonic() < end:
        yield Plan(seed, seconds)
        seed += 1


def _catch(plans: list[Plan], programs: Path, keep: bool) -> int:
    """Runs of mutated systems, which have to break the rule that the mutation says."""
    missed = []
    for plan in plans:
        say(f"{plan.mutation.name}, seed {plan.seed}: {plan.mutation.purpose}")
        breaches = run(plan, programs, keep=keep)
        is_caught = plan.mutation.rule in {breach.rule for breach in breaches}
        if not is_caught:
            missed.append(plan)
        say(f"{plan.mutation.name} was {'caught' if is_caught else 'NOT caught'}, as {plan.mutation.rule!r}")
    for plan in missed:
        say(f"not caught: {plan.command}")
    say(f"{len(plans) - len(missed)} of {len(plans)} mutations caught")
    return 1 if missed else 0
