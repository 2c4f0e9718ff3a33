"""Every figure is there, is what Prometheus reads, and moves with what it counts."""

from __future__ import annotations

import json
import math
import os
import re
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Callable

from figures import Figures
from harness import CHECKOUT, SystemTestCase, eventually

SERVICES = ("gateway", "orders", "payments")


class MetricTests(SystemTestCase):
    def figures(self, service: str) -> Figures:
        return self.system.metrics(service)

    def grows(self, service: str, work: Callable[[], object], *names: str, **labels: str) -> None:
        """Asserts that figures are greater after some work than before."""
        before = self.figures(service)
        work()
        for name in names:
            eventually(
                lambda: self.figures(service).value(name, **labels),
                lambda value: value > before.value(name, **labels),
                f"{name} {labels} of {service} to grow from {before.value(name, **labels)}",
            )

    def test_the_figures_of_a_process_are_those_of_the_system(self) -> None:
        for service in SERVICES:
            with self.subTest(service):
                figures, pid = self.figures(service), self.system.pids()[service]
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                resident = figures.value("process_resident_memory_bytes")
                self.assertLess(abs(resident - pages * os.sysconf("SC_PAGESIZE")), 64 << 20)
                self.assertLessEqual(abs(figures.value("process_open_fds") - len(os.listdir(f"/proc/{pid}/fd"))), 3)
                self.assertGreater(figures.value("process_max_fds"), 100)
                self.assertGreater(figures.value("process_cpu_seconds_total"), 0)
                started = os.stat(f"/proc/{pid}").st_mtime
                self.assertLess(abs(figures.value("process_start_time_seconds") - started), 5)

    def test_a_histogram_adds_up(self) -> None:
        self.client.order(self.client.funded_user(5), 5)
        for service in SERVICES:
            for family in self.figures(service).families.values():
                if family.type != "histogram":
                    continue
                series: dict[tuple, dict[float, float]] = {}
                counts: dict[tuple, float] = {}
                for sample in family.samples:
                    labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
                    if sample.name.endswith("_bucket"):
                        series.setdefault(labels, {})[float(sample.labels["le"])] = sample.value
                    elif sample.name.endswith("_count"):
                        counts[labels] = sample.value
                for labels, buckets in series.items():
                    values = [buckets[bound] for bound in sorted(buckets)]
                    self.assertEqual(values, sorted(values), f"{family.name} {labels}")
                    self.assertEqual(buckets[math.inf], counts[labels], f"{family.name} {labels}")

    def test_requests_move_the_figures_of_their_route_and_of_nothing_else(self) -> None:
        route = {"method": "GET", "route": "/v1/orders/{id}"}
        for status in ("404", "400"):
            id = uuid.uuid4() if status == "404" else "no-uuid"
            self.grows(
                "gateway",
                lambda: self.client.get(f"/v1/orders/{id}"),
                "gozon_http_responses_total",
                status=status,
                **route,
            )
        self.grows(
            "gateway",
            lambda: self.client.get(f"/v1/orders/{uuid.uuid4()}"),
            "gozon_http_duration_seconds_count",
            **route,
        )
        for path in ("/v1/nothing", "/x/" + "y" * 50, "/v1/orders/1/2/3"):
            self.client.get(path)
        self.grows("gateway", lambda: self.client.get("/v1/nothing"), "gozon_http_responses_total", route="unmatched")
        routes = self.figures("gateway").labels("gozon_http_responses_total", "route")
        self.assertFalse([route for route in routes if "y" in route.split("/") or "nothing" in route], routes)
        self.assertLess(len(routes), 30)
        self.assertEqual(self.figures("gateway").value("gozon_http_running"), 0)

    def test_calls_move_the_figures_of_their_method(self) -> None:
        method = {"method": "gozon.orders.Orders/GetOrder"}
        self.grows(
            "orders",
            lambda: self.client.get(f"/v1/orders/{uuid.uuid4()}"),
            "gozon_rpc_server_started_total",
            "gozon_rpc_server_duration_seconds_count",
            **method,
        )
        self.grows(
            "orders",
            lambda: self.client.get(f"/v1/orders/{uuid.uuid4()}"),
            "gozon_rpc_server_ended_total",
            status="NOT_FOUND",
            **method,
        )

    def test_an_order_moves_the_figures_of_every_step(self) -> None:
        user = self.client.funded_user(100)

        def order() -> None:
            self.client.settled(self.client.order(user, 1)["id"])

        self.grows(
            "orders",
            order,
            "gozon_batch_size_count",
            "gozon_batch_duration_seconds_count",
            "gozon_batch_wait_seconds_count",
            batch="orders",
        )
        self.grows(
            "orders",
            order,
            "gozon_relay_published_total",
            "gozon_events_processed_total",
            "gozon_events_batch_size_count",
            "gozon_postgres_statements_total",
            "gozon_postgres_syncs_total",
        )
        self.grows(
            "payments", order, "gozon_events_processed_total", "gozon_answers_published_total", "process_cpu_seconds_total"
        )
        self.grows("payments", lambda: self.client.funded_user(1), "gozon_batch_size_sum", batch="deposits")
        self.grows(
            "orders", lambda: self.client.cancel(self.client.order(user, 1)["id"]), "gozon_batch_size_sum", batch="cancellations"
        )
        for service in ("orders", "payments"):
            figures = self.figures(service)
            self.assertEqual(figures.value("gozon_lanes_held"), 16)
            self.assertEqual(figures.value("gozon_postgres_connections"), figures.value("gozon_postgres_connections_wanted"))

    def test_what_waits_is_told_while_payments_are_away(self) -> None:
        user = self.client.funded_user(100)
        self.assertEqual(self.figures("orders").value("gozon_outbox_resends"), 0)
        self.system.kill("payments")
        order = self.client.order(user, 10)["id"]
        eventually(
            lambda: self.figures("orders").value("gozon_orders_oldest_unsettled_seconds"),
            lambda age: age > 1,
            "the order to wait",
        )
        eventually(lambda: self.figures("orders").value("gozon_outbox_resends"), lambda count: count == 1, "a resend")
        eventually(
            lambda: self.figures("orders").value("gozon_outbox_oldest_seconds"), lambda age: age > 5, "the outbox to age"
        )
        self.assertGreater(self.figures("orders").value("gozon_outbox_bytes"), -1)
        self.system.up()
        self.assertEqual(self.client.settled(order)["status"], "FINISHED")
        for name in ("gozon_orders_oldest_unsettled_seconds", "gozon_outbox_resends", "gozon_outbox_oldest_seconds"):
            eventually(lambda: self.figures("orders").value(name), lambda value: value == 0, f"{name} to be 0 again")

    def test_the_dashboard_and_the_alerts_ask_for_figures_that_there_are(self) -> None:
        self.client.settled(self.client.order(self.client.funded_user(1), 1)["id"])
        known = {"gozon_trace_spans_exported_total", "gozon_trace_spans_dropped_total"}  # With a collector only.
        for service in SERVICES:
            figures = eventually(
                lambda: self.figures(service),
                lambda seen: service == "gateway" or "gozon_dead_letters" in seen.families,
                "the figures to be refreshed",
            )
            known |= {sample.name for sample in figures.samples}
            known |= {f"{name}_bucket" for name, family in figures.families.items() if family.type == "histogram"}
            known |= {f"{name}_total" for name, family in figures.families.items() if family.type == "counter"}
        observability = CHECKOUT / "tools" / "compose" / "observability"
        dashboard = json.loads((observability / "grafana" / "gozon.json").read_text())
        texts = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        texts += re.findall(r"^ +expr: (.*(?:\n {10,}.*)*)", (observability / "alerts.yml").read_text(), re.MULTILINE)
        self.assertGreater(len(texts), 40)
        asked = {name for text in texts for name in re.findall(r"\b(?:gozon|process)_[a-z0-9_]+", text)}
        self.assertGreater(len(asked), 30)
        self.assertEqual(asked - known, set())

    def test_lag_and_dead_letters_are_told(self) -> None:
        for service in ("orders", "payments"):
            eventually(
                lambda: [
                    sample.value
                    for sample in self.figures(service).samples
                    if sample.name == "gozon_consumer_lag_messages"
                ],
                lambda lags: lags == [0],
                f"{service} to have no lag",
            )
        buried = self.figures("payments").value("gozon_dead_letters_buried_total")
        self.system.publish("orders.created.3", b"\xff" * 9, Nats_Msg_Id=str(uuid.uuid4()))
        eventually(
            lambda: self.figures("payments").value("gozon_dead_letters_buried_total"),
            lambda count: count == buried + 1,
            "the letter to be buried",
        )
        for service in ("orders", "payments"):
            eventually(lambda: self.figures(service).value("gozon_dead_letters"), lambda count: count > 0, "dead letters")

    def test_dependencies_are_told_with_their_reasons(self) -> None:
        def readiness(service: str) -> tuple[int, dict]:
            url = f"http://127.0.0.1:{self.system.ports[f'{service}Admin']}/readyz"
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    return answer.status, json.load(answer)
            except urllib.error.HTTPError as error:
                return error.code, json.load(error)

        status, told = readiness("orders")
        self.assertEqual((status, told["ready"], told["degraded"]), (200, True, False))
        self.assertEqual([each["name"] for each in told["dependencies"]], ["postgres", "nats"])
        self.system.kill("nats")
        user = str(uuid.uuid4())
        for service in ("orders", "payments"):
            status, told = eventually(lambda: readiness(service), lambda seen: seen[1]["degraded"], f"{service} to miss NATS")
            self.assertEqual((status, told["ready"]), (200, True))
            nats = told["dependencies"][1]
            self.assertEqual((nats["name"], nats["ready"], nats["required"]), ("nats", False, False))
            self.assertTrue(nats["reason"])
            self.assertEqual(self.figures(service).value("gozon_dependency_up", dependency="nats"), 0)
        self.assertEqual(readiness("gateway")[0], 200)
        order = self.client.order(user, 1)["id"]
        self.system.kill("postgres")
        for service in ("orders", "payments"):
            status, told = eventually(lambda: readiness(service), lambda seen: seen[0] == 503, f"{service} to miss PostgreSQL")
            self.assertFalse(told["ready"])
            self.assertTrue(told["dependencies"][0]["reason"])
            self.assertEqual(self.figures(service).value("gozon_ready"), 0)
        status, told = eventually(
            lambda: readiness("gateway"), lambda seen: seen[1]["degraded"], "the gateway to hear of it"
        )
        health = self.system.client_tool("health", check=False)
        self.assertIn("NOT_SERVING", health.stdout)
        self.assertNotEqual(health.returncode, 0)
        self.system.up()
        self.assertEqual(self.client.settled(order)["status"], "CANCELLED")
        status, told = readiness("orders")
        self.assertEqual((status, told["degraded"]), (200, False))
