"""Every POST under an Idempotency-Key: one effect and one answer, whatever comes again, at once or to another replica."""

from __future__ import annotations

import contextlib
import signal
import threading
import uuid
from dataclasses import dataclass
from typing import Any, Callable, Iterator

from harness import Answer, Client, SystemTestCase, any_free_port, assert_books, eventually
from gozon_client import Client as RPCClient

REPLAYED = "Idempotent-Replayed"
METHODS = ("CreateAccount", "Deposit", "CreateOrder", "CreateOrder with an id", "CancelOrder")
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Post:
    """A request, another of the same method, and how to tell how often either had its effect."""

    path: str
    body: Any
    status: int
    other_path: str
    other_body: Any
    effects: Callable[[], int]

    def send(self, client: Client, key: str | None, *, other: bool = False) -> Answer:
        path, body = (self.other_path, self.other_body) if other else (self.path, self.body)
        return client.post(path, body, {"Idempotency-Key": key} if key else {})


class IdempotencyTests(SystemTestCase):
    def posts(self) -> dict[str, Post]:
        """A new request of each method."""
        user, newcomers = self.client.funded_user(1000), [str(uuid.uuid4()) for _ in range(2)]
        unwanted = [self.client.settled(self.client.order(user, amount)["id"])["id"] for amount in (7, 8)]

        def accounts() -> int:
            return sum(self.client.get(f"/v1/accounts/{name}").status == 200 for name in newcomers)

        def deposits() -> int:
            return sum(entry["kind"] == "DEPOSIT" for entry in self.client.entries_of(user)) - 1

        def orders() -> int:
            return len(self.client.orders_of(user)) - len(unwanted)

        def cancellations() -> int:
            found = [self.client.found(f"/v1/orders/{order}") for order in unwanted]
            return sum("cancelRequestedAt" in order for order in found)

        put, place = f"/v1/accounts/{user}/deposits", "/v1/orders"
        cancel = [f"/v1/orders/{order}/cancel" for order in unwanted]
        order = {"userId": user, "amount": 10}
        own, others = (order | {"id": str(uuid.uuid4())} for _ in range(2))
        open_ = [{"userId": name} for name in newcomers]
        return {
            "CreateAccount": Post("/v1/accounts", open_[0], 201, "/v1/accounts", open_[1], accounts),
            "Deposit": Post(put, {"amount": 5}, 201, put, {"amount": 6}, deposits),
            "CreateOrder": Post(place, order, 201, place, order | {"amount": 11}, orders),
            "CreateOrder with an id": Post(place, own, 201, place, others, orders),
            "CancelOrder": Post(cancel[0], None, 200, cancel[1], None, cancellations),
        }

    def of_each_method(self) -> list[tuple[str, Post]]:
        # Each with a user of its own, for the orders are counted.
        return [(name, self.posts()[name]) for name in METHODS]

    def test_a_repeat_has_the_same_answer_and_no_effect_and_another_request_is_refused(self) -> None:
        for name, post in self.of_each_method():
            with self.subTest(name):
                key = str(uuid.uuid4())
                first = post.send(self.client, key)
                self.assertEqual((first.status, first.headers[REPLAYED]), (post.status, None), first)
                for _ in range(2):
                    again = post.send(self.client, key)
                    self.assertEqual((again.status, again.body), (first.status, first.body), again)
                    self.assertEqual(again.headers[REPLAYED], "true")
                    self.assertEqual(again.headers["Location"], first.headers["Location"])
                problem = self.assert_problem(post.send(self.client, key, other=True), 422, "INVALID_ARGUMENT")
                self.assertIn("Idempotency-Key", problem["detail"])
                self.assertEqual(post.effects(), 1)
                # Under a key of its own it is a request like any other.
                other = post.send(self.client, str(uuid.uuid4()), other=True)
                self.assertEqual((other.status, other.headers[REPLAYED]), (post.status, None), other)
                self.assertEqual(post.effects(), 2)

    def test_blanks_in_json_make_no_other_request(self) -> None:
        user, headers = self.client.funded_user(0), {"Idempotency-Key": "blanks-" + str(uuid.uuid4())}
        first = self.client.post(f"/v1/accounts/{user}/deposits", b'{"amount":5}', headers | JSON)
        again = self.client.post(f"/v1/accounts/{user}/deposits", b'{ "amount" : 5 }', headers | JSON)
        self.assertEqual((first.status, again.status, again.body), (201, 201, first.body))
        self.assertEqual(self.client.balance(user), 5)

    def test_a_key_does_nothing_for_another_method(self) -> None:
        key = str(uuid.uuid4())
        for name, post in self.of_each_method():
            if name != "CreateOrder with an id":
                with self.subTest(name):
                    answer = post.send(self.client, key)
                    self.assertEqual((answer.status, answer.headers[REPLAYED]), (post.status, None), answer)

    def test_a_key_does_nothing_for_another_principal(self) -> None:
        users, key = [self.client.funded_user(0) for _ in range(2)], str(uuid.uuid4())
        with RPCClient(f"127.0.0.1:{self.system.ports['payments']}") as payments:
            for principal in [*users, None]:
                own = [("idempotency-key", key)] + ([("principal", principal)] if principal else [])
                request = {"userId": principal or users[0], "amount": 5}
                first, again = (payments.unary("Payments.Deposit", request, metadata=own) for _ in range(2))
                self.assertEqual(again, first)
        self.assertEqual([self.client.balance(user) for user in users], [10, 5])

    def test_what_had_no_effect_leaves_its_key_free(self) -> None:
        user, key = str(uuid.uuid4()), {"Idempotency-Key": str(uuid.uuid4())}
        path = f"/v1/accounts/{user}/deposits"
        self.assert_problem(self.client.post(path, {"amount": 5}, key), 404, "NOT_FOUND")
        self.client.created("/v1/accounts", {"userId": user})
        self.assertEqual(self.client.created(path, {"amount": 6}, key)["balance"], 6)

    def test_one_key_many_times_at_once_has_one_effect(self) -> None:
        for name, post in self.of_each_method():
            with self.subTest(name):
                key = str(uuid.uuid4())
                answers = self.at_once(20, lambda client: post.send(client, key))
                self.assert_one_effect(post, answers)

    def assert_one_effect(self, post: Post, answers: list[Answer]) -> None:
        """Asserts that one request had its effect, and that the others were answered like it or told to come again."""
        done = [answer for answer in answers if answer.status == post.status]
        self.assertEqual(len({answer.body for answer in done}), 1, [str(answer) for answer in answers])
        self.assertEqual([answer.headers[REPLAYED] for answer in done].count(None), 1)
        for answer in answers:
            if answer.status != post.status:
                problem = self.assert_problem(answer, 409, "ABORTED")
                self.assertIn("being worked on", problem["detail"])
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertEqual(post.effects(), 1)

    def test_while_the_first_is_running_a_second_is_told_to_come_again(self) -> None:
        user = self.client.funded_user(100)
        order, key = self.client.settled(self.client.order(user, 60)["id"])["id"], {"Idempotency-Key": str(uuid.uuid4())}
        path, answers = f"/v1/orders/{order}/cancel", []
        with self.stopped("payments"), contextlib.closing(self.system.client()) as client:
            # The cancellation waits for payments, which sleeps.
            first = threading.Thread(target=lambda: answers.append(client.post(path, None, key)))
            first.start()
            eventually(
                lambda: self.client.found(f"/v1/orders/{order}"), lambda found: "cancelRequestedAt" in found, "the record"
            )
            second = self.client.post(path, None, key)
            self.assert_problem(second, 409, "ABORTED")
            self.assertEqual(second.headers["Retry-After"], "1")
            other = self.client.post(f"/v1/orders/{uuid.uuid4()}/cancel", None, key)
            self.assert_problem(other, 422, "INVALID_ARGUMENT")
        first.join()
        self.assertEqual(answers[0].status, 200, answers[0])
        again = self.client.post(path, None, key)
        self.assertEqual((again.status, again.json["status"], again.headers[REPLAYED]), (200, "REFUNDED", "true"))
        assert_books(self, {user: 100}, {order: (user, 60)}, [order])

    @contextlib.contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        process = self.system.process(name)
        process.kill(signal.SIGSTOP)
        try:
            yield
        finally:
            process.kill(signal.SIGCONT)

    def test_two_replicas_with_the_same_key_at_once_have_one_effect_and_give_one_answer(self) -> None:
        address = self.second_of_each()
        for name in METHODS:
            for _ in range(5):
                with self.subTest(name):
                    post, key = self.posts()[name], str(uuid.uuid4())
                    barrier, answers = threading.Barrier(2), []

                    def send(client: Client) -> None:
                        client.connection.connect()
                        barrier.wait()
                        answers.append(post.send(client, key))

                    clients = [self.system.client(), self.system.client(address)]
                    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
                    for thread in threads:
                        thread.start()
                    for thread in threads:
                        thread.join()
                    for client in clients:
                        client.close()
                    # Neither knows of the other: the database has the second wait for the first.
                    self.assertEqual([answer.status for answer in answers], [post.status] * 2, answers)
                    self.assert_one_effect(post, answers)

    def second_of_each(self) -> str:
        """Starts a second process of each service with a gateway of their own; its address."""
        parts, ports = self.system.parts, [any_free_port() for _ in range(6)]
        for program in (
            parts.service("orders-2", ports[0], ports[1]),
            parts.service("payments-2", ports[2], ports[3]),
            parts.gateway(ports[4], ports[5], f"127.0.0.1:{ports[0]},127.0.0.1:{ports[2]}", name="gateway-2"),
        ):
            child = program.start()
            self.addCleanup(child.wait)
            self.addCleanup(program.process.stop)
            program.wait_ready(child)
        return f"127.0.0.1:{ports[4]}"

    def test_a_key_survives_whoever_is_killed(self) -> None:
        posts = self.of_each_method()
        keys = {name: str(uuid.uuid4()) for name, _ in posts}
        firsts = {name: post.send(self.client, keys[name]) for name, post in posts}
        for name in ("orders", "payments", "postgres"):
            self.system.kill(name)
        self.system.up()
        for name, post in posts:
            with self.subTest(name):
                again = post.send(self.client, keys[name])
                self.assertEqual((again.status, again.body), (post.status, firsts[name].body), again)
                self.assertEqual(again.headers[REPLAYED], "true")
                self.assertEqual(post.effects(), 1)
