"""The client tool, as people and scripts meet it."""

from __future__ import annotations

import json
import uuid
from typing import Any

from harness import SystemTestCase

NOT_WELL, WRONG_COMMAND_LINE, STATUS = 1, 2, 64
INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED, UNAVAILABLE = 3, 5, 12, 14


class ClientToolTests(SystemTestCase):
    def documents(self, *arguments: str) -> list[dict[str, Any]]:
        """What the tool prints with --json."""
        return [json.loads(line) for line in self.system.client_tool(*arguments, "--json").stdout.splitlines()]

    def assert_fails(self, code: int, *arguments: str, **variables: str) -> str:
        """Asserts the exit status; what the tool complained."""
        answer = self.system.client_tool(*arguments, check=False, **variables)
        self.assertEqual(answer.returncode, code, answer)
        return answer.stderr

    def test_the_methods_of_every_server_are_listed_and_described(self) -> None:
        methods = {document["method"]: document for document in self.documents("list")}
        self.assertLessEqual({"Orders.CreateOrder", "Payments.Deposit"}, set(methods))
        self.assertEqual(methods["Orders.CreateOrder"]["http"], ["POST /v1/orders"])
        described = self.system.client_tool("describe", "Orders.CreateOrder").stdout
        for word in ("CreateOrderRequest", "userId", "1 to 9007199254740991", "NEW"):
            self.assertIn(word, described + self.system.client_tool("describe", "OrderStatus").stdout)

    def test_a_call_prints_the_response_or_ends_with_the_status(self) -> None:
        user, order = self.client.funded_user(10), str(uuid.uuid4())
        request = json.dumps({"id": order, "userId": user, "amount": 10})
        placed = json.loads(self.system.client_tool("call", "Orders.CreateOrder", request).stdout)
        self.assertEqual((placed["id"], placed["status"]), (order, "NEW"))
        settled = self.client.settled(order)
        answer = self.system.client_tool("call", "Orders.GetOrder", json.dumps({"id": order}))
        self.assertEqual(json.loads(answer.stdout), settled, "the same JSON as over HTTP")

        unknown = json.dumps({"id": str(uuid.uuid4())})
        self.assertIn("NOT_FOUND", self.assert_fails(STATUS + NOT_FOUND, "call", "Orders.GetOrder", unknown))
        self.assertIn("/id", self.assert_fails(STATUS + INVALID_ARGUMENT, "call", "Orders.GetOrder", '{"id": "x"}'))
        self.assert_fails(STATUS + UNIMPLEMENTED, "call", "Orders.Nonsense")
        self.assert_fails(STATUS + UNAVAILABLE, "call", "Orders.GetOrder", unknown, GOZON_BACKENDS="127.0.0.1:1")
        self.assert_fails(WRONG_COMMAND_LINE, "nonsense")
        self.assert_fails(WRONG_COMMAND_LINE, "call", "Orders.GetOrder", "--colour", "red")

    def test_health_names_what_is_missing(self) -> None:
        self.assertEqual({server["status"] for server in self.documents("health")}, {"SERVING"})
        self.system.kill("payments")
        complaint = self.system.client_tool("health", check=False)
        self.assertEqual(complaint.returncode, NOT_WELL)
        self.assertIn("UNREACHABLE", complaint.stdout)
        self.system.up()

    def test_the_messages_of_an_order_are_shown_decoded(self) -> None:
        user = self.client.funded_user(10)
        order = self.client.settled(self.client.order(user, 7)["id"])
        streams = {document["config"]["name"]: document for document in self.documents("stream", "ls")}
        self.assertLessEqual({"ORDERS", "PAYMENTS", "DEAD"}, set(streams))
        self.assertEqual(streams["DEAD"]["state"]["messages"], 0)
        for stream, kind, member in (
            ("ORDERS", "gozon.events.OrderCreated", {"amount": 7}),
            ("PAYMENTS", "gozon.events.OrderSettled", {"outcome": "CHARGED"}),
        ):
            newest = self.documents("stream", "view", stream)[-1]
            self.assertEqual(newest["type"], kind)
            self.assertEqual(newest["message"], {**newest["message"], **member, "orderId": order["id"], "userId": user})
            self.assertTrue(newest["headers"]["Nats-Msg-Id"])
            self.assertIn(order["id"], self.system.client_tool("stream", "view", stream).stdout)
        self.assertIn("payments", self.system.client_tool("stream", "info", "ORDERS").stdout)

    def test_a_load_is_measured(self) -> None:
        (report,) = self.documents("bench", "Orders.ListOrders", "--duration", "300ms", "--concurrency", "8")
        self.assertGreater(report["calls"], 10)
        self.assertEqual(report["failures"], {})
