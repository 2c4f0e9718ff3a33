"""Compares what clients were promised with what there is in the end. No I/O."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Iterable, Iterator, Mapping, Sequence

from devkit.chaos.breach import Breach
from devkit.chaos.history import Operation
from devkit.chaos.promises import Promises, Write
from devkit.chaos.realtime import accounts_in_time, orders_in_time

OUTCOMES = {
    ("FINISHED", None): 1,
    ("REFUNDED", None): 1,
    ("CANCELLED", "INSUFFICIENT_FUNDS"): 2,
    ("CANCELLED", "NO_ACCOUNT"): 3,
    ("CANCELLED", "CURRENCY_MISMATCH"): 4,
    ("CANCELLED", "CANCELLED_BY_USER"): 5,
}
"""What the charge of an order says when the order stands there; the numbers are those of the schema of events."""


@dataclass(frozen=True)
class Charge:
    """A row of the charges of payments."""

    order: str
    user: str
    amount: int
    outcome: int


@dataclass(frozen=True)
class FinalState:
    """Everything that is there when nothing moves any more. Accounts, entries and orders are as HTTP tells of them."""

    accounts: Mapping[str, Mapping[str, Any]]
    """By user."""
    statements: Mapping[str, Sequence[Mapping[str, Any]]]
    """By user, oldest first."""
    orders: Sequence[Mapping[str, Any]]
    charges: Sequence[Charge]
    rows: Mapping[str, int]
    """How many accounts, entries and orders the tables hold, whatever HTTP tells."""
    waiting: int = 0
    """What orders still wants payments to do."""
    dead: int = 0
    """Messages that were given up."""


def check(history: Iterable[Operation], final: FinalState) -> list[Breach]:
    """Every promise that was not kept, and every rule that does not hold."""
    promises = Promises(history)
    statements = {user: list(final.statements.get(user, ())) for user in {**final.accounts, **final.statements}}
    orders = {order["id"]: order for order in final.orders}
    return [
        *_answers(promises),
        *_timelines(promises),
        *_refusals(promises),
        *_accounts(promises, final),
        *_deposits(promises, statements),
        *_orders(promises, final),
        *_cancellations(promises, orders),
        *_ledgers(promises, final.accounts, statements),
        *_charges_and_refunds(orders, statements),
        *_unsettled(orders, final.waiting),
        *_decisions(promises, orders, final.charges),
        *_leftovers(final, statements),
        *accounts_in_time(promises, statements, orders),
        *orders_in_time(promises, orders),
    ]


# What was answered


def _answers(promises: Promises) -> Iterator[Breach]:
    """A key has one answer, and answers are about what was asked."""
    for write in (*promises.openings.values(), *promises.deposits.values(), *promises.orders.values()):
        for answer in write.answers:
            if answer["userId"] != write.user or answer.get("amount", write.amount) != write.amount:
                yield Breach("answer", f"{write.name} was answered with something else: {answer}")
            elif write.order and answer["id"] != write.order:
                yield Breach("answer", f"{write.name} was answered with another order: {answer}")
    for write in (*promises.openings.values(), *promises.deposits.values(), *promises.keyed_orders):
        for answer in write.answers[1:]:
            if answer != write.answers[0]:
                yield Breach("answer", f"{write.name} was answered in two ways: {write.answers[0]} and {answer}")
    for order, write in promises.cancels.items():
        for answer in write.answers:
            if answer["id"] != order or not (answer.get("cancelRequestedAt") or answer["status"] == "CANCELLED"):
                yield Breach("answer", f"{write.name} was answered as if nobody had asked for it: {answer}")


def _timelines(promises: Promises) -> Iterator[Breach]:
    """A timeline has no gaps, and nothing twice."""
    for operation in promises.operations:
        if operation.kind != "timeline" or not operation.is_answered:
            continue
        events = operation.answer["events"]
        kinds = [event["kind"] for event in events]
        is_whole = (
            kinds[:1] == ["CREATED"]
            and len(set(kinds)) == len(kinds)
            and not {"CANCELLED", "FINISHED"} <= set(kinds)
            and ("REFUNDED" not in kinds or {"FINISHED", "CANCEL_REQUESTED"} <= set(kinds[: kinds.index("REFUNDED")]))
            and [event["at"] for event in events] == sorted(event["at"] for event in events)
        )
        if not is_whole:
            yield Breach("timeline", f"{operation} of the order {operation.order} tells a story with a gap: {events}")


def _refusals(promises: Promises) -> Iterator[Breach]:
    """Nothing that clients do is wrong, but for looking for what may not be there yet."""
    for operation in promises.operations:
        is_early = operation.status == 404 and operation.kind in ("look", "timeline", "cancel", "account", "statement")
        if operation.is_refused and not is_early:
            what = operation.order or operation.label or operation.user
            yield Breach("answer", f"{operation} of {what} was refused with {operation.status}: {operation.answer}")


# What was to be written


def _accounts(promises: Promises, final: FinalState) -> Iterator[Breach]:
    for user, write in promises.openings.items():
        account = final.accounts.get(user)
        if account is None and write.is_acknowledged:
            yield Breach("lost", f"{write.name} was acknowledged at {write.acknowledged:.3f} s and is not there")
        for answer in write.answers:
            if account and any(answer[name] != account[name] for name in ("currency", "createdAt")):
                yield Breach("changed", f"{write.name} was promised as {answer} and is {account}")
    for user in final.accounts:
        if user not in promises.openings:
            yield Breach("uncalled", f"nobody has opened the account of {user}")


def _deposits(promises: Promises, statements: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Breach]:
    found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for user, entries in statements.items():
        for entry in entries:
            if entry["kind"] == "DEPOSIT":
                write = promises.deposit(user, entry)
                if write is None or write.user != user:
                    yield Breach("uncalled", f"nobody has made the deposit of entry {entry['id']} of {user}: {entry}")
                else:
                    found[id(write)].append(entry)
    for write in promises.deposits.values():
        entries = found[id(write)]
        numbers = " and ".join(str(entry["id"]) for entry in entries)
        if len(entries) > 1:
            yield Breach("deposit twice", f"{write.name} is there {len(entries)} times, as entries {numbers}")
        if not entries and write.is_acknowledged:
            yield Breach("lost", f"{write.name} was acknowledged at {write.acknowledged:.3f} s and is not there")
        for answer in write.answers[:1]:
            promised = (answer["id"], answer["amount"], answer["balance"], answer["createdAt"])
            kept = [(entry["depositId"], entry["amount"], entry["balance"], entry["createdAt"]) for entry in entries]
            if kept and promised not in kept:
                yield Breach("changed", f"{write.name} was promised as {answer} and is {entries[0]}")


def _orders(promises: Promises, final: FinalState) -> Iterator[Breach]:
    found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for order, count in Counter(order["id"] for order in final.orders).items():
        if count > 1:
            yield Breach("order twice", f"the order {order} is listed {count} times")
    for order in {order["id"]: order for order in final.orders}.values():
        write = promises.placement(order)
        if write is None:
            yield Breach("uncalled", f"nobody has placed the order {order['id']}: {order}")
        else:
            found[id(write)].append(order)
            if (order["userId"], order["amount"]) != (write.user, write.amount):
                yield Breach("changed", f"{write.name} of {write.amount} for {write.user} is {order}")
    for write in promises.orders.values():
        orders = found[id(write)]
        ids = " and ".join(order["id"] for order in orders)
        if len(orders) > 1:
            yield Breach("order twice", f"{write.name} is there {len(orders)} times, as {ids}")
        if not orders and write.is_acknowledged:
            yield Breach("lost", f"{write.name} was acknowledged at {write.acknowledged:.3f} s and is not there")
        for answer in write.answers:
            for name in ("id", "userId", "amount", "currency", "description", "createdAt"):
                if orders and answer[name] not in [order[name] for order in orders]:
                    yield Breach("changed", f"{name} of {write.name} was promised as {answer[name]}: {orders[0]}")


def _cancellations(promises: Promises, orders: Mapping[str, Mapping[str, Any]]) -> Iterator[Breach]:
    for id, order in orders.items():
        write = promises.cancels.get(id)
        by_user = order["status"] == "REFUNDED" or order.get("reason") == "CANCELLED_BY_USER"
        if write is None and (by_user or order.get("cancelRequestedAt")):
            yield Breach("uncalled", f"nobody has cancelled the order {id}: {order}")
        if by_user and not order.get("cancelRequestedAt"):
            yield Breach("status", f"the order {id} does not tell when its cancellation was asked for: {order}")
    for id, write in promises.cancels.items():
        if write.is_acknowledged and id in orders and orders[id]["status"] not in ("CANCELLED", "REFUNDED"):
            yield Breach(
                "cancellation lost",
                f"{write.name} was acknowledged at {write.acknowledged:.3f} s, and the order is {orders[id]}",
            )


# What must hold, whoever asked for it


def _ledgers(
    promises: Promises,
    accounts: Mapping[str, Mapping[str, Any]],
    statements: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Iterator[Breach]:
    """Numbers without gaps, balances that follow from each other, never negative."""
    for user, entries in statements.items():
        balance = 0
        for number, entry in enumerate(entries, 1):
            if entry["id"] != number:
                yield Breach("ledger", f"entry {number} of {user} is missing: {entry} stands there")
                break
            if entry["balance"] != balance + entry["amount"]:
                yield Breach("ledger", f"entry {number} of {user} follows a balance of {balance}: {entry}")
            balance = entry["balance"]
            if balance < 0:
                yield Breach("ledger", f"entry {number} of {user} makes the balance negative: {entry}")
            if (entry["amount"] > 0) != (entry["kind"] != "CHARGE"):
                yield Breach("ledger", f"entry {number} of {user} has the wrong sign: {entry}")
        total = sum(entry["amount"] for entry in entries)
        if user not in accounts:
            yield Breach("ledger", f"{user} has a statement and no account")
        elif accounts[user]["balance"] != total:
            yield Breach("ledger", f"the balance of {user} is {accounts[user]['balance']}, the sum of entries {total}")


def _charges_and_refunds(
    orders: Mapping[str, Mapping[str, Any]], statements: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[Breach]:
    """Charged once: what is FINISHED or REFUNDED, and nothing else; refunded once, after it: what is REFUNDED."""
    charges: dict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    refunds: dict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for user, entries in statements.items():
        for entry in entries:
            if entry["kind"] != "DEPOSIT":
                (charges if entry["kind"] == "CHARGE" else refunds)[entry["orderId"]].append((user, entry))
    for id in {**charges, **refunds}:
        if id not in orders:
            yield Breach("uncalled", f"entries are about {id}, and there is no such order: {charges[id] + refunds[id]}")
    for id, order in orders.items():
        for rule, found, wanted in (
            ("charge", charges[id], order["status"] in ("FINISHED", "REFUNDED")),
            ("refund", refunds[id], order["status"] == "REFUNDED"),
        ):
            entries = ", ".join(f"entry {entry['id']} of {user}" for user, entry in found) or "no entry"
            if len(found) > 1:
                yield Breach(f"{rule} twice", f"there are {len(found)} entries of the {rule} of {id}: {entries}")
            elif len(found) != wanted:
                yield Breach(rule, f"the order {id} is {order['status']}, and of its {rule} there is {entries}")
            for user, entry in found:
                if user != order["userId"] or abs(entry["amount"]) != order["amount"]:
                    yield Breach(rule, f"the {rule} of {id} is {entry} of {user}, and the order {order}")
        if charges[id] and refunds[id] and charges[id][0][1]["id"] > refunds[id][0][1]["id"]:
            yield Breach("refund", f"the order {id} was refunded before it was charged")
        yield from _paid_in_time(order, *([entry for _, entry in found[id][:1]] for found in (charges, refunds)))


def _paid_in_time(
    order: Mapping[str, Any], charges: Sequence[Mapping[str, Any]], refunds: Sequence[Mapping[str, Any]]
) -> Iterator[Breach]:
    """No order tells of its payment before the ledger does; all clocks are the same here."""
    for entry in refunds if order["status"] == "REFUNDED" else charges:
        if order["status"] in ("FINISHED", "REFUNDED") and _time(order["updatedAt"]) < _time(entry["createdAt"]):
            yield Breach("early", f"the order {order['id']} was {order['status']} before its entry: {order}, {entry}")
    for entry in refunds:
        if "cancelRequestedAt" in order and _time(entry["createdAt"]) < _time(order["cancelRequestedAt"]):
            yield Breach("early", f"the order {order['id']} was refunded before that was asked for: {order}, {entry}")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _unsettled(orders: Mapping[str, Mapping[str, Any]], waiting: int) -> Iterator[Breach]:
    """What is still to come, or never comes, because nothing waits for it any more."""
    rule = "unsettled" if waiting else "forgotten"
    for id, order in orders.items():
        if order["status"] == "NEW":
            yield Breach(rule, f"the order {id} is still NEW: {order}")
        if order["status"] == "FINISHED" and order.get("cancelRequestedAt"):
            yield Breach(rule, f"the order {id} is still to be refunded: {order}")
    if waiting:
        yield Breach("unsettled", f"{waiting} events still wait for their result")


def _decisions(
    promises: Promises, orders: Mapping[str, Mapping[str, Any]], charges: Sequence[Charge]
) -> Iterator[Breach]:
    """Every order is decided once, as it says, and for a reason that there was."""
    decided: dict[str, list[Charge]] = defaultdict(list)
    for charge in charges:
        decided[charge.order].append(charge)
        if charge.order not in orders:
            yield Breach("uncalled", f"payments has decided {charge.order}, and there is no such order: {charge}")
    for id, order in orders.items():
        if order["status"] == "NEW":
            continue
        if len(decided[id]) != 1:
            yield Breach("decision", f"the order {id} was decided {len(decided[id])} times: {decided[id]}")
        wanted = OUTCOMES.get((order["status"], order.get("reason")))
        for charge in decided[id]:
            if (charge.outcome, charge.user, charge.amount) != (wanted, order["userId"], order["amount"]):
                yield Breach("decision", f"the order {id} is {order}, and payments has decided {charge}")
        opening, placement = promises.openings.get(order["userId"]), promises.placement(order)
        if order.get("reason") == "NO_ACCOUNT" and opening and placement and opening.acknowledged < placement.invoked:
            yield Breach("refusal", f"the order {id} found no account, which {_since(opening)} was there: {order}")
        if order.get("reason") == "CURRENCY_MISMATCH":
            yield Breach("refusal", f"the order {id} is in the currency of its account: {order}")


def _since(write: Write) -> str:
    return f"since {write.acknowledged:.3f} s at the latest"


def _leftovers(
    final: FinalState, statements: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[Breach]:
    if final.dead:
        yield Breach("dead", f"{final.dead} messages were given up and are in the stream DEAD")
    told = {
        "accounts": len(final.accounts),
        "entries": sum(map(len, statements.values())),
        "orders": len(final.orders),
    }
    for table, count in final.rows.items():
        if count != told[table]:
            yield Breach("hidden", f"the table {table} has {count} rows, and HTTP tells of {told[table]}")
