"""What the gateway gives its clients at most, and clients that want to take more: beside them others are served."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import select
import socket
import time
import unittest
from typing import Iterator, Mapping

from harness import Answer, Client, eventually
from programs import HTTPProbe, lone_gateway

MEGABYTE = 1_000_000
MEMORY_MAX = 300 * MEGABYTE
PATIENCE_SECONDS = 5
"""How long a healthy client may wait beside the others: far longer than it does, far shorter than the others wait."""


@contextlib.contextmanager
def descriptors() -> Iterator[int]:
    """As many descriptors as there may be, for this process and those that it starts; how many that are."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        yield before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


class GatewayLimitTests(unittest.TestCase):
    def ask(self, gateway: HTTPProbe, method: str, path: str, headers: Mapping[str, str] = {}) -> Answer:
        with contextlib.closing(Client(f"127.0.0.1:{gateway.port}", headers=headers)) as client:
            return client.request(method, path)

    def test_a_rate_is_kept_and_told(self) -> None:
        # So slow that nothing comes back while the test runs.
        with lone_gateway(GOZON_RATE_LIMIT="1", GOZON_RATE_BURST="500") as gateway:
            with contextlib.closing(Client(f"127.0.0.1:{gateway.port}")) as client:
                answers = [client.get("/v1/orders") for _ in range(1_000)]
                self.assertEqual(answers[0].headers["RateLimit-Policy"], '"address";q=500;w=500')
                self.assertEqual(answers[0].headers["RateLimit"], '"address";r=499;t=1')
                refused = answers[-1]
                self.assertEqual(refused.status, 429)
                self.assertRegex(refused.headers["Retry-After"], "^[12]$")
                self.assertRegex(refused.headers["RateLimit"], r'^"address";r=0;t=\d+$')
                self.assertEqual(refused.headers.get_content_type(), "application/problem+json")
                self.assertEqual(refused.json["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded")
                self.assertEqual(refused.json["violated-policies"], ["address"])
                for page, status in (("/healthz", 200), ("/readyz", 503)):
                    self.assertEqual({client.get(page).status for _ in range(20)}, {status}, page)
            self.assertEqual(self.ask(gateway, "GET", "/v1/orders", {"X-Forwarded-For": "1.1.1.1"}).status, 429)

    def test_behind_a_proxy_callers_are_told_apart_by_what_it_says(self) -> None:
        with lone_gateway(GOZON_RATE_LIMIT="1", GOZON_RATE_BURST="3", GOZON_PROXY_HOPS="1") as gateway:
            greedy = {"X-Forwarded-For": "2.2.2.2, 1.1.1.1"}
            statuses = [self.ask(gateway, "GET", "/v1/orders", greedy).status for _ in range(20)]
            self.assertIn(429, statuses)
            self.assertEqual(self.ask(gateway, "GET", "/v1/orders", {"X-Forwarded-For": "1.1.1.2"}).status, 503)

    def test_pages_of_named_origins_may_call(self) -> None:
        shop = "https://shop.example"
        with lone_gateway(GOZON_CORS_ORIGINS=f"{shop},http://localhost:3000") as gateway:
            told = self.ask(gateway, "GET", "/v1/orders", {"Origin": shop}).headers
            self.assertEqual((told["Access-Control-Allow-Origin"], told["Vary"]), (shop, "Origin"))
            self.assertIn("ETag", told["Access-Control-Expose-Headers"])
            asking = {"Origin": shop, "Access-Control-Request-Method": "GET"}
            preflight = self.ask(gateway, "OPTIONS", "/", asking)
            self.assertEqual(preflight.status, 204)
            self.assertIn("GET", preflight.headers["Access-Control-Allow-Methods"])
            self.assertIn("Authorization", preflight.headers["Access-Control-Allow-Headers"])
            for origin in ("https://evil.example", "null"):
                stranger = self.ask(gateway, "OPTIONS", "/", {**asking, "Origin": origin}).headers
                self.assertEqual((stranger["Access-Control-Allow-Origin"], stranger["Vary"]), (None, "Origin"))

    # Clients that mean no good

    def serving(self, gateway: HTTPProbe) -> None:
        """Asserts that a healthy client is answered in time, and that the gateway takes little memory."""
        started = time.monotonic()
        self.assertEqual(gateway.status("/healthz"), {"status": "ok"})
        self.assertLess(time.monotonic() - started, PATIENCE_SECONDS)
        self.assertLess(gateway.memory(), MEMORY_MAX)

    def test_10_000_idle_connections(self) -> None:
        with descriptors() as limit, lone_gateway() as gateway, contextlib.ExitStack() as stack:
            count = min(9_900, limit - 500)
            self.assertGreater(count, 2_000, "too few descriptors for this test")
            kept = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
            stack.callback(kept.close)
            for number in range(count):
                stack.enter_context(gateway.connect())
                if number % 1_000 == 0:
                    self.serving(gateway)
                    kept.request("GET", "/healthz")
                    self.assertEqual(kept.getresponse().read(), b'{"status":"ok"}\n')
            self.serving(gateway)
            kept.request("GET", "/healthz")
            self.assertEqual(kept.getresponse().status, 200)

    def test_heads_that_come_byte_by_byte(self) -> None:
        with descriptors(), lone_gateway() as gateway, contextlib.ExitStack() as stack:
            slow = [stack.enter_context(gateway.connect()) for _ in range(500)]
            for connection in slow:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
                connection.setblocking(False)
            deadline = time.monotonic() + 40
            while slow and time.monotonic() < deadline:
                slow = [connection for connection in slow if self.trickle(connection)]
                self.serving(gateway)
                time.sleep(0.2)
            self.assertEqual(slow, [], "some were not shed")

    def trickle(self, connection: socket.socket) -> bool:
        """Sends one byte more; whether the connection still lives."""
        try:
            if select.select([connection], [], [], 0)[0] and not connection.recv(65_536):
                return False
            connection.send(b"a")
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def test_a_head_without_end(self) -> None:
        with lone_gateway() as gateway:
            for beginning, more, status in (
                (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a: " + b"b" * 1_000 + b"\r\n", b"431"),
                (b"GET / HTTP/1.1\r\nHost: x\r\na: ", b"b" * 1_000, b"431"),
                (b"GET /", b"a" * 1_000, b"414"),
            ):
                with gateway.connect() as connection:
                    connection.sendall(beginning)
                    # The answer may come, and the connection end, while more is sent.
                    with contextlib.suppress(ConnectionError):
                        for _ in range(100):
                            connection.sendall(more)
                    self.assertEqual(connection.recv(65_536).split()[1], status)
                self.serving(gateway)

    def test_bodies_that_are_never_whole(self) -> None:
        """500 MB of bodies that lack their ends: some are refused, before they take the memory."""
        with descriptors(), lone_gateway() as gateway, contextlib.ExitStack() as stack:
            head = b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            lengths = (b"Content-Length: 1000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nF0000\r\n")
            connections: list[socket.socket] = []
            for number in range(550):
                connection = stack.enter_context(gateway.connect())
                connection.settimeout(20)
                with contextlib.suppress(ConnectionError):
                    connection.sendall(head + lengths[number % 2] + b" " * 900_000)
                if number % 50 == 0:
                    self.serving(gateway)
                connections.append(connection)
            refused: set[socket.socket] = set()

            def refusals() -> int:
                refused.update(one for one in connections if one not in refused and self.refused(one))
                return len(refused)

            eventually(refusals, lambda count: count > 100, "more than 100 refusals")
            self.serving(gateway)
            # Others may still send what they have.
            with contextlib.closing(Client(f"127.0.0.1:{gateway.port}")) as client:
                answer = client.post("/v1/orders", {"userId": "x"})
                self.assertIn("No such route is known yet", answer.json["detail"])

    def refused(self, connection: socket.socket) -> bool:
        """Whether an answer has come: 503, to be tried again."""
        if not select.select([connection], [], [], 0)[0]:
            return False
        try:
            answer = connection.recv(65_536)
        except ConnectionError:
            return True
        if answer:
            self.assertIn(b"HTTP/1.1 503 ", answer)
            self.assertIn(b"\r\nRetry-After: 1\r\n", answer)
            self.assertEqual(json.loads(answer.partition(b"\r\n\r\n")[2])["code"], "UNAVAILABLE")
        return True


if __name__ == "__main__":
    unittest.main()
