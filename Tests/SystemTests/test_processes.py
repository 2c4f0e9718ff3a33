"""How the services start, say how they are, and end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.request

from harness import Load, SystemTestCase, assert_books, eventually, http_probe

SERVICES = ("orders", "payments", "gateway")


class ProcessTests(SystemTestCase):
    def run_program(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a program that is to refuse its settings."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GOZON_")}
        program = str(self.system.programs / command[0])
        return subprocess.run([program, *command[1:]], env=environment, capture_output=True, text=True, timeout=10)

    def test_help_lists_every_setting(self) -> None:
        for name, flags in {
            "gozon-orders": ("--orders-port", "--orders-admin-port", "--database-url-orders", "--nats-url"),
            "gozon-payments": ("--payments-port", "--payments-admin-port", "--database-url-payments", "--nats-url"),
            "gozon-gateway": ("--http-port", "--gateway-admin-port", "--backends"),
        }.items():
            with self.subTest(name):
                answer = self.run_program(name, "--help")
                self.assertEqual(answer.returncode, 0)
                for flag in (*flags, "--listen-host", "--insecure-listen", "--ports-file"):
                    self.assertIn(flag, answer.stdout)
                    self.assertIn("GOZON_" + flag[2:].upper().replace("-", "_"), answer.stdout)

    def test_every_wrong_setting_is_named_at_once(self) -> None:
        answer = self.run_program("gozon-orders", "--orders-port", "x", "--currency", "rubles", "--colour", "red")
        self.assertNotEqual(answer.returncode, 0)
        for word in ("orders-port", "currency", "colour", "database-url-orders"):
            self.assertIn(word, answer.stderr)

    def test_listening_beyond_loopback_has_to_be_asked_for_twice(self) -> None:
        answer = self.run_program("gozon-gateway", "--listen-host", "0.0.0.0", "--http-port", "0")
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("--insecure-listen", answer.stderr)

    def test_a_request_to_end_is_obeyed_in_time_and_loses_nothing(self) -> None:
        deposits = {self.client.funded_user(2000): 2000 for _ in range(5)}
        with Load([self.system.address], list(deposits)) as load:
            for name in SERVICES:
                load.run_on(50)
                pid = self.system.process(name).pid()
                started = time.monotonic()
                self.system.process(name).kill(signal.SIGTERM)
                self.assertTrue(self.system.process(name).wait_gone(15), f"{name} (pid {pid}) did not end")
                self.assertLess(time.monotonic() - started, 15)
                self.system.up()
            load.run_on(50)
        self.assertEqual(load.refusals, [])
        assert_books(self, deposits, load.accepted)

    def test_readiness_names_the_dependency_that_is_missing(self) -> None:
        ports = self.system.ports
        self.system.kill("nats")
        for name in ("orders", "payments"):
            url = f"http://127.0.0.1:{ports[f'{name}Admin']}/readyz"
            answer = eventually(http_probe(url, whole=True), bool, f"{name} to miss NATS")
            self.assertIn('"name":"nats","ready":false', answer)
            self.assertIsNone(http_probe(url)(), "it is taken for unready without what it can do without")
        self.system.up()
        for name in SERVICES:
            self.assertIsNone(http_probe(f"http://127.0.0.1:{ports[f'{name}Admin']}/readyz")())

    def test_metrics_are_offered_by_every_service(self) -> None:
        for name in SERVICES:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.system.ports[f'{name}Admin']}/metrics") as answer:
                self.assertIn("# TYPE gozon_", answer.read().decode())

    def test_an_order_is_taken_while_payments_are_away_and_paid_when_they_are_back(self) -> None:
        user = self.client.funded_user(10)
        self.system.kill("payments")
        order = self.client.order(user, 10)["id"]
        self.assertEqual(self.client.found(f"/v1/orders/{order}")["status"], "NEW")
        problem = self.assert_problem(self.client.get(f"/v1/accounts/{user}"), 503, "UNAVAILABLE")
        self.assertNotIn("127.0.0.1", problem["detail"], "addresses inside are nobody's business outside")
        self.system.up()
        self.assertEqual(self.client.settled(order)["status"], "FINISHED")
