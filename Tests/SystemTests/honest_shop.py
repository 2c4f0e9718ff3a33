"""A shop in memory that keeps its promises, to make histories with: the checker has to believe them, and no others."""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from harness import CHECKOUT  # noqa: F401  (it lets devkit be found)
from devkit.chaos.checker import Charge, FinalState
from devkit.chaos.history import Operation

TICK = 0.001
MISSING = (404, {"code": "NOT_FOUND"})


@dataclass
class Call:
    """An operation under way."""

    kind: str
    invoked: float
    effect: Callable[[], tuple[int, Any]]
    about: dict[str, Any]
    outcome: tuple[int, Any] | None = None


@dataclass
class Shop:
    """Everything happens when it is told to; every step takes a moment."""

    clock: float = 0.0
    operations: list[Operation] = field(default_factory=list)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    statements: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    finished: dict[str, str] = field(default_factory=dict)
    """When orders were paid that may be REFUNDED by now."""
    charges: list[Charge] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    """By Idempotency-Key."""
    names: int = 0

    def final(self) -> FinalState:
        return FinalState(
            accounts=copy.deepcopy(self.accounts),
            statements=copy.deepcopy(self.statements),
            orders=copy.deepcopy(list(self.orders.values())),
            charges=list(self.charges),
            rows={
                "accounts": len(self.accounts),
                "entries": sum(map(len, self.statements.values())),
                "orders": len(self.orders),
            },
        )

    # Time

    def now(self) -> float:
        self.clock = round(self.clock + TICK, 6)
        return self.clock

    def time(self) -> str:
        return f"2026-01-01T00:00:{self.now():09.6f}Z"

    def name(self) -> str:
        self.names += 1
        return str(uuid.UUID(int=self.names))

    def begin(self, kind: str, effect: Callable[[], tuple[int, Any]], **about: Any) -> Call:
        return Call(kind, self.now(), effect, about)

    def act(self, call: Call) -> None:
        status, answer = call.effect()
        call.outcome = (status, copy.deepcopy(answer))
        self.now()

    def end(self, call: Call, *, is_answered: bool = True) -> Any:
        """Answers a call, or leaves its caller without an answer."""
        status, answer = call.outcome if call.outcome and is_answered else (None, None)
        self.operations.append(Operation(call.kind, call.invoked, self.now(), status, answer, **call.about))
        return answer

    def at_once(self, call: Call) -> Any:
        self.act(call)
        return self.end(call)

    # Requests

    def opening(self, user: str) -> Call:
        key = self.name()

        def effect() -> tuple[int, Any]:
            if key not in self.answers:
                account = {"userId": user, "balance": 0, "currency": "RUB", "createdAt": self.time()}
                self.accounts[user], self.statements[user] = account, []
                self.answers[key] = dict(account)
            return 201, self.answers[key]

        return self.begin("open", effect, user=user, key=key)

    def deposit(self, user: str, amount: int, *, has_key: bool = True) -> Call:
        key = self.name() if has_key else None

        def effect() -> tuple[int, Any]:
            if key is None or key not in self.answers:
                id = self.name()
                entry = self.post(user, "DEPOSIT", amount, depositId=id)
                about = {"id": id, "userId": user, "amount": amount, "currency": "RUB"}
                self.answers[key] = {**about, "balance": entry["balance"], "createdAt": entry["createdAt"]}
            return 201, self.answers[key]

        return self.begin("deposit", effect, user=user, amount=amount, key=key)

    def order(self, user: str, amount: int, *, has_own_id: bool = True) -> Call:
        id, label = self.name(), f"order {self.name()}"
        key = None if has_own_id else self.name()

        def effect() -> tuple[int, Any]:
            if id not in self.orders:
                time = self.time()
                order = {"id": id, "userId": user, "amount": amount, "currency": "RUB", "description": label}
                self.orders[id] = {**order, "status": "NEW", "createdAt": time, "updatedAt": time}
                self.answers[id] = dict(self.orders[id])
            return 201, self.orders[id] if has_own_id else self.answers[id]

        about = {"user": user, "amount": amount, "label": label, "key": key}
        return self.begin("order", effect, order=id if has_own_id else None, **about)

    def cancel(self, id: str) -> Call:
        def effect() -> tuple[int, Any]:
            if id not in self.orders:
                return MISSING
            if self.orders[id]["status"] in ("NEW", "FINISHED"):
                self.orders[id].setdefault("cancelRequestedAt", self.time())
            return 200, self.orders[id]

        return self.begin("cancel", effect, order=id)

    def account(self, user: str) -> Call:
        def effect() -> tuple[int, Any]:
            return (200, self.accounts[user]) if user in self.accounts else MISSING

        return self.begin("account", effect, user=user)

    def statement(self, user: str) -> Call:
        def effect() -> tuple[int, Any]:
            if user not in self.accounts:
                return MISSING
            return 200, {"entries": self.statements[user][::-1], "nextPageToken": ""}

        return self.begin("statement", effect, user=user)

    def look(self, id: str) -> Call:
        return self.begin("look", lambda: (200, self.orders[id]) if id in self.orders else MISSING, order=id)

    def list(self, user: str) -> Call:
        def effect() -> tuple[int, Any]:
            orders = [order for order in self.orders.values() if order["userId"] == user]
            return 200, {"orders": orders[::-1], "nextPageToken": ""}

        return self.begin("list", effect, user=user)

    def timeline(self, id: str) -> Call:
        def effect() -> tuple[int, Any]:
            order = self.orders[id]
            times = {"CREATED": order["createdAt"], "CANCEL_REQUESTED": order.get("cancelRequestedAt")}
            times |= {"FINISHED": self.finished.get(id)}
            times |= {order["status"]: order["updatedAt"]} if order["status"] != "NEW" else {}
            events = [{"kind": kind, "at": at} for kind, at in times.items() if at]
            for event in events:
                if event["kind"] == "CANCELLED":
                    event["reason"] = order["reason"]
            return 200, {"events": sorted(events, key=lambda event: event["at"])}

        return self.begin("timeline", effect, order=id)

    # What payments does

    def post(self, user: str, kind: str, amount: int, **cause: str) -> dict[str, Any]:
        account, entries = self.accounts[user], self.statements[user]
        account["balance"] += amount
        entry = {"id": len(entries) + 1, "kind": kind, "amount": amount, "balance": account["balance"], **cause}
        entries.append({**entry, "currency": "RUB", "createdAt": self.time()})
        return entries[-1]

    def decide(self, id: str) -> None:
        """Charges an order that was not decided, or says why not."""
        order = self.orders[id]
        if order["status"] != "NEW":
            return
        user, amount = order["userId"], order["amount"]
        if "cancelRequestedAt" in order:
            outcome, status, reason = 5, "CANCELLED", "CANCELLED_BY_USER"
        elif user not in self.accounts:
            outcome, status, reason = 3, "CANCELLED", "NO_ACCOUNT"
        elif self.accounts[user]["balance"] < amount:
            outcome, status, reason = 2, "CANCELLED", "INSUFFICIENT_FUNDS"
        else:
            self.post(user, "CHARGE", -amount, orderId=id)
            outcome, status, reason = 1, "FINISHED", None
        self.charges.append(Charge(id, user, amount, outcome))
        order.update(status=status, updatedAt=self.time(), **({"reason": reason} if reason else {}))

    def refund(self, id: str) -> None:
        """Gives back what an order has cost that is to be cancelled."""
        order = self.orders[id]
        if order["status"] == "FINISHED" and "cancelRequestedAt" in order:
            self.post(order["userId"], "REFUND", order["amount"], orderId=id)
            self.finished[id] = order["updatedAt"]
            order.update(status="REFUNDED", updatedAt=self.time())

    def settle(self) -> None:
        """Decides and refunds everything."""
        for id in self.orders:
            self.decide(id)
            self.refund(id)

    # Lies

    def change(self, kind: str, **changes: Any) -> None:
        """Changes the answer of the newest operation of a kind."""
        index = max(index for index, operation in enumerate(self.operations) if operation.kind == kind)
        operation = self.operations[index]
        self.operations[index] = replace(operation, answer={**operation.answer, **changes})
