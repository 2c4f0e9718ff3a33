"""One run: a system of its own, load, faults, and what the checker says in the end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from devkit.chaos.breach import Breach
from devkit.chaos.checker import check
from devkit.chaos.faults import carry_out
from devkit.chaos.final import read_final, wait_settled
from devkit.chaos.fleet import Fleet
from devkit.chaos.load import Load
from devkit.chaos.mutations import Mutation
from devkit.chaos.schedule import DECK, Fault, make_schedule
from devkit.console import say
from devkit.home import Home

CALM_SECONDS = 2
"""Of load before the first fault is due, and after everything is ready again."""

QUIET_SECONDS = 0.5
"""When everything is settled, before it is read: what happens then should not."""

READY_SECONDS = 60
SETTLE_SECONDS = 120
"""However an order's events were lost, they are sent again within about a minute."""

SETTLE_MUTATED_SECONDS = 5
BREACHES_SHOWN = 3
"""Of each rule; where one is broken, it is often broken many times."""


@dataclass(frozen=True)
class Plan:
    """What a run is to do."""

    seed: int
    seconds: float
    mutation: Mutation | None = None

    @property
    def schedule(self) -> list[Fault]:
        return make_schedule(self.seed, self.seconds, self.mutation.deck if self.mutation else DECK)

    @property
    def command(self) -> str:
        """What does the same again."""
        mutation = f" --mutation {self.mutation.name}" if self.mutation else ""
        return f"tools/chaos --seed {self.seed} --seconds {self.seconds:g}{mutation}"


def run(plan: Plan, programs: Path, *, keep: bool = False) -> list[Breach]:
    """Does it, telling how it goes; the breaches. Everything is kept when nobody expected them, or it is asked for."""
    directory = Path(tempfile.mkdtemp(prefix="gozon-chaos-"))
    directory.chmod(0o755)  # The user that PostgreSQL runs as has to reach it.
    try:
        breaches = _run(plan, programs, directory)
    except Exception:
        say(f"  its logs are in {directory}/home/log")
        raise
    except KeyboardInterrupt:
        shutil.rmtree(directory)
        raise
    _show(breaches)
    if keep or (breaches and not plan.mutation):
        (directory / "breaches").write_text("".join(f"{breach}\n" for breach in breaches))
        say(f"  breaches, faults, history.ndjson, final.json and home/log are in {directory}")
        say(f"  again: {plan.command}")
    else:
        shutil.rmtree(directory)
    return breaches


def _show(breaches: list[Breach]) -> None:
    for rule, count in Counter(breach.rule for breach in breaches).items():
        texts = [breach.text for breach in breaches if breach.rule == rule]
        say("\n".join(f"  BREACH {rule}: {text}" for text in texts[:BREACHES_SHOWN]))
        if count > BREACHES_SHOWN:
            say(f"    and {count - BREACHES_SHOWN} more of these")


def _run(plan: Plan, programs: Path, directory: Path) -> list[Breach]:
    fleet = Fleet(Home(directory / "home"), programs)
    try:
        fleet.start()
        if plan.mutation:
            plan.mutation.apply(fleet)
        load = Load(plan.seed, fleet.public_addresses)
        unready = _under_load(plan, fleet, load, directory / "faults")
        load.history.save(directory / "history.ndjson")
        say(f"  {load.history.summary()}")
        settled = wait_settled(fleet, SETTLE_MUTATED_SECONDS if plan.mutation else SETTLE_SECONDS)
        say("  not every order was settled" if settled is None else f"  settled {settled:.1f} s after the load")
        time.sleep(QUIET_SECONDS)
        fleet.revive()
        final = read_final(fleet)
        (directory / "final.json").write_text(json.dumps(asdict(final)))
        breaches = [Breach("process", text) for text in (*fleet.mistakes, *unready)]
        breaches += [Breach("answer", text) for text in load.mistakes]
        return breaches + check(load.history.operations, final) + _verify(fleet, programs)
    finally:
        fleet.close()


def _under_load(plan: Plan, fleet: Fleet, load: Load, log: Path) -> list[str]:
    """The schedule amid a running load, which goes on until everything was mended; what was not ready after it. The log
    tells when each fault began, by the clock of the history."""

    def show(fault: Fault) -> None:
        say(f"  {fault}")
        with log.open("a") as file:
            file.write(f"{load.now():.3f} s: {fault}\n")

    try:
        load.open_accounts()
        load.start()
        time.sleep(CALM_SECONDS)
        started = time.monotonic()
        carry_out(plan.schedule, fleet, show)
        time.sleep(max(0.0, started + plan.seconds - time.monotonic()))
        mended = time.monotonic()
        fleet.revive()
        unready = fleet.wait_ready(READY_SECONDS)
        say(f"  everything was ready again after {time.monotonic() - mended:.1f} s")
        time.sleep(CALM_SECONDS)
        return unready
    finally:
        load.stop()


def _verify(fleet: Fleet, programs: Path) -> list[Breach]:
    """What the client tool finds in both databases."""
    tool = str(programs / "gozon")
    if "verify" not in subprocess.run([tool, "--help"], capture_output=True, text=True).stdout:
        say("  gozon verify is not there yet: left out")
        return []
    environment = {**os.environ, **fleet.system.addresses}
    answer = subprocess.run([tool, "verify"], env=environment, capture_output=True, text=True)
    if answer.returncode == 0:
        return []
    return [Breach("verify", f"gozon verify ended with {answer.returncode}:\n{answer.stdout}{answer.stderr}")]
