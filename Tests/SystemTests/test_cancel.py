"""Orders that are cancelled before, during and after their charge."""

import random
import signal
import threading
import time
import uuid

from harness import SystemTestCase, assert_books, eventually

CANCELLED = ["CREATED", "CANCEL_REQUESTED", "CANCELLED CANCELLED_BY_USER"]


class CancelTests(SystemTestCase):
    def test_a_paid_order_is_refunded_exactly_once(self) -> None:
        user = self.client.funded_user(100)
        order = self.client.settled(self.client.order(user, 60)["id"])
        self.assertEqual(self.client.balance(user), 40)
        refunded = self.client.cancel(order["id"])
        self.assertEqual(refunded["status"], "REFUNDED")
        self.assertNotIn("reason", refunded)
        self.assertEqual(self.client.cancel(order["id"]), refunded)
        self.assertEqual(self.client.found(f"/v1/orders/{order['id']}"), refunded)
        self.assertEqual(self.client.balance(user), 100)
        entries = [(entry["kind"], entry["amount"], entry["balance"]) for entry in self.client.entries_of(user)]
        self.assertEqual(entries, [("REFUND", 60, 100), ("CHARGE", -60, 40), ("DEPOSIT", 100, 100)])
        self.assertEqual(
            self.client.timeline(order["id"]), ["CREATED", "FINISHED", "CANCEL_REQUESTED", "REFUNDED"]
        )
        assert_books(self, {user: 100}, {order["id"]: (user, 60)}, [order["id"]])

    def test_an_order_that_could_not_be_paid_stays_as_it_is(self) -> None:
        order = self.client.settled(self.client.order(str(uuid.uuid4()), 60)["id"])
        self.assertEqual((order["status"], order["reason"]), ("CANCELLED", "NO_ACCOUNT"))
        self.assertEqual(self.client.cancel(order["id"]), order)
        self.assertEqual(self.client.timeline(order["id"]), ["CREATED", "CANCELLED NO_ACCOUNT"])

    def test_an_order_that_nobody_placed_is_not_found(self) -> None:
        order = uuid.uuid4()
        self.assert_problem(self.client.post(f"/v1/orders/{order}/cancel", None), 404, "NOT_FOUND")
        self.assert_problem(self.client.get(f"/v1/orders/{order}/events"), 404, "NOT_FOUND")
        self.assert_problem(self.client.post("/v1/orders/17/cancel", None), 400, "INVALID_ARGUMENT")

    def test_cancelled_fifty_times_at_once_an_order_is_refunded_once(self) -> None:
        user = self.client.funded_user(100)
        order = self.client.settled(self.client.order(user, 60)["id"])["id"]
        answers = self.at_once(50, lambda client: client.cancel(order))
        self.assertTrue(all(answer == answers[0] for answer in answers), answers)
        self.assertEqual(answers[0]["status"], "REFUNDED")
        assert_books(self, {user: 100}, {order: (user, 60)}, [order])

    def test_an_idempotency_key_gets_the_same_response(self) -> None:
        user, key = self.client.funded_user(100), {"Idempotency-Key": str(uuid.uuid4())}
        order = self.client.order(user, 60)["id"]
        first, second = (self.client.post(f"/v1/orders/{order}/cancel", None, key) for _ in range(2))
        self.assertEqual((first.status, second.status, first.body), (200, 200, second.body))

    def test_cancelled_while_payments_is_away_an_order_is_never_charged(self) -> None:
        user = self.client.funded_user(100)
        paid = self.client.settled(self.client.order(user, 30)["id"])["id"]
        payments = self.system.process("payments")
        payments.kill(signal.SIGSTOP)
        try:
            unpaid = self.client.order(user, 60)["id"]
            started = time.monotonic()
            pending = {order: self.client.cancel(order) for order in (paid, unpaid)}
            self.assertLess(time.monotonic() - started, 20, "a caller is answered, whatever payments does")
        finally:
            payments.kill(signal.SIGCONT)
        self.assertEqual([pending[paid]["status"], pending[unpaid]["status"]], ["FINISHED", "NEW"])
        self.assertIn("cancelRequestedAt", pending[paid])
        self.assertIn("cancelRequestedAt", pending[unpaid])
        eventually(lambda: self.client.balance(user), lambda balance: balance == 100, "the money to be back")
        assert_books(self, {user: 100}, {}, [paid, unpaid])

    def test_two_hundred_races_between_charge_and_cancellation_end_one_way_each(self) -> None:
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        user = self.client.funded_user(700)
        ends: dict[str, str] = {}

        def race(delays: list[float]) -> None:
            client = self.system.client()
            for delay in delays:
                order = client.order(user, 10)["id"]
                time.sleep(delay)
                ends[order] = client.cancel(order)["status"]
            client.close()

        plans = [[dice.choice((0, dice.uniform(0, 0.03))) for _ in range(25)] for _ in range(8)]
        threads = [threading.Thread(target=race, args=(plan,)) for plan in plans]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with self.subTest(seed=seed):
            self.assertEqual(len(ends), 200)
            self.assertLessEqual(set(ends.values()), {"CANCELLED", "REFUNDED"})
            self.assertEqual(self.client.balance(user), 700)
            for order, status in ends.items():
                timeline = self.client.timeline(order)
                if status == "REFUNDED":
                    self.assertEqual(sorted(timeline), ["CANCEL_REQUESTED", "CREATED", "FINISHED", "REFUNDED"])
                    self.assertEqual((timeline[0], timeline[-1]), ("CREATED", "REFUNDED"))
                elif "CANCELLED INSUFFICIENT_FUNDS" not in timeline:
                    self.assertEqual(timeline, CANCELLED)
            assert_books(self, {user: 700}, {order: (user, 10) for order in ends}, ends)
