"""Live updates over HTTP: as events, as lines and by WebSocket, while processes come and go."""

from __future__ import annotations

import json
import socket
import threading
import urllib.parse
import uuid
from typing import Any, Iterator

from harness import Client, Program, SystemTestCase, any_free_port, eventually
from websocket import CLOSE, PING, TEXT, WebSocket

PATIENCE_SECONDS = 60


class Stream:
    """A GET whose body is read while it comes; a thread reads it."""

    def __init__(
        self, address: str, path: str, accept: str = "text/event-stream", reads: bool = True, **headers: str
    ) -> None:
        host, _, port = address.rpartition(":")
        self.connection = socket.socket()
        if not reads:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.connection.settimeout(PATIENCE_SECONDS)
        self.connection.connect((host, int(port)))
        lines = [f"GET {path} HTTP/1.1", f"Host: {address}", f"Accept: {accept}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.file = self.connection.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.type = ""
        while line := self.file.readline().strip().decode():
            name, _, value = line.partition(": ")
            self.type = value if name.lower() == "content-type" else self.type
        self.lines: list[str] = []
        self.ended = ""
        """How the body ended: `whole`, or what broke it off; empty while it lasts."""
        if reads:
            self.read()

    def read(self) -> None:
        """Reads the body from now on."""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        text = b""
        try:
            while size := int(self.file.readline(), 16):
                text += self.file.read(size)
                self.file.readline()
                *lines, text = text.split(b"\n")
                self.lines += [line.decode() for line in lines]
            self.ended = "whole"
        except (OSError, ValueError) as error:
            self.ended = f"{error!r}"

    def close(self) -> None:
        self.connection.close()

    @property
    def orders(self) -> list[dict[str, Any]]:
        """What came: the data of events, or lines."""
        texts = [line.removeprefix("data: ") for line in list(self.lines)]
        return [json.loads(text) for text in texts if text.startswith("{")]

    @property
    def cursor(self) -> str:
        """The last event's id; empty when there was none."""
        return ([line for line in list(self.lines) if line.startswith("id: ")] or [""])[-1].removeprefix("id: ")

    def states(self, order: str) -> list[str]:
        """The states of an order that came."""
        return [state["status"] for state in self.orders if state.get("id") == order]

    def wait_for(self, order: str, status: str) -> None:
        eventually(lambda: self.states(order), lambda states: states[-1:] == [status], f"{order} to be {status}")


class WatchTests(SystemTestCase):
    def stream(self, path: str, address: str | None = None, **others: Any) -> Stream:
        stream = Stream(address or self.system.address, path, **others)
        self.addCleanup(stream.close)
        self.assertEqual(stream.status, 200)
        return stream

    def test_a_user_sees_orders_from_their_taking_to_their_end(self) -> None:
        user = self.client.funded_user(100)
        events = self.stream(f"/v1/users/{user}/orders/watch")
        self.assertEqual(events.type, "text/event-stream")
        lines = self.stream(f"/v1/users/{user}/orders/watch", accept="application/x-ndjson")
        self.assertEqual(lines.type, "application/x-ndjson")
        paid, unpaid = (self.client.order(user, amount)["id"] for amount in (60, 900))
        for stream in (events, lines):
            stream.wait_for(paid, "FINISHED")
            stream.wait_for(unpaid, "CANCELLED")
        self.client.cancel(paid)
        for stream in (events, lines):
            stream.wait_for(paid, "REFUNDED")
            self.assertEqual(stream.states(paid)[0], "NEW")
            self.assertEqual(stream.states(unpaid), ["NEW", "CANCELLED"])
            last = [order for order in stream.orders if order["id"] == paid][-1]
            self.assertTrue(last.pop("cursor"))
            self.assertEqual(last, self.client.found(f"/v1/orders/{paid}"))
        self.assertEqual(events.lines[0], "retry: 1000")

    def test_one_order_is_watched_by_its_id_and_a_stranger_is_told_so(self) -> None:
        order = self.client.order(self.client.funded_user(5), 5)["id"]
        self.stream(f"/v1/orders/{order}/watch").wait_for(order, "FINISHED")
        for path, status in (
            (f"/v1/orders/{uuid.uuid4()}/watch", 404),
            (f"/v1/orders/{order}/watch?cursor=nonsense", 400),
            ("/v1/users/me/orders/watch", 400),
        ):
            self.assert_problem(self.client.get(path, {"Accept": "text/event-stream"}), status)
        self.assert_problem(self.client.get(f"/v1/orders/{order}/watch", {"Accept": "text/html"}), 406)
        self.assert_problem(self.client.post(f"/v1/orders/{order}/watch", None), 405)

    def test_who_comes_back_gets_what_changed_since_whatever_was_restarted(self) -> None:
        user = self.client.funded_user(1000)
        first = self.client.order(user, 1)["id"]
        events = self.stream(f"/v1/users/{user}/orders/watch")
        events.wait_for(first, "FINISHED")
        cursor = events.cursor
        self.assertTrue(self.system.process("gateway").stop())
        eventually(lambda: events.ended, bool, "the stream to end with its gateway")
        self.assertEqual(events.ended, "whole")
        self.system.up()
        client = self.system.client()
        self.addCleanup(client.close)
        missed = client.order(user, 2)["id"]
        client.settled(missed)
        again = self.stream(f"/v1/users/{user}/orders/watch", Last_Event_ID=cursor)
        again.wait_for(missed, "FINISHED")
        self.assertEqual([order["id"] for order in again.orders], [missed])
        new = client.order(user, 3)["id"]
        again.wait_for(new, "FINISHED")
        # The cursor in the query is for those who cannot set headers; it is passed over for the one in the header.
        by_query = self.stream(f"/v1/users/{user}/orders/watch?cursor={urllib.parse.quote(again.cursor)}")
        self.client.close()
        last = client.order(user, 4)["id"]
        by_query.wait_for(last, "FINISHED")
        self.assertEqual({order["id"] for order in by_query.orders}, {last})

    def test_a_stream_outlives_the_process_of_orders_behind_it(self) -> None:
        user = self.client.funded_user(1000)
        events = self.stream(f"/v1/users/{user}/orders/watch")
        order = self.client.order(user, 1)["id"]
        events.wait_for(order, "FINISHED")
        for round in range(2):
            if round == 0:
                self.system.kill("orders")
            else:
                self.assertTrue(self.system.process("orders").stop())
            self.system.up()
            order = self.client.order(user, 1)["id"]
            events.wait_for(order, "FINISHED")
        self.assertEqual(events.ended, "")
        self.assertFalse([line for line in events.lines if line.startswith("event: error")])
        # Nothing was told twice but where the stream was taken up, and nothing went back.
        ranks = {"NEW": 0, "FINISHED": 1}
        for one in {order["id"] for order in events.orders}:
            states = [ranks[state] for state in events.states(one)]
            self.assertEqual(states, sorted(states))

    def start(self, program: Program) -> None:
        child = program.start()
        self.addCleanup(child.wait)
        self.addCleanup(program.process.stop)
        program.wait_ready(child)

    def test_what_one_replica_changes_is_told_by_another(self) -> None:
        parts, ports = self.system.parts, [any_free_port() for _ in range(4)]
        self.start(parts.service("orders-2", ports[0], ports[1]))
        payments = f"127.0.0.1:{self.system.ports['payments']}"
        self.start(parts.gateway(ports[2], ports[3], f"127.0.0.1:{ports[0]},{payments}", name="gateway-2"))
        other = f"127.0.0.1:{ports[2]}"
        user = self.client.funded_user(1000)
        here = self.stream(f"/v1/users/{user}/orders/watch")
        there = self.stream(f"/v1/users/{user}/orders/watch", other)
        second = Client(other)
        self.addCleanup(second.close)
        orders = [client.order(user, 1)["id"] for client in (self.client, second) * 5]
        for stream in (here, there):
            for order in orders:
                stream.wait_for(order, "FINISHED")
                self.assertEqual(stream.states(order), ["NEW", "FINISHED"])

    def test_by_websocket_each_order_is_a_text(self) -> None:
        user = self.client.funded_user(1000)
        host, _, port = self.system.address.rpartition(":")
        connection = socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)
        self.addCleanup(connection.close)
        watch = WebSocket(connection, f"/v1/users/{user}/orders/watch")
        self.assertIn(" 101 ", watch.status)
        watch.send(TEXT, b"whatever a client says is passed over")
        watch.send(PING, b"hi")
        order = self.client.order(user, 1)["id"]
        states = []
        for state in self.texts(watch):
            self.assertEqual(state["id"], order)
            states.append(state["status"])
            if states[-1] == "FINISHED":
                break
        self.assertEqual(states, ["NEW", "FINISHED"])
        self.assertEqual(watch.close()[:2], (1000).to_bytes(2, "big"))

    def texts(self, watch: WebSocket) -> Iterator[dict[str, Any]]:
        while True:
            opcode, payload = watch.receive()
            self.assertNotEqual(opcode, CLOSE, payload)
            if opcode == TEXT:
                yield json.loads(payload)

    def test_a_slow_reader_ends_with_the_truth(self) -> None:
        user = self.client.funded_user(1_000_000)
        path = f"/v1/users/{user}/orders/watch"
        streams = [self.stream(path, reads=False)]
        # More than the buffers on the way hold.
        description = "d" * 1000
        orders = self.at_once(
            8, lambda client: [client.order(user, 1, description=description)["id"] for _ in range(60)]
        )
        expected = {order for some in orders for order in some}
        for order in expected:
            self.client.settled(order)
        streams[0].read()

        def known() -> dict[str, str]:
            # Who does not read at all for half a minute is cut off, and comes back as a browser does.
            if streams[-1].ended:
                cursors = [stream.cursor for stream in streams if stream.cursor]
                streams.append(self.stream(path, **({"Last_Event_ID": cursors[-1]} if cursors else {})))
            return {order["id"]: order["status"] for stream in streams for order in stream.orders}

        eventually(
            known,
            lambda states: set(states) == expected and set(states.values()) == {"FINISHED"},
            "every order to be told as it is",
        )

    def test_the_client_tool_prints_what_comes(self) -> None:
        order = self.client.order(self.client.funded_user(5), 5)["id"]
        self.client.settled(order)
        answer = self.system.client_tool(
            "call", "Orders.WatchOrders", json.dumps({"id": order}), "--timeout", "2s", check=False
        )
        self.assertEqual([json.loads(line)["status"] for line in answer.stdout.splitlines()][:1], ["FINISHED"], answer)
