"""Clients that want things of the system, insist on most of them, and write down what they were promised."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import random
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping

from devkit.chaos.history import History, Operation

CLIENTS = 12
RATE = 10
"""Operations a second of each client, while it is answered."""

ACCOUNTS = 10
ORDER_AMOUNT_MAX = 100
DEPOSIT_STEP = CLIENTS + 1
"""A deposit is a multiple of this, and the number of its client; what accounts are opened with is a multiple alone."""

OPENING_AMOUNT = 77 * DEPOSIT_STEP

DEPOSIT_STEPS = 24
"""How large deposits are at first: their sum about keeps up with the orders, so that some of those are refused."""

PATIENT_SHARE = 0.85
"""Of the operations that a client insists on. The others are asked for once, whatever comes back."""

REMEMBERED_REQUESTS = 50
"""How many of its requests that were answered a client makes again some time."""

KEYED_SHARE = 0.25
"""Of the orders that are known by an Idempotency-Key, and have no id of the client's own."""

NAMELESS_SHARE = 0.15
"""Of the orders and deposits that nothing tells apart from another of the same kind: they are asked for once."""

STRANGER_SHARE = 0.03
"""Of the orders by somebody who has no account."""

RECENT_ORDERS = 200
WATCHING_SECONDS = 0.2
"""How long a client waits for something to watch."""

LOOKS_MAX = 10
REQUEST_SECONDS = 4
"""What a request is given; its client waits a little longer."""

PAUSES = (0.02, 0.3)
"""Before an operation is asked for again: the first and the longest."""

ENDING_SECONDS = 30
"""Once nothing is broken any more, whoever insists is answered by then."""

INSISTING_SECONDS = 300
"""More than faults that follow each other take; for a system that does not work at all."""

ANOTHER_TRY = "ABORTED"
"""The code of a refusal that asks for the same again."""

FAILURES = ("INTERNAL", "DATA_LOSS")
"""Codes that no fault excuses."""


@dataclass(frozen=True)
class Request:
    """What goes over the wire for an operation."""

    method: str
    path: str
    body: Any = None
    key: str | None = None


class Load:
    """Threads that keep a system busy. The seed says what they do, as far as the answers leave them the choice."""

    def __init__(self, seed: int, addresses: list[str]) -> None:
        self.history = History()
        self.mistakes: list[str] = []
        """Answers that nothing excuses."""
        self.being_cancelled: list[str] = []
        """Orders, right now."""
        self._cancelled = threading.Condition()
        self.addresses = addresses
        self._started = time.monotonic()
        self._stopping = threading.Event()
        self._stopped_at = float("inf")
        self.users: list[str] = []
        """Those who have an account."""
        self.orders: deque[str] = deque(maxlen=RECENT_ORDERS)
        """The newest, maybe not taken yet."""
        self._clients = [_Client(self, seed, index) for index in range(CLIENTS)]
        self._threads = [threading.Thread(target=client.run, daemon=True) for client in self._clients]

    def open_accounts(self) -> None:
        """Opens the accounts that there are from the beginning, with something on them."""
        for client in itertools.islice(itertools.cycle(self._clients), ACCOUNTS):
            client.newcomer(OPENING_AMOUNT)

    def start(self) -> None:
        """Starts the clients."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Lets every client finish what it insists on, if that can be had by now."""
        self._stopped_at = time.monotonic()
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    # What clients share

    def now(self) -> float:
        return time.monotonic() - self._started

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def is_hopeless(self, invoked: float) -> bool:
        """Whether there is no more sense in insisting on what was asked for then."""
        return time.monotonic() > self._stopped_at + ENDING_SECONDS or self.now() > invoked + INSISTING_SECONDS

    def pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    @contextlib.contextmanager
    def cancelling(self, order: str) -> Iterator[None]:
        """Lets others know that an order is being cancelled."""
        with self._cancelled:
            self.being_cancelled.append(order)
            self._cancelled.notify()
        try:
            yield
        finally:
            with self._cancelled:
                self.being_cancelled.remove(order)

    def next_cancelled(self, seconds: float) -> str | None:
        """Waits for an order to be cancelled; None when none is."""
        with self._cancelled:
            return self.being_cancelled[-1] if self._cancelled.wait(seconds) and self.being_cancelled else None


def deposit_amounts(client: int, dice: random.Random) -> Iterator[int]:
    """Amounts of deposits that a client makes to one account: no other client makes one of the same amount, nor does
    this one again, so that each ledger entry tells which deposit it is of."""
    for first in itertools.count(1, DEPOSIT_STEPS):
        steps = list(range(first, first + DEPOSIT_STEPS))
        dice.shuffle(steps)
        yield from (step * DEPOSIT_STEP + client + 1 for step in steps)


class _Client:
    """One thread that does one thing after the other."""

    def __init__(self, load: Load, seed: int, index: int) -> None:
        self.load = load
        self.index = index
        self.dice = random.Random(f"client {seed} {index}")
        self.connection: http.client.HTTPConnection | None = None
        self.addresses = itertools.cycle(load.addresses[index % 2 :] + load.addresses[: index % 2])
        self.amounts: dict[str, Iterator[int]] = {}
        self.counter = itertools.count(1)
        self.done: deque[tuple[str, Request, Mapping[str, Any]]] = deque(maxlen=REMEMBERED_REQUESTS)
        """Requests that were answered and may be made again: of which kind they are, and what they are about."""

    def run(self) -> None:
        wishes: dict[Callable[[], None], int] = {
            self.order: 40,
            self.cancel: 12,
            self.deposit: 14,
            self.read_account: 10,
            self.read_statement: 6,
            self.look_at_order: 8,
            self.watch_cancellation: 6,
            self.read_timeline: 2,
            self.list_orders: 2,
            self.repeat: 5,
            self.newcomer: 1,
        }
        try:
            while not self.load.is_stopping:
                began = time.monotonic()
                self.dice.choices(list(wishes), list(wishes.values()))[0]()
                self.load.pause(began + self.dice.uniform(0.5, 1.5) / RATE - time.monotonic())
        except Exception as error:
            self.load.mistakes.append(f"client {self.index} got something that it cannot make sense of: {error!r}")
        finally:
            self._disconnect()

    # Wishes

    def newcomer(self, amount: int | None = None) -> None:
        """Somebody opens an account and puts money on it."""
        user = self._uuid()
        key = self._uuid()
        operation = self._ask("open", Request("POST", "/v1/accounts", {"userId": user}, key), user=user, patient=True)
        if operation.is_answered:
            self._deposit(user, amount or next(self._amounts(user)))
            self.load.users.append(user)

    def deposit(self) -> None:
        user = self.dice.choice(self.load.users)
        self._deposit(user, next(self._amounts(user)))

    def order(self) -> None:
        user = self.dice.choice(self.load.users) if self.dice.random() >= STRANGER_SHARE else self._uuid()
        amount, label = self.dice.randint(1, ORDER_AMOUNT_MAX), f"client {self.index}, order {next(self.counter)}"
        is_nameless, is_keyed = self.dice.random() < NAMELESS_SHARE, self.dice.random() < KEYED_SHARE
        own = None if is_nameless or is_keyed else self._uuid()
        key = self._uuid() if is_keyed and not is_nameless else None
        body = {"userId": user, "amount": amount, "description": label, **({"id": own} if own else {})}
        if own and self.dice.random() < 0.5:
            self.load.orders.append(own)  # Others may ask for it before it is taken.
        request = Request("POST", "/v1/orders", body, key)
        about = {"user": user, "order": own, "amount": amount, "label": label}
        operation = self._ask("order", request, patient=False if is_nameless else None, **about)
        if operation.is_answered:
            self.load.orders.append(operation.answer["id"])

    def cancel(self) -> None:
        """Cancels an order, and maybe looks at it before and after."""
        if order := self._some_order():
            if self.dice.random() < 0.5:
                self._look(order)
            with self.load.cancelling(order):
                self._ask("cancel", Request("POST", f"/v1/orders/{order}/cancel"), order=order)
            if self.dice.random() < 0.5:
                self._look(order)

    def repeat(self) -> None:
        """Makes a request again that was answered, maybe long ago."""
        if self.done:
            kind, request, about = self.dice.choice(self.done)
            self._ask(kind, request, **about)

    def read_account(self) -> None:
        user = self.dice.choice(self.load.users)
        self._ask("account", Request("GET", f"/v1/accounts/{user}"), user=user)

    def read_statement(self) -> None:
        self._read_statement(self.dice.choice(self.load.users))

    def look_at_order(self) -> None:
        if order := self._some_order():
            self._look(order)

    def watch_cancellation(self) -> None:
        """Waits for somebody to cancel an order, and looks at it until that is answered; at its account then, which
        has to tell what the order has told."""
        order = self.load.next_cancelled(WATCHING_SECONDS)
        looks = 0
        while order in self.load.being_cancelled and looks < LOOKS_MAX:
            looks += 1
            seen = self._look(order)
        if looks and seen.is_answered:
            self._read_statement(seen.answer["userId"])

    def read_timeline(self) -> None:
        if order := self._some_order():
            self._ask("timeline", Request("GET", f"/v1/orders/{order}/events"), order=order)

    def list_orders(self) -> None:
        user = self.dice.choice(self.load.users)
        self._ask("list", Request("GET", f"/v1/orders?userId={user}&pageSize=1000"), user=user)

    def _deposit(self, user: str, amount: int) -> None:
        is_nameless = self.dice.random() < NAMELESS_SHARE
        key = None if is_nameless else self._uuid()
        request = Request("POST", f"/v1/accounts/{user}/deposits", {"amount": amount}, key)
        self._ask("deposit", request, patient=False if is_nameless else None, user=user, amount=amount)

    def _look(self, order: str) -> Operation:
        return self._ask("look", Request("GET", f"/v1/orders/{order}"), order=order)

    def _read_statement(self, user: str) -> None:
        self._ask("statement", Request("GET", f"/v1/accounts/{user}/entries?pageSize=1000"), user=user)

    # What they are made of

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def _some_order(self) -> str | None:
        orders = list(self.load.orders)
        # The newest are the ones that something is happening to.
        return self.dice.choice(orders[-20:] if self.dice.random() < 0.7 else orders) if orders else None

    def _amounts(self, user: str) -> Iterator[int]:
        """Amounts of deposits to somebody's account."""
        if user not in self.amounts:
            self.amounts[user] = deposit_amounts(self.index, self.dice)
        return self.amounts[user]

    def _ask(self, kind: str, request: Request, *, patient: bool | None = None, **about: Any) -> Operation:
        """Asks until there is an answer, if the client insists, and writes down what came of it."""
        reads = request.method == "GET"
        insists = not reads and (self.dice.random() < PATIENT_SHARE if patient is None else patient)
        invoked, tries, pause = self.load.now(), 0, PAUSES[0]
        while True:
            tries += 1
            status, answer = self._exchange(request)
            if status is not None or not insists or self.load.is_hopeless(invoked):
                break
            if self.dice.random() < 0.5:
                self._disconnect()  # The other gateway may know better.
            time.sleep(pause)
            pause = min(pause * 2, PAUSES[1])
        operation = Operation(kind, invoked, self.load.now(), status, answer, key=request.key, tries=tries, **about)
        self.load.history.add(operation)
        if operation.is_answered and (request.key or kind == "order" and operation.order):
            self.done.append((kind, request, about))
        if insists and status is None:
            self.load.mistakes.append(f"{operation} was asked for {tries} times and never answered: {about}")
        return operation

    def _exchange(self, request: Request) -> tuple[int | None, Any]:
        """One request and its answer; no status when nobody knows whether it was done, or it should be asked again."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(next(self.addresses), timeout=REQUEST_SECONDS + 1)
        headers = {"Request-Timeout": str(REQUEST_SECONDS)}
        if request.key:
            headers["Idempotency-Key"] = request.key
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        body = None if request.body is None else json.dumps(request.body).encode()
        try:
            self.connection.request(request.method, request.path, body, headers)
            response = self.connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException):
            self._disconnect()
            return None, None
        if response.status < 300:
            return response.status, answer
        if answer.get("code") in FAILURES:
            self.load.mistakes.append(f"{request.method} {request.path} was answered {response.status}: {answer}")
        if response.status >= 500 or response.status == 429 or answer.get("code") == ANOTHER_TRY:
            return None, answer
        return response.status, answer

    def _disconnect(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None
