"""Frames from a client that is not ours: sound ones are answered, and no wrong one ends a process. How each breach of
the protocol is answered is in Tests/Conformance; here it is about the services."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import uuid
from typing import Iterator

from conversation import Conversation, schema
from harness import SystemTestCase
from gozon_client import Client, Frame, Hello, Kind, RPCError, Status

ANSWERS_TO_SPOILED = (Status.OK, Status.INVALID_ARGUMENT, Status.ALREADY_EXISTS)
"""A spoiled user or amount is another order under an id that is taken."""
SCHEMA = schema()
CREATE_ORDER, REFLECT = SCHEMA.method("Orders.CreateOrder"), SCHEMA.method("Server.Reflect")
NOTHING = SCHEMA.encode(REFLECT.request, {})
HELLO = Hello().frame().pack()
ENTRY_SIZE = 4


def create_order() -> bytes:
    order = {"userId": str(uuid.uuid4()), "amount": 1, "currency": "RUB", "description": "t\u00e9a"}
    return SCHEMA.encode(CREATE_ORDER.request, {**order, "id": str(uuid.uuid4())})


class FrameTests(SystemTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.pids = self.system.pids()
        self.port = self.system.ports["orders"]

    @contextlib.contextmanager
    def conversation(self, seconds: float | None = None) -> Iterator[Conversation]:
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            conversation = Conversation(connection, SCHEMA, is_server=False)
            connection.settimeout(seconds or connection.gettimeout())
            yield conversation

    def answers(self, *pieces: bytes) -> list[Frame]:
        """Everything that the service answers to bytes until it hangs up, which it does once we have."""
        with self.conversation() as conversation:
            # It may have hung up at an earlier piece.
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    conversation.send(piece)
                conversation.follow([{"stop sending": True}])
            return list(iter(conversation.read, None))

    def assert_refused(self, piece: bytes) -> None:
        """Asserts that bytes behind a greeting are answered with a reason why the service hangs up."""
        last = self.answers(HELLO, piece)[-1]
        self.assertEqual((last.kind, last.code), (Kind.GOAWAY, 2), last)
        self.assertGreater(len(last.payload), 10)

    def status_of_order(self, conversation: Conversation, message: bytes) -> Status:
        """The status that a message gets as the request of CreateOrder."""
        conversation.follow([{"send": {"kind": "REQUEST", "method": CREATE_ORDER.name, "hex": message.hex()}}])
        answer = conversation.read()
        assert answer and answer.kind == Kind.RESPONSE, answer
        return Status(answer.code)

    def test_an_order_is_placed_and_paid_by_a_foreign_client(self) -> None:
        user, at = str(uuid.uuid4()), "127.0.0.1"
        with Client(f"{at}:{self.system.ports['payments']}") as payments, Client(f"{at}:{self.port}") as orders:
            payments.unary("Payments.CreateAccount", {"userId": user})
            for _ in range(2):
                deposit = payments.unary(
                    "Payments.Deposit", {"userId": user, "amount": 50}, metadata=[("idempotency-key", "once")]
                )
                self.assertEqual([deposit[name] for name in ("amount", "currency", "balance")], [50, "RUB", 50])
            placed = orders.unary("Orders.CreateOrder", {"userId": user, "amount": 20, "description": "t\u00e9a"})
            self.assertEqual([placed[name] for name in ("amount", "description", "status")], [20, "t\u00e9a", "NEW"])
            with self.assertRaises(RPCError) as caught:
                orders.unary("Orders.GetOrder", {"id": str(uuid.uuid4())})
            self.assertEqual(caught.exception.status, Status.NOT_FOUND)
            with self.assertRaises(RPCError) as caught:
                orders.unary("Orders.CreateOrder", {"userId": user, "amount": 0, "currency": "roubles"})
            pointers = [violation["pointer"] for violation in caught.exception.violations]
            self.assertEqual(pointers, ["/amount", "/currency"])
            settled = self.client.settled(placed["id"])
            self.assertEqual(orders.unary("Orders.GetOrder", {"id": placed["id"]}), settled, "the same as over HTTP")
        self.assertEqual(settled["status"], "FINISHED")
        self.assertEqual(self.client.balance(user), 30)

    def test_a_conversation_cut_at_every_byte(self) -> None:
        request = Frame(Kind.REQUEST, 1, code=REFLECT.code, value=1000, payload=NOTHING)
        whole = HELLO + request.pack()
        for length in range(len(whole)):
            self.answers(whole[:length])
        self.assertEqual([answer.kind for answer in self.answers(whole)], [Kind.HELLO, Kind.RESPONSE])
        self.assert_serving(self.pids)

    def test_a_frame_with_any_byte_spoiled_is_refused(self) -> None:
        sound = Frame(Kind.REQUEST, 1, code=CREATE_ORDER.code, value=1000, payload=create_order()).pack()
        for position in range(len(sound)):
            spoiled = bytearray(sound)
            spoiled[position] ^= 0xFF
            with self.subTest(position):
                self.assert_refused(bytes(spoiled))
        self.assert_serving(self.pids)

    def test_a_message_with_any_byte_spoiled_is_answered_and_the_connection_goes_on(self) -> None:
        sound = create_order()
        with self.conversation() as conversation:
            conversation.greet()
            for position in range(len(sound)):
                for value in {0x00, 0x01, 0x7F, 0x80, 0xFF, sound[position] ^ 1} - {sound[position]}:
                    spoiled = bytearray(sound)
                    spoiled[position] = value
                    status = self.status_of_order(conversation, bytes(spoiled))
                    self.assertIn(status, ANSWERS_TO_SPOILED, f"byte {position} set to {value}")
            for length in range(len(sound)):
                status = self.status_of_order(conversation, sound[:length])
                self.assertEqual(status, Status.INVALID_ARGUMENT, length)
            self.assertEqual(self.status_of_order(conversation, sound), Status.OK)
        self.assert_serving(self.pids)

    def test_offsets_and_lengths_that_lie_are_answered(self) -> None:
        sound = create_order()
        with self.conversation() as conversation:
            conversation.greet()
            for position in range(len(sound) - ENTRY_SIZE):
                for lie in (0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, len(sound), len(sound) + 1):
                    spoiled = sound[:position] + struct.pack("<I", lie) + sound[position + ENTRY_SIZE :]
                    self.assertIn(self.status_of_order(conversation, spoiled), ANSWERS_TO_SPOILED)
        self.assert_serving(self.pids)

    def test_garbage(self) -> None:
        dice = random.Random(1)
        for _ in range(200):
            self.answers(dice.randbytes(dice.randint(1, 4096)))
            self.answers(HELLO, dice.randbytes(dice.randint(1, 4096)))
        self.assert_serving(self.pids)

    def test_a_client_that_reads_no_answers_is_not_read_from_for_ever(self) -> None:
        call = Frame(Kind.REQUEST, code=REFLECT.code, value=1000, payload=NOTHING)
        with self.conversation(seconds=1) as conversation:
            conversation.greet()
            stuck = False
            for stream in range(1, 200_000):
                try:
                    conversation.send(call._replace(stream=stream).pack())
                except (TimeoutError, ConnectionError):
                    stuck = True
                    break
            self.assertTrue(stuck, "the server took 200,000 calls without an answer being read")
            self.assert_serving(self.pids)

    def test_a_thousand_connections_that_say_nothing(self) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(1000):
                stack.enter_context(socket.create_connection(("127.0.0.1", self.port)))
            self.assert_serving(self.pids)
