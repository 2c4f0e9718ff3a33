"""Each part killed under load and started again: every accepted order settles, and nothing is charged twice."""

import shutil
import signal
import time
from typing import Callable

from harness import Load, SystemTestCase, assert_books

USERS = 20
DEPOSIT = 4000
"""Some users run out of money during a test, so that refusals are settled too."""


class FaultTests(SystemTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.deposits = {self.client.funded_user(DEPOSIT): DEPOSIT for _ in range(USERS)}

    def under_load(self, fault: Callable[[], None]) -> None:
        """A fault amid a running load, which goes on until the system has taken orders again."""
        with Load([self.system.address], list(self.deposits)) as load:
            load.run_on(300)
            self.load = load
            fault()
            load.run_on(300)
        self.assertEqual(load.refusals, [])
        assert_books(self, self.deposits, load.accepted, load.cancelled)

    def kill_and_start_again(self, name: str) -> None:
        self.system.kill(name)
        time.sleep(0.5)
        self.system.up()

    def test_orders_killed_under_load(self) -> None:
        self.under_load(lambda: self.kill_and_start_again("orders"))

    def test_payments_killed_under_load(self) -> None:
        self.under_load(lambda: self.kill_and_start_again("payments"))

    def test_gateway_killed_under_load(self) -> None:
        self.under_load(lambda: self.kill_and_start_again("gateway"))

    def test_nats_killed_under_load(self) -> None:
        self.under_load(lambda: self.kill_and_start_again("nats"))

    def test_postgres_killed_under_load(self) -> None:
        self.under_load(lambda: self.kill_and_start_again("postgres"))

    def test_everything_killed_at_once_under_load(self) -> None:
        def fault() -> None:
            for name in ("gateway", "payments", "nats", "orders", "postgres"):
                self.system.process(name).kill()
            for name in self.system.pids():
                self.assertTrue(self.system.process(name).wait_gone(10), name)
            self.system.up()

        self.under_load(fault)

    def test_jetstream_store_wiped_while_orders_are_in_flight(self) -> None:
        def fault() -> None:
            # Payments sleeps, so that what is taken meanwhile is in the stream, and nowhere else but in the outbox.
            self.system.process("payments").kill(signal.SIGSTOP)
            self.load.run_on(200)
            self.system.kill("nats")
            shutil.rmtree(self.system.home.nats)
            self.system.process("payments").kill(signal.SIGCONT)
            self.system.up()

        self.under_load(fault)
