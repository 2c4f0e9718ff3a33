"""Many at once: never a kopeck too much or too little."""

import uuid
from collections import Counter

from harness import SystemTestCase, assert_books


class ExactlyOnceTests(SystemTestCase):
    def test_a_hundred_concurrent_orders_spend_exactly_the_balance(self) -> None:
        user = self.client.funded_user(500)
        placed = self.at_once(100, lambda client: client.order(user, 10)["id"])
        ends = Counter((order["status"], order.get("reason")) for order in map(self.client.settled, placed))
        self.assertEqual(ends, {("FINISHED", None): 50, ("CANCELLED", "INSUFFICIENT_FUNDS"): 50})
        self.assertEqual(self.client.balance(user), 0)
        assert_books(self, {user: 500}, {order: (user, 10) for order in placed})

    def test_one_id_posted_fifty_times_at_once_is_one_order_and_one_charge(self) -> None:
        user, order = self.client.funded_user(1000), str(uuid.uuid4())
        answers = self.at_once(50, lambda client: client.order(user, 10, id=order, description="once"))
        self.assertEqual({answer["id"] for answer in answers}, {order})
        self.assertEqual(self.client.settled(order)["status"], "FINISHED")
        self.assertEqual(len(self.client.orders_of(user)), 1)
        self.assertEqual(self.client.balance(user), 990)
        assert_books(self, {user: 1000}, {order: (user, 10)})

    def test_a_settled_order_posted_again_comes_back_as_it_is(self) -> None:
        user, order = self.client.funded_user(100), str(uuid.uuid4())
        self.client.order(user, 10, id=order)
        settled = self.client.settled(order)
        self.assertEqual(self.client.order(user, 10, id=order), settled)
        answer = self.client.post("/v1/orders", {"id": order, "userId": user, "amount": 11})
        self.assert_problem(answer, 409, "ALREADY_EXISTS")
        self.assertEqual(self.client.balance(user), 90)

    def test_the_same_idempotency_key_gets_the_same_response(self) -> None:
        user = self.client.funded_user(100)
        for path, body in {
            "/v1/orders": {"userId": user, "amount": 10},
            f"/v1/accounts/{user}/deposits": {"amount": 5},
            "/v1/accounts": {"userId": str(uuid.uuid4())},
        }.items():
            with self.subTest(path):
                key = {"Idempotency-Key": str(uuid.uuid4())}
                first, second = self.client.post(path, body, key), self.client.post(path, body, key)
                self.assertEqual((first.status, first.body), (201, first.body), first)
                self.assertEqual((second.status, second.body), (201, first.body), second)
        for order in self.client.orders_of(user):
            self.client.settled(order["id"])
        self.assertEqual(self.client.balance(user), 95)
        assert_books(self, {user: 105})

    def test_one_idempotency_key_sent_twenty_times_at_once_has_one_effect(self) -> None:
        user, key = self.client.funded_user(1), {"Idempotency-Key": str(uuid.uuid4())}
        answers = self.at_once(20, lambda client: client.post(f"/v1/accounts/{user}/deposits", {"amount": 5}, key))
        # One that comes while the first is still running may be told so.
        self.assertLessEqual({answer.status for answer in answers}, {201, 409}, [str(answer) for answer in answers])
        self.assertEqual(len({answer.body for answer in answers if answer.status == 201}), 1)
        self.assertEqual(self.client.balance(user), 6)

    def test_an_idempotency_key_with_another_request_is_refused(self) -> None:
        user, key = self.client.funded_user(100), {"Idempotency-Key": str(uuid.uuid4())}
        path = f"/v1/accounts/{user}/deposits"
        self.client.created(path, {"amount": 5}, key)
        self.assert_problem(self.client.post(path, {"amount": 6}, key), 422)
        self.assertEqual(self.client.balance(user), 105)

    def test_an_order_without_an_account_or_in_another_currency_is_cancelled_with_the_reason(self) -> None:
        order = self.client.settled(self.client.order(str(uuid.uuid4()), 10)["id"])
        self.assertEqual((order["status"], order["reason"]), ("CANCELLED", "NO_ACCOUNT"))
        user = self.client.funded_user(100)
        order = self.client.settled(self.client.order(user, 10, currency="EUR")["id"])
        self.assertEqual((order["status"], order["reason"]), ("CANCELLED", "CURRENCY_MISMATCH"))
        self.assertEqual(self.client.balance(user), 100)
