"""Whether everybody saw things happen in one order, and in time: what was acknowledged before somebody looked was
there, and what was asked for later was not.

The history of an account is known: its ledger. So it is enough that each entry, and each read, which saw the account
between two entries, may have happened somewhere between its beginning and its end without contradicting another. Where
the order of a ledger contradicts that of time, there are two that contradict each other; a test compares this with a
search through all orders."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate
from math import inf
from typing import Any, Iterator, Mapping, Sequence

from devkit.chaos.breach import Breach
from devkit.chaos.history import Operation
from devkit.chaos.promises import Promises, Sighting, Write

FOLLOWING = {
    "NEW": ("NEW", "FINISHED", "CANCELLED", "REFUNDED"),
    "FINISHED": ("FINISHED", "REFUNDED"),
    "CANCELLED": ("CANCELLED",),
    "REFUNDED": ("REFUNDED",),
}
"""What an order may be, once it was something."""


@dataclass(frozen=True)
class Step:
    """Something that happened to an account: not before it was asked for, and not after somebody had seen it."""

    name: str
    invoked: float
    seen: float


class Ledger:
    """The steps of an account: its opening, then its entries. After step k it holds `balances[k]`."""

    def __init__(self, user: str, entries: Sequence[Mapping[str, Any]], steps: Sequence[Step]) -> None:
        self.user = user
        self.entries = entries
        self.steps = steps
        self.balances = [0, *(entry["balance"] for entry in entries)]
        # For each time: the last step that had been seen by then, and the first that had not been asked for.
        seen = sorted((step.seen, position) for position, step in enumerate(steps))
        self._seen_at = [time for time, _ in seen]
        self._last_seen = list(accumulate((position for _, position in seen), max))
        invoked = sorted((step.invoked, position) for position, step in enumerate(steps))
        self._invoked_at = [time for time, _ in invoked]
        self._first_unasked = list(accumulate((position for _, position in reversed(invoked)), min))[::-1]

    def least(self, time: float) -> int:
        """The step that the account had reached at least, whoever began to look then; -1 before its opening."""
        index = bisect_left(self._seen_at, time)
        return self._last_seen[index - 1] if index else -1

    def most(self, time: float) -> int:
        """The step that it had reached at most, whoever had looked by then."""
        index = bisect_right(self._invoked_at, time)
        return self._first_unasked[index] - 1 if index < len(self._invoked_at) else len(self.steps) - 1

    def told(self, position: int) -> str:
        """What had happened at a step, for sentences."""
        return self.steps[position].name if position >= 0 else "nothing"


def accounts_in_time(
    promises: Promises,
    statements: Mapping[str, Sequence[Mapping[str, Any]]],
    orders: Mapping[str, Mapping[str, Any]],
) -> Iterator[Breach]:
    """Each account's ledger against everything that was acknowledged and seen."""
    reads: dict[str, list[Operation]] = {}
    for operation in promises.operations:
        if operation.kind in ("account", "statement") and operation.status in (200, 404):
            reads.setdefault(operation.user, []).append(operation)
    for user in reads.keys() - statements.keys():
        for read in reads[user]:
            if read.is_answered:
                yield Breach("lost", f"{read} saw the account of {user}, which is not there")
    for user, entries in statements.items():
        ledger = Ledger(user, entries, _steps(promises, user, entries, orders))
        yield from _steps_in_time(ledger)
        yield from _reads_in_time(ledger, reads.get(user, []))
        yield from _refusals_in_time(ledger, promises, orders)


def _steps(
    promises: Promises,
    user: str,
    entries: Sequence[Mapping[str, Any]],
    orders: Mapping[str, Mapping[str, Any]],
) -> list[Step]:
    opening = promises.openings.get(user)
    steps = [_step(f"the opening of {user}", opening)]
    for entry in entries:
        name = f"entry {entry['id']} ({entry['kind']} of {entry['amount']})"
        if entry["kind"] == "DEPOSIT":
            steps.append(_step(name, promises.deposit(user, entry)))
            continue
        id = entry["orderId"]
        order = orders.get(id)
        if entry["kind"] == "CHARGE":
            placement = promises.placement(order) if order else None
            seen = promises.first_seen(id, "FINISHED", "REFUNDED")
            steps.append(Step(name, placement.invoked if placement else -inf, seen))
        else:
            cancel = promises.cancels.get(id)
            steps.append(Step(name, cancel.invoked if cancel else -inf, promises.first_seen(id, "REFUNDED")))
    return steps


def _step(name: str, write: Write | None) -> Step:
    return Step(name, write.invoked, write.acknowledged) if write else Step(name, -inf, inf)


def _steps_in_time(ledger: Ledger) -> Iterator[Breach]:
    latest = ledger.steps[0]
    for step in ledger.steps[1:]:
        if step.seen < latest.invoked:
            yield Breach(
                "real time",
                f"{step.name} of {ledger.user} was seen by {step.seen:.3f} s, and stands behind {latest.name}, "
                f"which nobody had asked for before {latest.invoked:.3f} s",
            )
        if step.invoked > latest.invoked:
            latest = step


def _reads_in_time(ledger: Ledger, reads: Sequence[Operation]) -> Iterator[Breach]:
    """Finds for each read, in the order of their beginnings, the first step that it may have seen: no read that begins
    later can need an earlier one."""
    ended: list[tuple[float, int, str]] = []
    reached, reached_by = -1, ""
    for read in sorted(reads, key=lambda read: read.invoked):
        while ended and ended[0][0] < read.invoked:
            _, position, name = heapq.heappop(ended)
            if position > reached:
                reached, reached_by = position, name
        least, most = ledger.least(read.invoked), ledger.most(read.returned)
        first = max(least, reached)
        position = next((at for at in range(first, most + 1) if _is_seen(ledger, read, at)), None)
        if position is not None:
            heapq.heappush(ended, (read.returned, position, str(read)))
            continue
        why = f"at least {ledger.told(least)} had happened"
        if reached > least:
            why = f"{reached_by} had seen at least {ledger.told(reached)} before"
        yield Breach(
            "real time",
            f"{read} of {ledger.user} saw {_seen(read)}, which the account never was then: {why}, and "
            f"{'everything' if most == len(ledger.steps) - 1 else f'at most {ledger.told(most)}'} may have",
        )


def _is_seen(ledger: Ledger, read: Operation, position: int) -> bool:
    """Whether a read saw the account right after a step."""
    if position < 0 or read.status == 404:
        return position < 0 and read.status == 404
    if read.kind == "account":
        return read.answer["balance"] == ledger.balances[position]
    seen = read.answer["entries"]
    if len(seen) < position and not read.answer["nextPageToken"] or len(seen) > position:
        return False
    return seen == list(reversed(ledger.entries[position - len(seen) : position]))


def _seen(read: Operation) -> str:
    if read.status == 404:
        return "no account"
    if read.kind == "account":
        return f"a balance of {read.answer['balance']}"
    entries = read.answer["entries"]
    return f"{len(entries)} entries, the newest {entries[0] if entries else 'none'}"


def _refusals_in_time(
    ledger: Ledger, promises: Promises, orders: Mapping[str, Mapping[str, Any]]
) -> Iterator[Breach]:
    """Nothing is refused for lack of money that was there all the time."""
    for id, order in orders.items():
        if order["userId"] != ledger.user or order.get("reason") != "INSUFFICIENT_FUNDS":
            continue
        placement = promises.placement(order)
        least = max(0, ledger.least(placement.invoked if placement else -inf))
        most = ledger.most(promises.first_seen(id, "CANCELLED"))
        lowest = min(ledger.balances[least : most + 1], default=0)
        if lowest >= order["amount"]:
            yield Breach(
                "refusal",
                f"the order {id} of {order['amount']} was refused for lack of money, and {ledger.user} had at least "
                f"{lowest} from {ledger.told(least)} to {ledger.told(most)}",
            )


def orders_in_time(promises: Promises, orders: Mapping[str, Mapping[str, Any]]) -> Iterator[Breach]:
    """What was seen of each order: nothing that was there goes away, no status goes back."""
    yield from _missing_in_time(promises, orders)
    for id, sightings in promises.sightings.items():
        final = orders.get(id)
        if final is None:
            yield Breach("lost", f"the order {id} was seen as {sightings[0]}, and is not there")
            continue
        yield from _sightings_in_time(id, sightings)
        for sighting in sightings:
            yield from _compared_with_end(id, sighting, final)


def _missing_in_time(promises: Promises, orders: Mapping[str, Mapping[str, Any]]) -> Iterator[Breach]:
    """Orders that somebody had been told of, and that were not found later."""
    known_of: dict[str, list[tuple[str, float]]] = {}
    for id, since in promises.known_since.items():
        if id in orders:
            known_of.setdefault(orders[id]["userId"], []).append((id, since))
    for operation in promises.operations:
        if operation.kind in ("look", "timeline", "cancel") and operation.status == 404:
            since = promises.known_since.get(operation.order, inf)
            if since < operation.invoked:
                missing = f"did not find the order {operation.order}, which was known at {since:.3f} s"
                yield Breach("real time", f"{operation} {missing}")
        if operation.kind == "list" and operation.is_answered and not operation.answer["nextPageToken"]:
            listed = {order["id"] for order in operation.answer["orders"]}
            for id, since in known_of.get(operation.user, ()):
                if since < operation.invoked and id not in listed:
                    yield Breach("real time", f"{operation} lacks the order {id}, which was known at {since:.3f} s")


def _sightings_in_time(id: str, sightings: Sequence[Sighting]) -> Iterator[Breach]:
    """Each against what was seen before it began: the furthest status, and whether a cancellation was asked for."""
    ended: list[tuple[float, int]] = []
    furthest: Sighting | None = None
    requested: Sighting | None = None
    for index, sighting in enumerate(sightings):
        while ended and ended[0][0] < sighting.invoked:
            earlier = sightings[heapq.heappop(ended)[1]]
            if furthest is None or earlier.status in FOLLOWING[furthest.status]:
                furthest = earlier
            if earlier.cancel_requested_at:
                requested = earlier
        heapq.heappush(ended, (sighting.returned, index))
        if furthest and sighting.status not in FOLLOWING[furthest.status]:
            yield Breach("status", f"the order {id} was seen as {furthest}, and later as {sighting}")
        if requested and not sighting.cancel_requested_at:
            yield Breach("status", f"the order {id} was seen as {requested}, and later as {sighting}")


def _compared_with_end(id: str, sighting: Sighting, final: Mapping[str, Any]) -> Iterator[Breach]:
    if final["status"] not in FOLLOWING[sighting.status]:
        yield Breach("status", f"the order {id} was seen as {sighting}, and is {final['status']} in the end")
        return
    requested_at = final.get("cancelRequestedAt")
    if sighting.cancel_requested_at not in (None, requested_at):
        yield Breach("status", f"the order {id} was seen as {sighting}, and its cancelRequestedAt is {requested_at}")
    if sighting.order is None:
        return
    is_same = (sighting.status, sighting.cancel_requested_at) == (final["status"], requested_at)
    names = {*sighting.order, *final} if is_same else ("userId", "amount", "currency", "description", "createdAt")
    changed = sorted(name for name in names if sighting.order.get(name) != final.get(name))
    if changed:
        yield Breach("changed", f"{', '.join(changed)} of the order {id}, seen as {sighting.order}: {final}")
