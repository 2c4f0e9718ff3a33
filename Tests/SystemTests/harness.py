"""What the system tests stand on: a whole private system, an HTTP client, a load generator and the books."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, ClassVar, Iterable, Iterator, Mapping, Self

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tools"))

# Tests import these from here, so that `python3 -m unittest` in this directory works as well as tools/test.
from devkit.home import Home  # noqa: E402
from devkit.postgres import PrivatePostgres  # noqa: E402
from devkit.probes import http_probe  # noqa: E402, F401
from devkit.processes import Process, Program  # noqa: E402, F401
from devkit.settings import Settings, any_free_port  # noqa: E402, F401
from devkit.system import System, environment_for  # noqa: E402
from figures import Figures  # noqa: E402

SETTLE_SECONDS = 60
"""However an order's events were lost, it is settled by then."""


def programs_directory() -> Path:
    """Where the programs under test are."""
    return Path(os.environ.get("GOZON_BUILD_DIR") or CHECKOUT / ".build" / "debug").absolute()


class GozonSystem:
    """A whole system in a temporary home, on free ports; started and stopped by tools/up and tools/down."""

    live: ClassVar[list[GozonSystem]] = []
    """Those that were not closed yet, so that a failing test can show their logs."""

    def __init__(self) -> None:
        self.home = Home(Path(tempfile.mkdtemp(prefix="gozon-system-")))
        self.home.path.chmod(0o755)  # The user that PostgreSQL runs as has to reach it.
        self.programs = programs_directory()
        self.environment = {**os.environ, **environment_for(self.home, self.programs)}
        GozonSystem.live.append(self)

    def up(self, *arguments: str) -> str:
        return self._tool("up", "--detach", *arguments)

    def down(self) -> str:
        return self._tool("down")

    def close(self) -> None:
        self.down()
        shutil.rmtree(self.home.path)
        GozonSystem.live.remove(self)

    def client_tool(self, *arguments: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs tools/gozon, with more environment variables."""
        return subprocess.run(
            [str(CHECKOUT / "tools" / "gozon"), *arguments],
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=check,
        )

    def _tool(self, name: str, *arguments: str) -> str:
        answer = subprocess.run(
            [str(CHECKOUT / "tools" / name), *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
        )
        if answer.returncode != 0:
            raise AssertionError(f"tools/{name} ended with {answer.returncode}:\n{answer.stdout}")
        return answer.stdout

    @property
    def parts(self) -> System:
        """The programs of this system as tools/up runs them; to start replicas of them."""
        return System(self.home, Settings.of_environment(self.environment), self.programs)

    def process(self, name: str) -> Process:
        return Process(self.home, name)

    def pids(self) -> dict[str, int | None]:
        return {name: self.process(name).pid() for name in ("postgres", "nats", "orders", "payments", "gateway")}

    def kill(self, name: str) -> None:
        """kill -9, and waits until the process is gone."""
        process = self.process(name)
        assert process.pid() is not None, f"{name} does not run"
        process.kill()
        assert process.wait_gone(10), f"{name} survived kill -9"

    @property
    def ports(self) -> dict[str, int]:
        return self.home.saved_ports()

    @property
    def address(self) -> str:
        """Host and port of the public HTTP."""
        return f"127.0.0.1:{self.ports['http']}"

    def client(self, address: str | None = None, **options: Any) -> Client:
        return Client(address or self.address, **options)

    def metrics(self, name: str) -> Figures:
        """What `gateway`, `orders` or `payments` tells at /metrics now."""
        return Figures.of(self.ports[f"{name}Admin"])

    def publish(self, subject: str, payload: bytes, **headers: str) -> None:
        """Publishes a message as anybody can; `Gozon_Type` is the header `Gozon-Type`."""
        block = "NATS/1.0\r\n" + "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = (block + "\r\n").encode()
        with socket.create_connection(("127.0.0.1", self.ports["nats"]), timeout=10) as connection:
            lines = connection.makefile("rb")
            assert lines.readline().startswith(b"INFO ")
            connection.sendall(
                b'CONNECT {"verbose":false,"headers":true}\r\n'
                + f"HPUB {subject} {len(head)} {len(head) + len(payload)}\r\n".encode()
                + head
                + payload
                + b"\r\nPING\r\n"
            )
            assert lines.readline() == b"PONG\r\n"

    def sql(self, database: str, statement: str) -> list[list[str]]:
        text = PrivatePostgres(self.home, self.ports["postgres"]).sql(statement, database)
        return [line.split("|") for line in text.splitlines()]


class SystemTestCase(unittest.TestCase):
    """Tests of one class share a system that is up."""

    system: ClassVar[GozonSystem]

    @classmethod
    def setUpClass(cls) -> None:
        cls.system = GozonSystem()
        cls.addClassCleanup(cls.system.close)
        cls.prepare(cls.system)
        cls.system.up()

    @classmethod
    def prepare(cls, system: GozonSystem) -> None:
        """Sets up the system before it starts."""

    def setUp(self) -> None:
        self.client = self.system.client()
        self.addCleanup(self.client.close)

    def at_once(self, count: int, work: Callable[[Client], Any]) -> list[Any]:
        """Calls a function in so many threads at the same moment, each with a connection of its own; the results."""
        barrier = threading.Barrier(count)

        def run(_: int) -> Any:
            with contextlib.closing(self.system.client()) as client:
                client.connection.connect()
                barrier.wait()
                return work(client)

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(run, range(count)))

    def assert_problem(self, answer: Answer, status: int, code: str | None = None) -> dict[str, Any]:
        """Asserts an error in the one shape that errors have (RFC 9457); the problem."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json", answer)
        problem = answer.json
        for member, kind in {
            "type": str,
            "title": str,
            "status": int,
            "detail": str,
            "code": str,
            "requestId": str,
        }.items():
            self.assertIsInstance(problem.get(member), kind, f"{member} in {problem}")
        self.assertEqual(problem["status"], status, problem)
        if code:
            self.assertEqual(problem["code"], code, problem)
        for error in problem.get("errors", []):
            self.assertEqual(set(error), {"pointer", "detail"}, problem)
        return problem

    def assert_serving(self, pids: Mapping[str, int | None]) -> None:
        """Asserts that no process ended or was replaced, and that orders are still paid."""
        self.assertEqual(self.system.pids(), dict(pids))
        user = self.client.funded_user(7)
        self.assertEqual(self.client.settled(self.client.order(user, 7)["id"])["status"], "FINISHED")


@dataclass(frozen=True)
class Answer:
    """What came back for a request."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def __str__(self) -> str:
        return f"{self.status} {self.body[:500].decode(errors='replace')}"


class Client:
    """One keep-alive connection; for one thread. Errors of the connection come as OSError or HTTPException."""

    def __init__(self, address: str, timeout: float = 30, headers: Mapping[str, str] = {}) -> None:
        """`headers` go with every request."""
        self.connection = http.client.HTTPConnection(address, timeout=timeout)
        self.headers = dict(headers)

    def close(self) -> None:
        self.connection.close()

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}) -> Answer:
        """Sends a request: bytes as they are, anything else as JSON. A GET is sent again when the connection that was
        kept from earlier requests turns out to be dead."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {**({} if data is None else {"Content-Type": "application/json"}), **self.headers, **headers}
        was_open = self.connection.sock is not None
        try:
            return self._exchange(method, path, data, sent)
        except ConnectionError:
            if method != "GET" or not was_open:
                raise
            return self._exchange(method, path, data, sent)

    def _exchange(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        try:
            self.connection.request(method, path, data, headers)
            response = self.connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except BaseException:
            self.connection.close()
            raise

    def get(self, path: str, headers: Mapping[str, str] = {}) -> Answer:
        return self.request("GET", path, None, headers)

    def post(self, path: str, body: Any, headers: Mapping[str, str] = {}) -> Answer:
        return self.request("POST", path, body, headers)

    def created(self, path: str, body: Any, headers: Mapping[str, str] = {}) -> dict[str, Any]:
        answer = self.post(path, body, headers)
        assert answer.status == 201, f"POST {path} {body}: {answer}"
        return answer.json

    def found(self, path: str) -> dict[str, Any]:
        answer = self.get(path)
        assert answer.status == 200, f"GET {path}: {answer}"
        return answer.json

    def funded_user(self, amount: int) -> str:
        """A user whose account holds an amount."""
        user = str(uuid.uuid4())
        self.created("/v1/accounts", {"userId": user})
        if amount:
            self.created(f"/v1/accounts/{user}/deposits", {"amount": amount})
        return user

    def order(self, user: str, amount: int, **others: Any) -> dict[str, Any]:
        return self.created("/v1/orders", {"userId": user, "amount": amount, **others})

    def cancel(self, order: str) -> dict[str, Any]:
        answer = self.post(f"/v1/orders/{order}/cancel", None)
        assert answer.status == 200, f"POST /v1/orders/{order}/cancel: {answer}"
        return answer.json

    def timeline(self, order: str) -> list[str]:
        """What happened to the order: FINISHED, CANCELLED CANCELLED_BY_USER and so on, in the order of time."""
        events = self.found(f"/v1/orders/{order}/events")["events"]
        assert [event["at"] for event in events] == sorted(event["at"] for event in events), events
        return [" ".join(filter(None, (event["kind"], event.get("reason")))) for event in events]

    def balance(self, user: str) -> int:
        return self.found(f"/v1/accounts/{user}")["balance"]

    def settled(self, order: str) -> dict[str, Any]:
        """The order, once it is settled."""
        return eventually(
            lambda: self.found(f"/v1/orders/{order}"),
            lambda found: found["status"] != "NEW",
            f"order {order} to be settled",
        )

    def pages(self, path: str, member: str, **query: str) -> Iterator[dict[str, Any]]:
        """Everything in a paged list."""
        query["pageSize"] = "1000"
        while True:
            page = self.found(f"{path}?{urllib.parse.urlencode(query)}")
            yield from page[member]
            query["pageToken"] = page.get("nextPageToken")
            if not query["pageToken"]:
                return

    def orders_of(self, user: str) -> list[dict[str, Any]]:
        return list(self.pages("/v1/orders", "orders", userId=user))

    def entries_of(self, user: str) -> list[dict[str, Any]]:
        return list(self.pages(f"/v1/accounts/{user}/entries", "entries"))


def eventually(look: Callable[[], Any], good: Callable[[Any], bool], what: str, seconds: float = SETTLE_SECONDS) -> Any:
    """Looks again and again until what is seen is good."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while not good(seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}; last seen: {str(seen)[:1000]}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    return seen


class Workers:
    """Threads that work from the beginning of a `with` to its end."""

    def __init__(self, *works: tuple[Callable[[int], None], int]) -> None:
        """So many threads for each of some functions, which get the thread's number and go on until `_stopping`."""
        self.accepted: dict[str, tuple[str, int]] = {}
        """User and amount of each order that was answered with 201."""
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=work, args=(index,)) for work, count in works for index in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def run_on(self, orders: int, seconds: float = 30) -> None:
        """Waits until so many more orders are accepted."""
        goal = len(self.accepted) + orders
        eventually(lambda: len(self.accepted), lambda count: count >= goal, f"{goal} accepted orders", seconds)


class Load(Workers):
    """Threads that place orders for as long as the load runs. Every order has the caller's own id and is repeated
    until it is accepted, as a careful shop would do; some are cancelled then, and the cancellation is repeated likewise."""

    CANCELLED_SHARE = 0.2

    def __init__(self, addresses: Iterable[str], users: list[str], workers: int = 8) -> None:
        self.addresses = list(addresses)
        self.users = users
        self.cancelled: set[str] = set()
        """Orders whose cancellation was answered with 200."""
        self.refusals: list[str] = []
        """Answers that no fault excuses."""
        self.repeats = 0
        self._unwanted: queue.SimpleQueue[str] = queue.SimpleQueue()
        """Accepted orders that are to be cancelled: by threads of their own, for a cancellation waits for payments."""
        super().__init__((self._place_orders, workers), (self._cancel_orders, workers))

    def _place_orders(self, index: int) -> None:
        dice = random.Random(index)
        client = Client(self.addresses[index % len(self.addresses)], timeout=5)
        while not self._stopping.is_set():
            order, user, amount = str(uuid.uuid4()), dice.choice(self.users), dice.randint(1, 20)
            if self._insist(client, "/v1/orders", {"id": order, "userId": user, "amount": amount}, 201):
                self.accepted[order] = (user, amount)
                if dice.random() < self.CANCELLED_SHARE:
                    self._unwanted.put(order)
        client.close()

    def _cancel_orders(self, index: int) -> None:
        dice = random.Random(-1 - index)
        client = Client(self.addresses[index % len(self.addresses)], timeout=10)
        while not self._stopping.is_set():
            with contextlib.suppress(queue.Empty):
                order = self._unwanted.get(timeout=0.1)
                # Before, during and after the charge.
                time.sleep(dice.choice((0, 0.001, 0.005, 0.02)))
                if self._insist(client, f"/v1/orders/{order}/cancel", None, 200):
                    self.cancelled.add(order)
        client.close()

    def _insist(self, client: Client, path: str, body: Any, status: int) -> bool:
        while not self._stopping.is_set():
            try:
                answer = client.post(path, body)
            except (OSError, http.client.HTTPException):
                answer = None
            if answer and answer.status == status:
                return True
            if answer and answer.status < 500 and answer.status != 429:
                self.refusals.append(str(answer))
                return False
            self.repeats += 1
            time.sleep(0.02)
        return False


def assert_books(
    case: SystemTestCase,
    deposits: Mapping[str, int],
    accepted: Mapping[str, tuple[str, int]] = {},
    cancelled: Iterable[str] = (),
) -> None:
    """Asserts, once every order is settled, that no accepted order or cancellation is lost, that every paid order was
    charged exactly once and no other at all, that every refunded one was refunded exactly once, that each user's
    deposits are the balance and the finished orders, and that the client tool finds nothing wrong either."""
    client = case.client
    eventually(lambda: client.found("/v1/orders?status=NEW&pageSize=5")["orders"], lambda new: not new, "no NEW order")
    eventually(
        lambda: case.system.sql("orders", "SELECT count(*) FROM resends"),
        lambda rows: rows == [["0"]],
        "nothing left to be asked about",
    )
    found: dict[str, dict[str, Any]] = {}
    for user, deposited in deposits.items():
        orders = client.orders_of(user)
        found.update((order["id"], order) for order in orders)
        finished = {order["id"]: order["amount"] for order in orders if order["status"] == "FINISHED"}
        refunded = {order["id"]: order["amount"] for order in orders if order["status"] == "REFUNDED"}
        entries = client.entries_of(user)
        charges = [(entry["orderId"], -entry["amount"]) for entry in entries if entry["kind"] == "CHARGE"]
        paid = Counter((finished | refunded).items())
        case.assertEqual(Counter(charges), paid, "the charges are the finished and refunded orders, once each")
        refunds = [(entry["orderId"], entry["amount"]) for entry in entries if entry["kind"] == "REFUND"]
        case.assertEqual(Counter(refunds), Counter(refunded.items()), "the refunds are the refunded orders, once each")
        balance = client.balance(user)
        case.assertEqual(balance + sum(finished.values()), deposited, f"the books of {user}")
        case.assertEqual(sum(entry["amount"] for entry in entries), balance, f"the statement of {user}")
    _assert_ledgers(case)
    verified = case.system.client_tool("verify", check=False)
    case.assertEqual(verified.returncode, 0, f"gozon verify:\n{verified.stdout}{verified.stderr}")
    for order, (user, amount) in accepted.items():
        case.assertIn(order, found, "an accepted order is lost")
        case.assertEqual((found[order]["userId"], found[order]["amount"]), (user, amount))
    for order in cancelled:
        case.assertIn(found[order]["status"], ("CANCELLED", "REFUNDED"), "a cancellation is lost")


def _assert_ledgers(case: SystemTestCase) -> None:
    """The same from the tables themselves, over all users of the system. Numbers are those of the schemas: order status
    2 is FINISHED and 4 REFUNDED, outcome 1 CHARGED, entry kind 1 a deposit, 2 a charge and 3 a refund."""
    orders = case.system.sql("orders", "SELECT count(*), coalesce(sum(amount), 0) FROM orders WHERE status IN (2, 4)")
    refunded = case.system.sql("orders", "SELECT count(*), coalesce(sum(amount), 0) FROM orders WHERE status = 4")
    charges = case.system.sql("payments", "SELECT count(*), coalesce(sum(amount), 0) FROM charges WHERE outcome = 1")
    entries = case.system.sql(
        "payments", "SELECT count(DISTINCT cause), coalesce(-sum(amount), 0) FROM entries WHERE kind = 2"
    )
    refunds = case.system.sql(
        "payments", "SELECT count(DISTINCT cause), coalesce(sum(amount), 0) FROM entries WHERE kind = 3"
    )
    case.assertEqual(charges, orders, "number and sum of the charges are those of the orders that were paid")
    case.assertEqual(entries, orders, "number and sum of the debits are those of the orders that were paid")
    case.assertEqual(refunds, refunded, "number and sum of the refunds are those of the refunded orders")
    broken = case.system.sql(
        "payments",
        """SELECT user_id FROM accounts LEFT JOIN entries USING (user_id) GROUP BY user_id
           HAVING max(accounts.balance) <> coalesce(sum(amount), 0) OR max(accounts.entries) <> count(number)""",
    )
    case.assertEqual(broken, [], "accounts whose balance is not the sum of their entries")
    deposits, balances = case.system.sql(
        "payments",
        """SELECT (SELECT coalesce(sum(amount), 0) FROM entries WHERE kind = 1),
                  (SELECT coalesce(sum(balance), 0) FROM accounts)""",
    )[0]
    finished = int(orders[0][1]) - int(refunded[0][1])
    case.assertEqual(int(deposits), int(balances) + finished, "deposits = balances + finished orders")
