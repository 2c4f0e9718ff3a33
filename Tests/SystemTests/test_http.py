"""What the public port answers to requests that are wrong."""

from __future__ import annotations

import json
import select
import socket
import uuid
from typing import Any

from harness import SystemTestCase


class HTTPTests(SystemTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.pids = self.system.pids()
        self.order: dict[str, Any] = {"userId": str(uuid.uuid4()), "amount": 10}

    def refuse(self, body: Any, pointer: str | None = None) -> dict[str, Any]:
        """Asserts that an order is refused as invalid, and where; a sound one on the same connection is not."""
        problem = self.assert_problem(self.client.post("/v1/orders", body), 400, "INVALID_ARGUMENT")
        if pointer is not None:
            self.assertIn(pointer, [error["pointer"] for error in problem.get("errors", [])], problem)
        return problem

    def test_json_cut_at_every_byte_is_refused(self) -> None:
        whole = json.dumps({**self.order, "currency": "RUB", "description": "t\u00e9a \U0001f375"}).encode()
        for length in range(len(whole)):
            with self.subTest(length):
                self.refuse(whole[:length])
        self.client.created("/v1/orders", json.loads(whole))
        self.assert_serving(self.pids)

    def test_fields_of_the_wrong_type_are_named(self) -> None:
        wrong = {
            "amount": [None, "10", True, [], {}, 1.5, 0, -1, 9007199254740992, 1e300],
            "userId": [None, 1, "", "x", "0" * 36, [], self.order["userId"] + "0"],
            "currency": [1, "", "rub", "RUBL", "R\u0423B", []],
            "description": [1, {}, ["x"], "x" * 1001],
            "id": [1, "", "not-a-uuid"],
        }
        for field, values in wrong.items():
            for value in values:
                with self.subTest(field=field, value=value):
                    self.refuse({**self.order, field: value}, f"/{field}")
        self.assert_serving(self.pids)

    def test_a_number_too_large_for_any_integer_is_refused(self) -> None:
        for number in (b"9" * 19, b"9" * 400, b"-" + b"9" * 400, b"1e99999999", b"0.1", b"01", b"+1", b"0x10", b"NaN"):
            with self.subTest(number):
                self.refuse(b'{"userId":"%s","amount":%s}' % (self.order["userId"].encode(), number))
        self.assert_serving(self.pids)

    def test_everything_wrong_is_named_at_once(self) -> None:
        problem = self.refuse({"userId": self.order["userId"], "amount": 0, "currency": "x"}, "/amount")
        self.assertIn("/currency", [error["pointer"] for error in problem["errors"]])

    def test_a_missing_field_is_named(self) -> None:
        self.refuse({"userId": self.order["userId"]}, "/amount")
        self.refuse({"amount": 10}, "/userId")

    def test_unknown_fields_are_refused_with_the_nearest_spelling(self) -> None:
        problem = self.refuse({**self.order, "ammount": 10}, "/ammount")
        self.assertIn("amount", problem["errors"][0]["detail"].replace("ammount", ""))

    def test_documents_that_are_no_object_are_refused(self) -> None:
        for body in (b"", b" ", b"[]", b"null", b"1", b'"x"', b"{}{}", b"{},", b"\xff\xfe", b'{"userId":"\xff"}'):
            with self.subTest(body):
                self.refuse(body)

    def test_documents_too_deep_are_refused(self) -> None:
        for depth in (50, 1000, 100_000):
            with self.subTest(depth):
                self.refuse(b'{"userId":' + b"[" * depth + b"]" * depth + b"}")
                self.refuse(b'{"x":' * depth + b"1" + b"}" * depth)
        self.assert_serving(self.pids)

    def test_a_body_too_long_is_refused_before_it_is_sent(self) -> None:
        host, _, port = self.system.address.partition(":")
        for length in (b"1099511627776", b"99999999999999999999999"):
            with self.subTest(length), socket.create_connection((host, int(port)), timeout=10) as connection:
                connection.sendall(
                    b"POST /v1/orders HTTP/1.1\r\nHost: gozon\r\nContent-Type: application/json\r\n"
                    b"Content-Length: " + length + b"\r\n\r\n"
                )
                status = connection.makefile("rb").readline()
                self.assertRegex(status, rb"^HTTP/1\.1 4(13|00) ")
        self.assert_serving(self.pids)

    def test_a_chunked_body_without_end_is_refused(self) -> None:
        host, _, port = self.system.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(
                b"POST /v1/orders HTTP/1.1\r\nHost: gozon\r\nContent-Type: application/json\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n"
            )
            chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
            # The answer comes amid the body, and some more of the body may be swallowed so that it can be read.
            connection.setblocking(False)
            answer, sent = b"", 0
            while not answer and sent < 1 << 30:
                readable, writable, _ = select.select([connection], [connection], [], 10)
                if readable:
                    answer = connection.recv(65536)
                    break
                if writable:
                    sent += connection.send(chunk)
        self.assertRegex(answer, rb"^HTTP/1\.1 413 ")
        self.assertLess(sent, 64 << 20)
        self.assert_serving(self.pids)

    def test_wrong_requests_on_the_http_port_never_end_the_process(self) -> None:
        host, _, port = self.system.address.partition(":")
        request = (
            b"POST /v1/orders HTTP/1.1\r\nHost: gozon\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        )
        pieces = [request[:length] for length in range(len(request))]
        pieces += [
            b"\0" * 100,
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n",
        ]
        pieces += [b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", bytes(range(256)) * 100]
        pieces += [
            request.replace(b"Length: 2", b"Length: " + length) for length in (b"-1", b"x", b"2, 3", b"+2", b"0x2")
        ]
        for piece in pieces:
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                try:
                    connection.sendall(piece)
                except OSError:
                    pass
        self.assert_serving(self.pids)

    def test_what_does_not_exist_is_404(self) -> None:
        for path in (f"/v1/orders/{uuid.uuid4()}", f"/v1/accounts/{uuid.uuid4()}"):
            self.assert_problem(self.client.get(path), 404, "NOT_FOUND")
        self.assert_problem(self.client.get("/v1/nonsense"), 404)
        self.assert_problem(self.client.post(f"/v1/accounts/{uuid.uuid4()}/deposits", {"amount": 1}), 404, "NOT_FOUND")

    def test_a_malformed_id_in_the_path_is_400(self) -> None:
        for path in ("/v1/orders/nonsense", "/v1/accounts/nonsense", "/v1/orders/%00", "/v1/orders/%zz"):
            with self.subTest(path):
                self.assert_problem(self.client.get(path), 400)

    def test_wrong_query_parameters_are_named(self) -> None:
        for query in (
            "pageSize=0",
            "pageSize=1001",
            "pageSize=x",
            "status=PAID",
            "userId=x",
            "colour=red",
            "pageToken=!",
        ):
            with self.subTest(query):
                self.assert_problem(self.client.get(f"/v1/orders?{query}"), 400)

    def test_a_method_that_a_path_does_not_have_is_405_with_allow(self) -> None:
        for method, path, allowed in (
            ("DELETE", "/v1/orders", {"GET", "POST"}),
            ("PUT", f"/v1/orders/{uuid.uuid4()}", {"GET"}),
            ("GET", "/v1/accounts", {"POST"}),
        ):
            with self.subTest(method=method, path=path):
                answer = self.client.request(method, path)
                self.assert_problem(answer, 405)
                self.assertLessEqual(allowed, {word.strip() for word in answer.headers["Allow"].split(",")})

    def test_a_body_that_is_not_json_is_415(self) -> None:
        body = json.dumps(self.order).encode()
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
            with self.subTest(kind):
                answer = self.client.post("/v1/orders", body, {"Content-Type": kind})
                self.assert_problem(answer, 415)
        self.assertEqual(
            self.client.post("/v1/orders", body, {"Content-Type": "application/json; charset=utf-8"}).status, 201
        )

    def test_a_second_account_of_a_user_is_409(self) -> None:
        user = self.client.funded_user(0)
        self.assert_problem(self.client.post("/v1/accounts", {"userId": user}), 409, "ALREADY_EXISTS")

    def test_creations_say_where_they_are(self) -> None:
        answer = self.client.post("/v1/orders", self.order)
        self.assertEqual(answer.headers["Location"], f"/v1/orders/{answer.json['id']}")
        user = str(uuid.uuid4())
        answer = self.client.post("/v1/accounts", {"userId": user})
        self.assertEqual(answer.headers["Location"], f"/v1/accounts/{user}")

    def test_an_unchanged_order_is_304(self) -> None:
        order = self.client.settled(self.client.order(**{"user": self.order["userId"], "amount": 1})["id"])
        tag = self.client.get(f"/v1/orders/{order['id']}").headers["ETag"]
        self.assertEqual(self.client.get(f"/v1/orders/{order['id']}", {"If-None-Match": tag}).status, 304)
        self.assertEqual(self.client.get(f"/v1/orders/{order['id']}", {"If-None-Match": '"other"'}).status, 200)

    def test_pages_cover_everything_once_newest_first(self) -> None:
        user = self.client.funded_user(0)
        placed = [self.client.order(user, amount)["id"] for amount in range(1, 12)]
        seen, token = [], ""
        while True:
            page = self.client.found(f"/v1/orders?userId={user}&pageSize=3" + (f"&pageToken={token}" if token else ""))
            self.assertLessEqual(len(page["orders"]), 3)
            seen += [order["id"] for order in page["orders"]]
            token = page.get("nextPageToken")
            if not token:
                break
        self.assertEqual(seen, placed[::-1])
