"""An order's whole life is one trace, from the request to the update, and gateway, orders and payments tell it."""

from __future__ import annotations

import json
import uuid

from collector import Collector, Span
from harness import GozonSystem, SystemTestCase, eventually

SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5

ORDER_TREE = [
    ("gozon-gateway", SERVER, "POST /v1/orders"),
    ("gozon-gateway", CLIENT, "gozon.orders.Orders/CreateOrder"),
    ("gozon-orders", SERVER, "gozon.orders.Orders/CreateOrder"),
    ("gozon-orders", PRODUCER, "publish orders.created"),
    ("gozon-payments", CONSUMER, "process orders.created"),
    ("gozon-payments", PRODUCER, "publish payments.settled"),
    ("gozon-orders", CONSUMER, "process payments.settled"),
]
"""Each is the child of the one before."""


class TracingTests(SystemTestCase):
    collector: Collector

    @classmethod
    def prepare(cls, system: GozonSystem) -> None:
        cls.collector = Collector()
        cls.addClassCleanup(cls.collector.close)
        system.environment["GOZON_OTLP_ENDPOINT"] = cls.collector.endpoint

    def tearDown(self) -> None:
        self.assertEqual(self.collector.problems, [])

    def whole(self, trace: str, count: int) -> list[Span]:
        return eventually(
            lambda: self.collector.trace(trace), lambda spans: len(spans) >= count, f"{count} spans of trace {trace}"
        )

    def follow(self, spans: list[Span], parent: str, tree: list[tuple[str, int, str]]) -> list[Span]:
        """The spans of a chain of children below `parent`."""
        chain = []
        for service, kind, name in tree:
            found = [span for span in spans if span.parent == parent and span.name == name]
            self.assertEqual([(span.service, span.kind) for span in found], [(service, kind)], f"{name} in {spans}")
            chain += found
            parent = found[0].id
        return chain

    def test_an_order_is_one_trace_from_the_request_to_its_update(self) -> None:
        user = self.client.funded_user(50)
        order, trace, caller = str(uuid.uuid4()), uuid.uuid4().hex, "00f067aa0ba902b7"
        self.client.created(
            "/v1/orders",
            {"id": order, "userId": user, "amount": 20},
            {"traceparent": f"00-{trace}-{caller}-01", "X-Request-Id": "the-request"},
        )
        self.assertEqual(self.client.settled(order)["status"], "FINISHED")
        spans = self.whole(trace, len(ORDER_TREE))
        chain = self.follow(spans, caller, ORDER_TREE)
        self.assertEqual(len(spans), len(ORDER_TREE), "nothing else, and nothing twice")
        self.assertFalse(any(span.error for span in spans))
        http, call, served, *events = chain
        self.assertEqual(http.attributes["http.route"], "/v1/orders")
        self.assertEqual(http.attributes["http.response.status_code"], 201)
        for span in (http, served):
            self.assertEqual(span.attributes["gozon.request.id"], "the-request")
        self.assertLessEqual(http.start, call.start)
        self.assertLessEqual(call.end, http.end)
        self.assertEqual({span.attributes["gozon.order.id"] for span in events}, {order})

    def test_a_cancellation_is_a_trace_of_its_own(self) -> None:
        user = self.client.funded_user(50)
        order = self.client.order(user, 20)["id"]
        self.client.settled(order)
        trace, caller = uuid.uuid4().hex, "00f067aa0ba902b7"
        answer = self.client.post(f"/v1/orders/{order}/cancel", None, {"traceparent": f"00-{trace}-{caller}-01"})
        self.assertEqual(answer.json["status"], "REFUNDED")
        tree = [
            ("gozon-gateway", SERVER, "POST /v1/orders/{id}/cancel"),
            ("gozon-gateway", CLIENT, "gozon.orders.Orders/CancelOrder"),
            ("gozon-orders", SERVER, "gozon.orders.Orders/CancelOrder"),
            ("gozon-orders", PRODUCER, "publish orders.cancelled"),
            ("gozon-payments", CONSUMER, "process orders.cancelled"),
            ("gozon-payments", PRODUCER, "publish payments.settled"),
            ("gozon-orders", CONSUMER, "process payments.settled"),
        ]
        self.follow(self.whole(trace, len(tree)), caller, tree)

    def test_a_trace_that_nobody_began_begins_here(self) -> None:
        order = self.client.order(str(uuid.uuid4()), 5)["id"]
        self.client.settled(order)
        found = eventually(
            lambda: [
                spans
                for spans in map(self.collector.trace, self.collector.traces())
                if any(span.attributes.get("gozon.order.id") == order for span in spans)
                and len(spans) == len(ORDER_TREE)
            ],
            bool,
            "the trace of the order",
        )
        self.follow(found[0], "", ORDER_TREE)

    def test_what_is_not_sampled_leaves_no_span_but_keeps_its_trace(self) -> None:
        user, trace, caller = self.client.funded_user(50), uuid.uuid4().hex, "00f067aa0ba902b7"
        order = str(uuid.uuid4())
        self.client.created(
            "/v1/orders",
            {"id": order, "userId": user, "amount": 20},
            {"traceparent": f"00-{trace}-{caller}-00"},
        )
        self.client.settled(order)
        story = json.loads(self.system.client_tool("order", order, "--json").stdout)
        headers = [message["headers"]["traceparent"] for message in story["messages"]]
        self.assertEqual(headers, [f"00-{trace}-{caller}-00"] * 2)
        # What comes later has come: so nothing of this one is on its way.
        self.test_an_order_is_one_trace_from_the_request_to_its_update()
        self.assertEqual(self.collector.trace(trace), [])

    def test_an_error_is_said_where_it_is(self) -> None:
        trace, caller = uuid.uuid4().hex, "00f067aa0ba902b7"
        answer = self.client.get(f"/v1/orders/{uuid.uuid4()}", {"traceparent": f"00-{trace}-{caller}-01"})
        self.assertEqual(answer.status, 404)
        tree = [
            ("gozon-gateway", SERVER, "GET /v1/orders/{id}"),
            ("gozon-gateway", CLIENT, "gozon.orders.Orders/GetOrder"),
            ("gozon-orders", SERVER, "gozon.orders.Orders/GetOrder"),
        ]
        chain = self.follow(self.whole(trace, 3), caller, tree)
        self.assertEqual([span.error for span in chain], [False, True, False], "a caller's mistake is no server's error")
        self.assertEqual([span.attributes.get("rpc.response.status_code") for span in chain][1:], ["NOT_FOUND"] * 2)

    def test_spans_are_counted_and_none_is_lost(self) -> None:
        self.client.order(self.client.funded_user(50), 20)

        def lost() -> list[float]:
            figures = [self.system.metrics(name) for name in ("gateway", "orders", "payments")]
            return [
                each.value("gozon_trace_spans_recorded_total") - each.value("gozon_trace_spans_exported_total")
                for each in figures
            ]

        eventually(lost, lambda counts: counts == [0, 0, 0], "every span to be exported")
        self.assertGreater(self.system.metrics("orders").value("gozon_trace_spans_exported_total"), 0)
