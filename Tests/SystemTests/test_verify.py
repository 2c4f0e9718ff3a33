"""What the client tool tells of orders and money: whether all is right, everything of one order, and the dead letters."""

from __future__ import annotations

import json
import signal
import uuid
from typing import Any

from harness import Load, SystemTestCase, assert_books, eventually

NOT_WELL, STATUS, NOT_FOUND = 1, 64, 5


class VerifyTests(SystemTestCase):
    def documents(self, *arguments: str, check: bool = True) -> list[dict[str, Any]]:
        """What the tool prints with --json."""
        answer = self.system.client_tool(*arguments, "--json", check=check)
        return [json.loads(line) for line in answer.stdout.splitlines()]

    def broken(self) -> dict[str, list[dict[str, str]]]:
        """The checks that are broken, with what is told of each."""
        return {
            document["check"]: document["offending"]
            for document in self.documents("verify", check=False)
            if not document["holds"]
        }

    def dead(self, order: str) -> list[dict[str, Any]]:
        """The letters about an order, once there is one."""
        return eventually(
            lambda: [letter for letter in self.documents("dead", "ls") if letter["order"] == order],
            lambda letters: letters, f"a dead letter about {order}",
        )

    def test_all_holds_while_orders_are_placed_and_cancelled(self) -> None:
        deposits = {self.client.funded_user(100_000): 100_000 for _ in range(5)}
        with Load([self.system.address], list(deposits)) as load:
            for _ in range(8):
                load.run_on(40)
                self.assertEqual(self.broken(), {})
        self.assertEqual(load.refusals, [])
        self.assertGreater(len(load.cancelled), 0)
        assert_books(self, deposits, load.accepted, load.cancelled)
        answer = self.system.client_tool("verify")
        self.assertEqual(answer.stdout.splitlines()[-1], "all 12 checks hold")

    def test_what_somebody_has_broken_is_named(self) -> None:
        order = self.client.settled(self.client.order(self.client.funded_user(10), 7)["id"])["id"]
        self.system.sql("orders", f"UPDATE orders SET amount = 8 WHERE id = '{order}'")
        answer = self.system.client_tool("verify", check=False)
        self.assertEqual(answer.returncode, NOT_WELL, answer)
        self.assertIn(f"order {order} costs 8 RUB, and its charge is of 7 RUB", answer.stdout)
        self.assertEqual(answer.stdout.splitlines()[-1], "1 of 12 checks is broken: outcomes")
        self.system.sql("orders", f"UPDATE orders SET amount = 7 WHERE id = '{order}'")
        self.assertEqual(self.broken(), {})

    def test_everything_is_told_of_an_order(self) -> None:
        user = self.client.funded_user(10)
        order = self.client.settled(self.client.order(user, 7, description="tea")["id"])["id"]
        self.client.cancel(order)
        (document,) = self.documents("order", order)
        self.assertEqual((document["order"]["status"], document["order"]["description"]), ("REFUNDED", "tea"))
        self.assertEqual(
            [event["kind"] for event in document["timeline"]],
            [event["kind"] for event in self.client.found(f"/v1/orders/{order}/events")["events"]],
        )
        self.assertEqual([(entry["kind"], entry["amount"]) for entry in document["entries"]],
                         [("CHARGE", -7), ("REFUND", 7)])
        self.assertEqual(
            [(message["stream"], message["type"].rpartition(".")[2]) for message in document["messages"]],
            [("ORDERS", "OrderCreated"), ("ORDERS", "OrderCancelled"), ("PAYMENTS", "OrderSettled"),
             ("PAYMENTS", "OrderSettled")],
        )
        self.assertEqual([message["isProcessed"] for message in document["messages"]], [True] * 4)
        self.assertEqual(document["messages"][0]["message"]["amount"], 7)
        text = self.system.client_tool("order", order).stdout
        self.assertIn("CHARGE -7, which leaves 3", text)
        unknown = self.system.client_tool("order", str(uuid.uuid4()), check=False)
        self.assertEqual(unknown.returncode, STATUS + NOT_FOUND, unknown)

    def test_a_message_that_is_poison_no_more_is_replayed_to_its_effect(self) -> None:
        user = self.client.funded_user(10)
        # A rule that somebody added refuses the order's charge, and nothing else.
        self.system.sql("payments", "ALTER TABLE charges ADD CONSTRAINT no_seven CHECK (amount <> 7) NOT VALID")
        order = self.client.order(user, 7)["id"]
        sequence = str(self.dead(order)[0]["sequence"])
        # Nobody asks for the payment meanwhile.
        orders = self.system.process("orders")
        orders.kill(signal.SIGSTOP)
        try:
            payments = f"127.0.0.1:{self.system.ports['payments']}"
            (shown,) = self.documents("dead", "show", sequence, "--backends", payments)
            self.assertEqual(shown["message"]["orderId"], order)
            self.system.sql("payments", "ALTER TABLE charges DROP CONSTRAINT no_seven")
            self.assertEqual(self.client.balance(user), 10)
            replayed = self.system.client_tool("dead", "replay", "--all").stdout
            self.assertIn(f"dead letter {sequence} is replayed as ORDERS ", replayed)
            eventually(lambda: self.client.balance(user), lambda balance: balance == 3, "the replayed charge")
        finally:
            orders.kill(signal.SIGCONT)
        self.assertEqual(self.client.settled(order)["status"], "FINISHED")
        self.assertNotIn(order, [letter["order"] for letter in self.documents("dead", "ls")])
        self.assertEqual(self.broken(), {})

    def test_a_message_that_stays_poison_comes_back(self) -> None:
        order = str(uuid.uuid4())
        self.system.publish("orders.created.0", b"\x01\x02\xff", Gozon_Order=order, Gozon_Type="gozon.events.OrderCreated")
        (letter,) = self.dead(order)
        self.assertIn("not a gozon.events.OrderCreated", letter["reason"])
        self.assertIn("0102ff", self.system.client_tool("dead", "show", str(letter["sequence"])).stdout)
        self.system.client_tool("dead", "replay", str(letter["sequence"]))
        eventually(
            lambda: [found["sequence"] for found in self.dead(order)],
            lambda sequences: sequences and sequences != [letter["sequence"]], "the letter to come back")
        self.assertEqual(self.broken(), {})
