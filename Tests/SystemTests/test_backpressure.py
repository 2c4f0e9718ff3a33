"""A database that stalls or is gone, and a broker that is gone, under load: callers are told in time what to do, nothing
piles up, nothing that was acknowledged is lost, and it goes on by itself."""

from __future__ import annotations

import contextlib
import http.client
import random
import signal
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from harness import Answer, Client, GozonSystem, SystemTestCase, Workers, assert_books, eventually

CLIENTS = 40
OURS = ("gateway", "orders", "payments")
MEMORY_MAX = 150_000_000
"""Bytes of any of our processes, built without optimization and with coverage. They take about 30 million."""
RECOVERY_SECONDS = 15
"""It takes about one; a machine that does other things as well gets more."""
DEPOSIT = 1_000_000


@dataclass(frozen=True)
class Seen:
    """An answer to an order."""

    asked: float
    took: float
    answer: Answer


class Flood(Workers):
    """Clients that place one order after the other, some with little time for each, and do not mind what they are told."""

    TIMEOUTS = (None, 0.5, 2)
    """Seconds that a client gives a request; None: what the gateway gives it."""

    def __init__(self, address: str, users: list[str]) -> None:
        self.address = address
        self.users = users
        self.seen: list[Seen] = []
        self.broken: list[str] = []
        """Requests that got no answer at all."""
        super().__init__((self._place_orders, CLIENTS))

    def statuses(self, since: float) -> Counter[int]:
        """What has been answered to requests that were sent after a moment."""
        return Counter(seen.answer.status for seen in list(self.seen) if seen.asked >= since)

    def _place_orders(self, index: int) -> None:
        dice = random.Random(index)
        timeout = self.TIMEOUTS[index % len(self.TIMEOUTS)]
        headers = {} if timeout is None else {"Request-Timeout": str(timeout)}
        client = Client(self.address)
        while not self._stopping.is_set():
            order, user, amount = str(uuid.uuid4()), dice.choice(self.users), dice.randint(1, 20)
            started = time.monotonic()
            try:
                answer = client.post("/v1/orders", {"id": order, "userId": user, "amount": amount}, headers)
            except (OSError, http.client.HTTPException) as error:
                self.broken.append(repr(error))
                continue
            self.seen.append(Seen(started, time.monotonic() - started, answer))
            if answer.status == 201:
                self.accepted[order] = (user, amount)
            else:
                # Not as long as it is told: the pressure is the point.
                time.sleep(0.02)
        client.close()


class MemoryWatch:
    """Looks at the memory of our processes, and keeps the most that each had."""

    def __init__(self, system: GozonSystem) -> None:
        self.most: Counter[str] = Counter()
        self._pids = {name: system.process(name).pid() for name in OURS}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            for name, pid in self._pids.items():
                with contextlib.suppress(OSError):
                    words = Path(f"/proc/{pid}/status").read_text().split()
                    self.most[name] = max(self.most[name], int(words[words.index("VmRSS:") + 1]) * 1024)


class BackPressureTests(SystemTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.deposits = {self.client.funded_user(DEPOSIT): DEPOSIT for _ in range(20)}
        self.pids = {name: self.system.process(name).pid() for name in OURS}

    @contextlib.contextmanager
    def flood(self) -> Iterator[Flood]:
        """A load that runs meanwhile; after it, everything that must hold whatever happened."""
        with MemoryWatch(self.system) as memory, Flood(self.system.address, list(self.deposits)) as flood:
            flood.run_on(50, 30)
            yield flood
        self.assertEqual(flood.broken, [])
        self.assertEqual({name: self.system.process(name).pid() for name in OURS}, self.pids, "a process has ended")
        for name in OURS:
            self.assertLess(memory.most[name], MEMORY_MAX, name)
        for seen in flood.seen:
            self.assert_told_what_to_do(seen)
        assert_books(self, self.deposits, flood.accepted)

    def assert_told_what_to_do(self, seen: Seen) -> None:
        """Asserts that an answer is one that a client can act on, and came in the client's time or soon after."""
        answer = seen.answer
        self.assertIn(answer.status, (201, 429, 503, 504), answer)
        self.assertLess(seen.took, 20, answer)
        if answer.status != 201:
            self.assert_problem(answer, answer.status)
        if answer.status in (429, 503):
            self.assertIn(int(answer.headers["Retry-After"] or 0), range(1, 61), answer)

    def test_a_database_that_stalls(self) -> None:
        postgres = self.system.process("postgres")
        with self.flood() as flood:
            postgres.kill_family(signal.SIGSTOP)
            try:
                stalled = time.monotonic()
                time.sleep(4)
                during = flood.statuses(stalled)
                self.assertNotIn(201, during)
                self.assertGreater(during[429], 0, "those whose turn will not come are told so, and do not wait")
                self.assert_health_is_told()
            finally:
                postgres.kill_family(signal.SIGCONT)
            flood.run_on(50, RECOVERY_SECONDS)

    def test_a_database_that_is_gone(self) -> None:
        postgres = self.system.process("postgres")
        with self.flood() as flood:
            postgres.kill_family(signal.SIGKILL)
            try:
                self.assertTrue(postgres.wait_gone(10))
                gone = time.monotonic()
                time.sleep(4)
                during = flood.statuses(gone)
                self.assertNotIn(201, during)
                self.assertGreater(during[503], 0, "it is said that the database is away")
                self.assert_health_is_told()
            finally:
                self.system.up()
            flood.run_on(50, RECOVERY_SECONDS)

    def test_a_broker_that_is_gone(self) -> None:
        with self.flood() as flood:
            self.system.kill("nats")
            gone = time.monotonic()
            flood.run_on(300, 30)
            time.sleep(3)
            during = flood.statuses(gone)
            self.system.up()
            self.assertEqual(set(during), {201}, "orders are taken without it")

    def assert_health_is_told(self) -> None:
        """Asserts that what needs no database is served."""
        self.assertEqual(self.client.get("/healthz").status, 200)
