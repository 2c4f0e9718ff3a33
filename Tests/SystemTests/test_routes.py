"""Routes of a file: an older shop's paths lead to the methods, and the file counts as it is now."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import ClassVar

from harness import CHECKOUT, GozonSystem, SystemTestCase, eventually

EXAMPLE = CHECKOUT / "tools" / "routes" / "legacy.routes"


class RouteFileTests(SystemTestCase):
    file: ClassVar[Path]

    @classmethod
    def prepare(cls, system: GozonSystem) -> None:
        cls.file = system.home.path / "shop.routes"
        cls.file.write_text(EXAMPLE.read_text())
        system.environment["GOZON_ROUTES"] = str(cls.file)

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.write, EXAMPLE.read_text())
        # What the test before has left is over.
        eventually(lambda: self.client.get("/accounts/balance").status, lambda status: status == 400, "the example's routes")

    def write(self, text: str) -> None:
        """Changes the file as an editor does, which puts another in its place."""
        draft = self.file.with_suffix(".draft")
        draft.write_text(text)
        draft.replace(self.file)

    def log(self) -> str:
        return self.system.process("gateway").log_file.read_text()

    def test_deposits_with_the_user_in_the_body(self) -> None:
        user = self.client.funded_user(0)
        answer = self.client.post("/accounts/deposit", {"userId": user, "amount": 70})
        self.assertEqual((answer.status, answer.json["balance"]), (200, 70), answer)
        problem = self.assert_problem(self.client.post("/accounts/deposit", {"amount": 70}), 400, "INVALID_ARGUMENT")
        self.assertEqual(problem["errors"][0]["pointer"], "/userId")

    def test_the_balance_by_the_query(self) -> None:
        user = self.client.funded_user(30)
        answer = self.client.get(f"/accounts/balance?userId={user}")
        self.assertEqual((answer.status, answer.json["balance"]), (200, 30), answer)
        known = {"If-None-Match": answer.headers["ETag"]}
        self.assertEqual(self.client.get(f"/accounts/balance?userId={user}", known).status, 304)
        self.assert_problem(self.client.get("/accounts/balance"), 400)
        self.assert_problem(self.client.get(f"/accounts/balance?userId={uuid.uuid4()}"), 404, "NOT_FOUND")

    def test_deposits_with_the_user_in_the_path(self) -> None:
        user = self.client.funded_user(0)
        answer = self.client.post(f"/api/Accounts/{user}/deposit", {"amount": 5}, {"Idempotency-Key": str(uuid.uuid4())})
        self.assertEqual((answer.status, answer.json["userId"]), (201, user), answer)
        self.assertEqual(self.client.balance(user), 5)

    def test_orders_of_a_user_and_one_of_them(self) -> None:
        user = self.client.funded_user(100)
        orders = [self.client.settled(self.client.order(user, amount)["id"]) for amount in (1, 2, 3)]
        listed = self.client.found(f"/gateway/orders/{user}")["orders"]
        self.assertEqual([order["id"] for order in listed], [order["id"] for order in orders[::-1]])
        self.assertEqual(len(self.client.found(f"/gateway/orders/{user}?limit=2")["orders"]), 2)
        problem = self.assert_problem(self.client.get(f"/gateway/orders/{user}?limit=0"), 400)
        self.assertEqual(problem["errors"][0]["pointer"], "/limit")
        self.assert_problem(self.client.get(f"/gateway/orders/{user}?pageSize=2"), 400)
        one = self.client.get(f"/orders/{orders[0]['id']}")
        self.assertEqual((one.status, one.json), (200, orders[0]))
        self.assertIn("ETag", one.headers)

    def test_names_and_constants_of_the_file(self) -> None:
        user = self.client.funded_user(100)
        answer = self.client.post("/gateway/orders", {"customer": user, "price": 7, "description": "tea"})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual((answer.json["userId"], answer.json["amount"], answer.json["currency"]), (user, 7, "RUB"))
        self.assertEqual(answer.headers["Location"], f"/orders/{answer.json['id']}")
        problem = self.assert_problem(
            self.client.post("/gateway/orders", {"customer": "x", "price": 0, "currency": "EUR"}), 400
        )
        self.assertEqual([error["pointer"] for error in problem["errors"]], ["/customer", "/price", "/currency"])
        self.client.settled(answer.json["id"])
        self.assertEqual(self.client.found(f"/gateway/open-orders?customer={user}")["orders"], [])
        self.assert_problem(self.client.get(f"/gateway/open-orders?customer={user}&status=FINISHED"), 400)

    def test_a_changed_file_counts_without_a_restart(self) -> None:
        pids = self.system.pids()
        self.assertEqual(self.client.get("/new/orders").status, 404)
        self.write("GET /new/orders -> Orders.ListOrders\n")
        eventually(lambda: self.client.get("/new/orders").status, lambda status: status == 200, "the new route")
        self.assertEqual(self.client.get("/accounts/balance").status, 404)
        described = self.client.found("/openapi.json")["paths"]
        self.assertIn("/new/orders", described)
        self.assertNotIn("/accounts/balance", described)
        self.assert_serving(pids)

    def test_a_wrong_file_is_refused_by_its_line_and_the_old_one_stays(self) -> None:
        pids = self.system.pids()
        for text, mistake in (
            ("GET /x -> Orders.GetOrdr\n", "line 1: there is no method 'Orders.GetOrdr'; did you mean 'Orders.GetOrder'?"),
            ("# a\nGET /x/{userIdd} -> Orders.ListOrders\n", "line 2: ListOrdersRequest has no field 'userIdd'"),
            ("POST /v1/orders -> Orders.CancelOrder\n", "line 1: POST /v1/orders is a route to"),
            ("nonsense\n", "line 1: write a route as"),
        ):
            with self.subTest(mistake):
                self.write(text)
                eventually(self.log, lambda log: mistake in log, f"'{mistake}' in the log")
                self.assertEqual(self.client.get("/accounts/balance").status, 400)
                self.assertEqual(self.client.get("/x/1").status, 404)
        self.assert_serving(pids)

    def test_a_gateway_does_not_start_with_a_file_that_is_none(self) -> None:
        wrong = self.system.home.path / "wrong.routes"
        wrong.write_text("GET /a -> B.C\n  color red\n")
        parts = self.system.parts
        program = parts.gateway(0, 0, parts.backends, "gateway-2")
        child = type(program)(
            program.process, [*program.command, "--routes", str(wrong)], probe=program.probe
        ).start()
        self.assertNotEqual(child.wait(timeout=30), 0)
        log = program.process.log_file.read_text()
        self.assertIn(f"--routes: {wrong}: line 2: behind a route only", log)
        program.process.pid_file.unlink()
