"""Which faults happen when: made from a seed, the same for ever. No I/O."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import Sequence

SERVICES = ("orders", "orders-2", "payments", "payments-2")
GATEWAYS = ("gateway", "gateway-2")
REPLICAS = ("orders-2", "payments-2", "gateway-2")
"""What may be taken away for long, because another does the same work."""

PROCESSES = ("postgres", "nats", *SERVICES, *GATEWAYS)
LINKS = (
    *product(SERVICES, ("postgres", "nats")),
    *product(GATEWAYS, SERVICES),
    *product(("clients",), GATEWAYS),
)
"""Who connects to whom: client and server."""


@dataclass(frozen=True)
class Kind:
    """What may happen, between how many seconds it lasts, and how often it is in the deck."""

    fault: str
    shortest: float
    longest: float
    count: int


KINDS = {
    "kill": Kind("kill", 0.1, 2.5, 5),
    "kill several": Kind("kill", 0.2, 2.5, 1),
    "stop": Kind("stop", 0.5, 5, 3),
    "stop long": Kind("stop", 11, 14, 1),
    "restart": Kind("restart", 0.1, 1.5, 3),
    "wipe": Kind("wipe", 0.1, 1.5, 1),
    "rewind": Kind("rewind", 0.5, 6, 1),
    "forget": Kind("forget", 0.1, 1.5, 1),
    "backup": Kind("backup", 1, 8, 1),
    "remove": Kind("remove", 2, 10, 1),
    "cut": Kind("cut", 0.2, 4, 4),
    "blackhole": Kind("blackhole", 0.5, 6, 3),
    "blackhole long": Kind("blackhole", 11, 14, 1),
    "lose answers": Kind("lose answers", 0.2, 3, 3),
    "lose requests": Kind("lose requests", 0.5, 4, 3),
    "delay": Kind("delay", 2, 8, 3),
}
"""The long ones outlast 10 s of silence, after which others take the work of whoever is silent."""

LINK_FAULTS = ("cut", "blackhole", "lose answers", "lose requests", "delay")
BROKER_FAULTS = ("wipe", "rewind", "forget")
DELAY_MILLISECONDS = (20, 400)
FAULTS_AT_ONCE_MAX = 4
"""With more, nothing would go on that could be broken."""

STORM_SIZES = (1, 1, 2, 2, 3, 4)
STORM_SECONDS = 1.0
CALM_SECONDS = (1.5, 4.5)
"""From one storm to the next: long enough for most of what was broken to be mended and broken again."""

MARGIN_SECONDS = 0.2
"""Between two faults of the same process or connection."""


@dataclass(frozen=True)
class Card:
    """One fault that is to come: its kind, and its target unless any will do."""

    kind: str
    targets: tuple[str, ...] = ()

    @staticmethod
    def of(text: str) -> Card:
        """`kill`, `kill postgres`, `lose answers payments nats`; a ValueError for anything else."""
        kind = max((kind for kind in KINDS if f"{text} ".startswith(f"{kind} ")), key=len, default=None)
        if kind is None:
            raise ValueError(f"{text!r} begins with none of {', '.join(KINDS)}")
        targets = tuple(text[len(kind) :].split())
        if targets and targets not in _candidates(kind):
            raise ValueError(f"{text!r}: {kind} cannot happen to {' to '.join(targets)}")
        return Card(kind, targets)


def _candidates(kind: str) -> list[tuple[str, ...]]:
    """All that a fault of this kind can happen to."""
    if kind == "lose requests":
        # A service goes on taking messages, and what it says to them is lost. Other servers would just wait.
        return [link for link in LINKS if link[1] == "nats"]
    if KINDS[kind].fault in LINK_FAULTS:
        return list(LINKS)
    if kind in BROKER_FAULTS:
        return [("nats",)]
    return [(name,) for name in {"remove": REPLICAS, "backup": ("postgres",)}.get(kind, PROCESSES)]


DECK = tuple(Card(name) for name, kind in KINDS.items() for _ in range(kind.count))
"""All that may happen; it is shuffled and dealt, then shuffled again."""


@dataclass(frozen=True)
class Fault:
    """One fault: from when, for how long, what, and to whom. Times are seconds from when anything may happen."""

    at: float
    seconds: float
    kind: str
    targets: tuple[str, ...]
    """Processes; of a fault of a connection, its client and its server."""
    milliseconds: int = 0
    """By how much a delay delays."""

    @property
    def end(self) -> float:
        """When it is undone."""
        return self.at + self.seconds

    @property
    def places(self) -> tuple[str, ...]:
        """What no two faults may be at work on at the same time."""
        return (" to ".join(self.targets),) if self.kind in LINK_FAULTS else self.targets

    def __str__(self) -> str:
        where = " and ".join(self.places)
        what = {
            "kill": f"kill -9 {where}, start again after",
            "stop": f"SIGSTOP {where}, SIGCONT after",
            "restart": f"ask {where} to end, start again after",
            "wipe": f"kill -9 {where}, wipe its store, start again after",
            "rewind": f"copy the store of {where}, kill -9 and put the copy back after",
            "forget": f"kill -9 {where}, remove its consumers, start again after",
            "backup": f"hold every table of {where}, as a backup does, for",
            "remove": f"take {where} away for",
            "cut": f"cut {where} for",
            "blackhole": f"let nothing pass from {where} and back for",
            "lose answers": f"lose what comes back from {where} for",
            "lose requests": f"lose what goes from {where} for",
            "delay": f"delay {where} by {self.milliseconds} ms for",
        }[self.kind]
        return f"{self.at:6.2f} s  {what} {self.seconds:.2f} s"


def make_schedule(seed: int, seconds: float, deck: Sequence[Card] = DECK) -> list[Fault]:
    """Storms of faults, in the order of time; all of them are undone when `seconds` are over."""
    return _Planner(random.Random(f"schedule {seed}"), seconds, deck).plan()


class _Planner:
    def __init__(self, dice: random.Random, seconds: float, deck: Sequence[Card]) -> None:
        self.dice = dice
        self.seconds = seconds
        self.deck = list(deck)
        self.hand: list[Card] = []
        self.faults: list[Fault] = []
        self.uses: Counter[str] = Counter()

    def plan(self) -> list[Fault]:
        if Card("remove") in self.deck:
            self._begin_without_some()
        time = self.dice.uniform(0.2, 1.0)
        while self.deck and time < self.seconds:
            for _ in range(self.dice.choice(STORM_SIZES)):
                self._add(self._draw(), time + self.dice.uniform(0, STORM_SECONDS))
            time += self.dice.uniform(*CALM_SECONDS)
        return sorted(self.faults, key=lambda fault: (fault.at, fault.end, fault.places))

    def _begin_without_some(self) -> None:
        """Some replicas are not there from the beginning, and are added later."""
        for replica in REPLICAS:
            if self.dice.random() < 0.4:
                self._keep(Fault(0.0, round(self.seconds * self.dice.uniform(0.1, 0.6), 2), "remove", (replica,)))

    def _draw(self) -> Card:
        if not self.hand:
            self.hand = list(self.deck)
            self.dice.shuffle(self.hand)
        return self.hand.pop()

    def _add(self, card: Card, at: float) -> None:
        """Adds a fault, shortened to what is left of the time; none when that is too little, or enough is broken."""
        kind, left = KINDS[card.kind], self.seconds - at
        if left < kind.shortest:
            kind = KINDS[kind.fault]
        if left < kind.shortest:
            return
        at, seconds = round(at, 2), round(self.dice.uniform(kind.shortest, min(kind.longest, left)) - 0.005, 2)
        meanwhile = [fault for fault in self.faults if fault.at < at + seconds and at < fault.end]
        if len([fault for fault in meanwhile if fault.kind != "remove"]) >= FAULTS_AT_ONCE_MAX:
            return
        milliseconds = self.dice.randint(*DELAY_MILLISECONDS) if kind.fault == "delay" else 0
        if targets := self._targets(card, at, at + seconds):
            self._keep(Fault(at, seconds, kind.fault, targets, milliseconds))

    def _keep(self, fault: Fault) -> None:
        self.faults.append(fault)
        self.uses.update(fault.places)

    def _targets(self, card: Card, at: float, end: float) -> tuple[str, ...]:
        """Targets that no other fault is at work on then; of those, the ones that have suffered least."""
        candidates = [card.targets] if card.targets else _candidates(card.kind)
        self.dice.shuffle(candidates)
        free = [targets for targets in candidates if self._is_free(" to ".join(targets), at, end)]
        free.sort(key=lambda targets: self.uses[" to ".join(targets)])
        if card.kind == "kill several":
            return tuple(name for (name,) in free[: self.dice.randint(2, len(PROCESSES))])
        return free[0] if free else ()

    def _is_free(self, place: str, at: float, end: float) -> bool:
        return not any(
            place in fault.places and fault.at < end + MARGIN_SECONDS and at < fault.end + MARGIN_SECONDS
            for fault in self.faults
        )
