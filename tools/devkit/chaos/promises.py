"""What a history comes to: what was asked for, what was promised, and what was seen of it. No I/O."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from math import inf
from typing import Any, Iterable, Iterator, Mapping

from devkit.chaos.history import Operation


@dataclass
class Write:
    """Something that was to be done once, however often it was asked for."""

    name: str
    """How sentences call it."""
    user: str | None
    amount: int | None
    order: str | None
    """The caller's own id of an order."""
    invoked: float
    acknowledged: float = inf
    """When somebody was first told that it is done."""
    answers: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def is_acknowledged(self) -> bool:
        return self.acknowledged < inf


@dataclass(frozen=True)
class Sighting:
    """An order as somebody saw it."""

    operation: Operation
    status: str
    reason: str | None
    cancel_requested_at: str | None
    order: Mapping[str, Any] | None
    """All of it; None when only its timeline was seen."""

    @staticmethod
    def of_order(operation: Operation, order: Mapping[str, Any]) -> Sighting:
        return Sighting(operation, order["status"], order.get("reason"), order.get("cancelRequestedAt"), order)

    @staticmethod
    def of_timeline(operation: Operation) -> Sighting:
        events = {event["kind"]: event for event in operation.answer["events"]}
        status = next((kind for kind in ("REFUNDED", "CANCELLED", "FINISHED") if kind in events), "NEW")
        requested = events.get("CANCEL_REQUESTED", {}).get("at")
        return Sighting(operation, status, events.get("CANCELLED", {}).get("reason"), requested, None)

    @property
    def invoked(self) -> float:
        return self.operation.invoked

    @property
    def returned(self) -> float:
        return self.operation.returned

    def __str__(self) -> str:
        asked = " with cancelRequestedAt" if self.cancel_requested_at else ""
        return f"{' '.join(filter(None, (self.status, self.reason)))}{asked} ({self.operation})"


class Promises:
    """A history, sorted by what its operations are about."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.operations = sorted(operations, key=lambda operation: operation.invoked)
        self.openings: dict[str, Write] = {}
        """By user."""
        self.deposits: dict[str | tuple[str, int], Write] = {}
        """By Idempotency-Key; without one, by user and amount."""
        self.orders: dict[str, Write] = {}
        """By label."""
        self.cancels: dict[str, Write] = {}
        """By order."""
        self.sightings: dict[str, list[Sighting]] = defaultdict(list)
        """By order, in the order of their beginnings."""
        self.known_since: dict[str, float] = {}
        """By order: when somebody was first told that it exists."""
        for operation in self.operations:
            self._take_write(operation)
            if operation.is_answered:
                self._take_sightings(operation)
        self._placed_by_id = {write.order: write for write in self.orders.values() if write.order}
        self._deposits_by_id = {answer["id"]: write for write in self.deposits.values() for answer in write.answers}
        self._deposits_by_amount = {(write.user, write.amount): write for write in self.deposits.values()}

    @property
    def keyed_orders(self) -> Iterator[Write]:
        """Orders that are known by a key, whose answers are all the first one."""
        return (write for write in self.orders.values() if write.order is None)

    def placement(self, order: Mapping[str, Any]) -> Write | None:
        """Who placed an order: its id or its description tells."""
        return self._placed_by_id.get(order["id"]) or self.orders.get(order["description"])

    def deposit(self, user: str, entry: Mapping[str, Any]) -> Write | None:
        """Who made the deposit of an entry: its id tells once somebody was told it, and else its amount, which no
        other deposit on the account has."""
        return self._deposits_by_id.get(entry["depositId"]) or self._deposits_by_amount.get((user, entry["amount"]))

    def first_seen(self, order: str, *statuses: str) -> float:
        """When somebody had first seen an order with one of the statuses."""
        sightings = self.sightings.get(order, ())
        return min((seen.returned for seen in sightings if seen.status in statuses), default=inf)

    def _take_write(self, operation: Operation) -> None:
        match operation.kind:
            case "open":
                writes, key, name = self.openings, operation.user, f"the account of {operation.user}"
            case "deposit":
                writes, key = self.deposits, operation.key or (operation.user, operation.amount)
                name = f"the deposit of {operation.amount} to {operation.user} under the key {operation.key}"
            case "order":
                writes, key = self.orders, operation.label
                name = f"the order {operation.order or ''} ({operation.label})".replace("  ", " ")
            case "cancel":
                writes, key, name = self.cancels, operation.order, f"the cancellation of {operation.order}"
            case _:
                return
        write = writes.setdefault(
            key, Write(name, operation.user, operation.amount, operation.order, operation.invoked)
        )
        if operation.is_answered:
            write.acknowledged = min(write.acknowledged, operation.returned)
            write.answers.append(operation.answer)

    def _take_sightings(self, operation: Operation) -> None:
        match operation.kind:
            case "order" | "cancel" | "look":
                seen = [operation.answer]
            case "list":
                seen = operation.answer["orders"]
            case "timeline":
                self._see(operation.order, Sighting.of_timeline(operation))
                return
            case _:
                return
        for order in seen:
            if operation.kind == "order" and operation.key:
                # The first answer to the key, however long ago that was.
                self._know(order["id"], operation.returned)
            else:
                self._see(order["id"], Sighting.of_order(operation, order))

    def _see(self, order: str, sighting: Sighting) -> None:
        self.sightings[order].append(sighting)
        self._know(order, sighting.returned)

    def _know(self, order: str, since: float) -> None:
        self.known_since[order] = min(since, self.known_since.get(order, inf))
