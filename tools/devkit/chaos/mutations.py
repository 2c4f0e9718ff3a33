"""Rules that are broken on purpose, to see whether the checker notices: SQL that is applied to running databases."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from devkit.chaos.fleet import Fleet
from devkit.chaos.schedule import Card
from devkit.console import Failure
from devkit.home import CHECKOUT
from devkit.postgres import DATABASES

DIRECTORY = CHECKOUT / "Tests" / "Chaos" / "mutations"


@dataclass(frozen=True)
class Mutation:
    """One broken rule.

    Its file begins with comments: what is broken, in a sentence; `breaks:`, the rule of the breach that has to be
    found; `faults:`, what has to happen for that, if anything; `seconds:`, for how long. `-- database: NAME` is
    followed by the SQL for it, run as the superuser."""

    name: str
    purpose: str
    rule: str
    deck: tuple[Card, ...]
    seconds: float
    scripts: tuple[tuple[str, str], ...]
    """Databases, and the SQL for each."""

    @staticmethod
    def of_file(path: Path) -> Mutation:
        head, *parts = re.split(r"^-- database: (\w+)$", path.read_text(), flags=re.M)
        words = dict(re.findall(r"^-- (breaks|faults|seconds): (.+)$", head, re.M))
        purpose = re.sub(r"^-- (\w+: .*)?", "", head, flags=re.M).split()
        scripts = tuple(zip(parts[::2], parts[1::2]))
        if not purpose or "breaks" not in words or not scripts or any(name not in DATABASES for name, _ in scripts):
            raise Failure(f"{path} lacks what it breaks, or the SQL for {' or '.join(DATABASES)}")
        try:
            deck = tuple(Card.of(card.strip()) for card in words.get("faults", "").split(",") if card.strip())
            return Mutation(
                path.stem, " ".join(purpose), words["breaks"], deck, float(words.get("seconds", 6)), scripts
            )
        except ValueError as error:
            raise Failure(f"{path}: {error}") from error

    def apply(self, fleet: Fleet) -> None:
        """Breaks the rule in the databases of a running system."""
        postgres = fleet.system.postgres
        for database, script in self.scripts:
            answer = subprocess.run(
                [str(postgres.programs / "psql"), "-Xq", "-v", "ON_ERROR_STOP=1"]
                + ["-d", postgres.url(database, "postgres"), "-f", "-"],
                input=script,
                capture_output=True,
                text=True,
            )
            if answer.returncode != 0:
                raise Failure(f"{self.name} cannot be applied to {database}:\n{answer.stderr}")


def all_mutations() -> list[Mutation]:
    """Those of the repository, by name."""
    return [Mutation.of_file(path) for path in sorted(DIRECTORY.glob("*.sql"))]
