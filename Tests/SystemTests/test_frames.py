"""Frames from a client that is not ours: sound ones are answered, and no wrong one ends a process."""

from __future__ import annotations

import random
import struct
import uuid

from frames import CANCEL, GO_AWAY, HELLO, PING, PONG, REQUEST, RESPONSE
from frames import Frame, FrameConnection, decode, encode, frame, hello, metadata
from harness import SystemTestCase

CHECK_HEALTH, REFLECT = 0x0101, 0x0102
CREATE_ORDER, GET_ORDER = 0x1001, 0x1002
CREATE_ACCOUNT, DEPOSIT = 0x1101, 0x1103
OK, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, UNIMPLEMENTED = 0, 3, 4, 5, 6, 12
ANSWERS_TO_SPOILED = (OK, INVALID_ARGUMENT, ALREADY_EXISTS)
"""A spoiled user or amount is another order under an id that is taken."""
SHUTDOWN, PROTOCOL_VIOLATION, VERSION_MISMATCH = 1, 2, 3


def create_order(user: str, amount: int = 1) -> bytes:
    return encode(
        [("uuid", user), ("int64", amount), ("string", "RUB"), ("string", "t\u00e9a"), ("uuid", str(uuid.uuid4()))]
    )


class FrameTests(SystemTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.pids = self.system.pids()
        self.port = self.system.ports["orders"]

    def answers(self, *pieces: bytes, greeted: bool = True) -> list[Frame]:
        """Everything a service answers to bytes until it hangs up, which it does once we have."""
        with FrameConnection(self.port) as connection:
            if greeted:
                connection.greet()
            for piece in pieces:
                connection.send(piece)
            connection.finish()
            return list(iter(connection.read, None))

    def assert_refused(self, *pieces: bytes, reason: int = PROTOCOL_VIOLATION, greeted: bool = True) -> str:
        """Asserts that bytes are answered with the reason why the server hangs up; what it says."""
        last = self.answers(*pieces, greeted=greeted)[-1]
        self.assertEqual((last.kind, last.code), (GO_AWAY, reason), last)
        self.assertGreater(len(last.payload), 10)
        return last.payload.decode()

    def test_an_order_is_placed_and_paid_by_a_foreign_client(self) -> None:
        user = str(uuid.uuid4())
        with FrameConnection(self.system.ports["payments"]) as payments, FrameConnection(self.port) as orders:
            self.assertEqual(payments.greet().kind, HELLO)
            self.assertEqual(orders.greet().kind, HELLO)
            self.assertEqual(payments.call(CREATE_ACCOUNT, encode([("uuid", user), ("string", None)]))[0], OK)
            key = {"idempotency-key": "once"}
            for _ in range(2):
                status, deposit = payments.call(DEPOSIT, encode([("uuid", user), ("int64", 50)]), pairs=key)
                self.assertEqual(status, OK)
                self.assertEqual(
                    decode(["uuid", "uuid", "int64", "string", "int64"], deposit)[1:], [user, 50, "RUB", 50]
                )
            status, order = orders.call(CREATE_ORDER, create_order(user, 20))
            self.assertEqual(status, OK)
            placed, payer, amount, currency, description, stands = decode(
                ["uuid", "uuid", "int64", "string", "string", "enum"], order
            )
            self.assertEqual((payer, amount, currency, description, stands), (user, 20, "RUB", "t\u00e9a", 1))
            self.assertEqual(orders.call(GET_ORDER, encode([("uuid", str(uuid.uuid4()))]))[0], NOT_FOUND)
        self.assertEqual(self.client.settled(placed)["status"], "FINISHED")
        self.assertEqual(self.client.balance(user), 30)

    def test_pings_are_answered_between_calls(self) -> None:
        with FrameConnection(self.port) as connection:
            connection.greet()
            connection.send(frame(PING, value=42))
            pong = connection.read()
            self.assertEqual((pong.kind, pong.value), (PONG, 42))
            self.assertEqual(connection.call(CHECK_HEALTH, encode([]))[0], OK)

    def test_a_newer_client_with_more_fields_is_understood(self) -> None:
        fields = [("uuid", str(uuid.uuid4())), ("int64", 1), ("string", None), ("string", None), ("uuid", None)]
        with FrameConnection(self.port) as connection:
            connection.greet()
            newer = encode([*fields, ("string", "from the future"), ("int64", 7)])
            self.assertEqual(connection.call(CREATE_ORDER, newer)[0], OK)
            self.assertEqual(connection.call(CREATE_ORDER, encode(fields[:2]))[0], OK)

    def test_a_conversation_cut_at_every_byte(self) -> None:
        whole = hello() + frame(
            REQUEST, metadata({"request-id": "x"}) + encode([]), stream=1, flags=1, code=REFLECT, value=1000
        )
        for length in range(len(whole)):
            self.answers(whole[:length], greeted=False)
        self.assertEqual([answer.kind for answer in self.answers(whole, greeted=False)], [HELLO, RESPONSE])
        self.assert_serving(self.pids)

    def test_a_frame_with_any_byte_spoiled_is_refused(self) -> None:
        sound = frame(REQUEST, create_order(str(uuid.uuid4())), stream=1, code=CREATE_ORDER, value=1000)
        for position in range(len(sound)):
            spoiled = bytearray(sound)
            spoiled[position] ^= 0xFF
            with self.subTest(position):
                self.assert_refused(bytes(spoiled))
        self.assert_serving(self.pids)

    def test_a_message_with_any_byte_spoiled_is_answered_and_the_connection_goes_on(self) -> None:
        sound = create_order(str(uuid.uuid4()))
        with FrameConnection(self.port) as connection:
            connection.greet()
            for position in range(len(sound)):
                for value in {0x00, 0x01, 0x7F, 0x80, 0xFF, sound[position] ^ 1} - {sound[position]}:
                    spoiled = bytearray(sound)
                    spoiled[position] = value
                    status, _ = connection.call(CREATE_ORDER, bytes(spoiled))
                    self.assertIn(status, ANSWERS_TO_SPOILED, f"byte {position} set to {value}")
            for length in range(len(sound)):
                self.assertEqual(connection.call(CREATE_ORDER, sound[:length])[0], INVALID_ARGUMENT, length)
            self.assertEqual(connection.call(CREATE_ORDER, sound)[0], OK)
        self.assert_serving(self.pids)

    def test_offsets_and_lengths_that_lie_are_answered(self) -> None:
        sound = create_order(str(uuid.uuid4()))
        with FrameConnection(self.port) as connection:
            connection.greet()
            for position in range(len(sound) - 4):
                for lie in (0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, len(sound), len(sound) + 1):
                    spoiled = sound[:position] + struct.pack("<I", lie) + sound[position + 4 :]
                    self.assertIn(connection.call(CREATE_ORDER, spoiled)[0], ANSWERS_TO_SPOILED)
        self.assert_serving(self.pids)

    def test_metadata_that_lies_is_answered(self) -> None:
        wrong = [
            b"",
            b"\xff",
            b"\xff\xff",
            b"\x01\x00",
            b"\x03\x00\x01a",
            b"\x04\x00\x01a\xff\xff",
            b"\x04\x00\x00a\0\0",
        ]
        wrong += [b"\x04\x00\x01\xff\x00\x00", metadata({f"name-{number}": "" for number in range(40)})]
        with FrameConnection(self.port) as connection:
            connection.greet()
            for stream, payload in enumerate(wrong, 1):
                connection.send(frame(REQUEST, payload, stream=stream, flags=1, code=CHECK_HEALTH, value=1000))
                answer = connection.read()
                self.assertEqual((answer.kind, answer.code), (RESPONSE, INVALID_ARGUMENT), payload)
        self.assert_serving(self.pids)

    def test_calls_that_cannot_be_made_are_answered(self) -> None:
        with FrameConnection(self.port) as connection:
            connection.greet()
            self.assertEqual(connection.call(0xFFFF, encode([]))[0], UNIMPLEMENTED)
            self.assertEqual(connection.call(DEPOSIT, encode([]))[0], UNIMPLEMENTED)
            self.assertEqual(connection.call(CHECK_HEALTH, encode([]), milliseconds=0)[0], DEADLINE_EXCEEDED)
            self.assertEqual(connection.call(CHECK_HEALTH, encode([]), milliseconds=0xFFFFFFFF)[0], OK)

    def test_breaches_of_the_protocol_are_named(self) -> None:
        call = {"code": CHECK_HEALTH, "value": 1000}
        breaches = {
            "unknown kind": (frame(99),),
            "unknown flags": (frame(PING, flags=0x80),),
            "stream 0": (frame(REQUEST, encode([]), stream=0, **call),),
            "stream again": (frame(REQUEST, encode([]), stream=2, **call),) * 2,
            "a second hello": (hello(),),
            "a response": (frame(RESPONSE, encode([]), stream=1),),
            "a cancel of nothing": (frame(CANCEL, stream=7),),
            "too long": (frame(REQUEST, stream=1, length=0xFFFFFFFF, **call),),
        }
        for name, pieces in breaches.items():
            with self.subTest(name):
                self.assert_refused(*pieces)
        for name, first in {
            "a request": frame(REQUEST, encode([]), stream=1, **call),
            "no magic": hello(b"HTTP"),
        }.items():
            with self.subTest(name):
                self.assert_refused(first, greeted=False)
        self.assert_refused(hello(versions=(2, 9)), reason=VERSION_MISMATCH, greeted=False)
        self.assert_serving(self.pids)

    def test_http_and_tls_on_the_rpc_port_are_told_where_they_are(self) -> None:
        self.assertIn("HTTP", self.assert_refused(b"GET / HTTP/1.1\r\nHost: gozon\r\n\r\n", greeted=False))
        greeting = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)
        self.assertIn("TLS", self.assert_refused(greeting, greeted=False))
        self.assert_serving(self.pids)

    def test_garbage(self) -> None:
        dice = random.Random(1)
        for _ in range(200):
            self.answers(dice.randbytes(dice.randint(1, 4096)), greeted=False)
            self.answers(dice.randbytes(dice.randint(1, 4096)))
        self.assert_serving(self.pids)

    def test_a_client_that_reads_no_answers_is_not_read_from_for_ever(self) -> None:
        call = encode([])
        with FrameConnection(self.port, timeout=1) as connection:
            connection.greet()
            stuck = False
            for stream in range(1, 200_000):
                try:
                    connection.socket.sendall(frame(REQUEST, call, stream=stream, code=REFLECT, value=1000))
                except (TimeoutError, ConnectionError):
                    stuck = True
                    break
            self.assertTrue(stuck, "the server took 200,000 calls without an answer being read")
            self.assert_serving(self.pids)

    def test_a_thousand_connections_that_say_nothing(self) -> None:
        connections = [FrameConnection(self.port) for _ in range(1000)]
        try:
            self.assert_serving(self.pids)
        finally:
            for connection in connections:
                connection.close()
