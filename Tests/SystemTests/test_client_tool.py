"""The client tool, as people and scripts meet it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import uuid
from pathlib import Path
from typing import Any, Iterator

from harness import CHECKOUT, SystemTestCase

NOT_WELL, WRONG_COMMAND_LINE, STATUS = 1, 2, 64
CANCELLED, INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED, UNAVAILABLE = 1, 3, 5, 12, 14


class Screen:
    """A program on a terminal of its own, as a person has it."""

    def __init__(self, command: list[str], environment: dict[str, str], directory: str = "/") -> None:
        self.text = ""
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(directory)
            os.execvpe(command[0], command, environment)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def wait_for(self, text: str, seconds: float = 20) -> None:
        """Reads what is shown until `text` is."""
        deadline = time.monotonic() + seconds
        while text not in self.text:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._terminal], [], [], left)[0]:
                raise AssertionError(f"never shown: {text!r}; shown: {self.text!r}")
            self.text += os.read(self._terminal, 65_536).decode(errors="replace")

    def end(self, number: signal.Signals) -> int:
        """Sends a signal; the exit status, when everything that is shown has been read."""
        os.kill(self._pid, number)
        with contextlib.suppress(OSError):  # The terminal is gone when its program is.
            while chunk := os.read(self._terminal, 65_536):
                self.text += chunk.decode(errors="replace")
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


class ClientToolTests(SystemTestCase):
    def documents(self, *arguments: str) -> list[dict[str, Any]]:
        """What the tool prints with --json."""
        return [json.loads(line) for line in self.system.client_tool(*arguments, "--json").stdout.splitlines()]

    def assert_fails(self, code: int, *arguments: str, **variables: str) -> str:
        """Asserts the exit status; what the tool complained."""
        answer = self.system.client_tool(*arguments, check=False, **variables)
        self.assertEqual(answer.returncode, code, answer)
        return answer.stderr

    @contextlib.contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """The tool, running."""
        with subprocess.Popen(
            [str(CHECKOUT / "tools" / "gozon"), *arguments], env=self.system.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as tool:
            try:
                yield tool
            finally:
                tool.kill()

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

    def test_lines_of_requests_are_answered_in_order(self) -> None:
        user = self.client.funded_user(30)
        orders = [self.client.order(user, 10)["id"] for _ in range(3)]
        asked = [orders[0], str(uuid.uuid4()), orders[1], orders[2]]
        answer = subprocess.run(
            [str(CHECKOUT / "tools" / "gozon"), "call", "Orders.GetOrder", "-", "-v"], env=self.system.environment,
            input="".join(json.dumps({"id": order}) + "\n" for order in asked), capture_output=True, text=True,
        )
        answers = [json.loads(line) for line in answer.stdout.splitlines()]
        self.assertEqual([document.get("id") for document in answers], [orders[0], None, orders[1], orders[2]])
        self.assertEqual(answers[1]["error"]["code"], "NOT_FOUND")
        self.assertEqual(answer.returncode, STATUS + NOT_FOUND)
        self.assertIn("request 2: NOT_FOUND after", answer.stderr)

    def test_an_interrupted_call_keeps_what_came(self) -> None:
        with self.started("call", "Server.WatchHealth") as tool:
            assert tool.stdout is not None
            self.assertEqual(json.loads(tool.stdout.readline())["status"], "SERVING")
            tool.send_signal(signal.SIGINT)
            self.assertEqual(tool.wait(timeout=20), STATUS + CANCELLED)

    def test_health_is_followed_when_a_service_goes_and_comes(self) -> None:
        with self.started("health", "--watch", "--json") as tool:
            assert tool.stdout is not None
            first = [json.loads(tool.stdout.readline()) for _ in range(2)]
            self.assertEqual([report["status"] for report in first], ["SERVING", "SERVING"])
            self.system.kill("payments")
            self.assertEqual(json.loads(tool.stdout.readline())["status"], "UNREACHABLE")
            self.system.up()
            report = {"status": ""}
            while report["status"] != "SERVING":  # It may say first that a dependency is not there yet.
                report = json.loads(tool.stdout.readline())
            self.assertEqual(report["server"], "gozon-payments")
            tool.send_signal(signal.SIGINT)
            self.assertEqual(tool.wait(timeout=20), 0)

    def test_top_tells_what_the_services_do(self) -> None:
        self.client.order(self.client.funded_user(10), 10)
        (document,) = self.documents("top", "--once", "--interval", "100ms")
        self.assertEqual({server["state"] for server in document["servers"]}, {"RUNNING"})
        self.assertIn("gozon.orders.Orders/CreateOrder", {method["method"] for method in document["methods"]})
        self.assertIn("gozon", {connection["name"] for connection in document["connections"]})
        gauges = {server["server"]: server["gauges"] for server in document["servers"]}
        for told in gauges.values():
            self.assertEqual(told["gozon_postgres_connections"], told["gozon_postgres_connections_wanted"])
        self.assertIn("gozon_orders_oldest_unsettled_seconds", gauges["gozon-orders"])

    def test_top_takes_the_screen_and_gives_it_back(self) -> None:
        top = Screen([str(CHECKOUT / "tools" / "gozon"), "top", "--interval", "100ms"], self.system.environment)
        top.wait_for("Server.Inspect")
        self.assertEqual(top.end(signal.SIGINT), 0)
        self.assertTrue(top.text.startswith("\x1b[?1049h\x1b[?25l"), top.text)
        self.assertTrue(top.text.endswith("\x1b[?25h\x1b[?1049l"), top.text)

    def test_bash_completes_commands_options_and_names(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "gozon").symlink_to(CHECKOUT / "tools" / "gozon")
            Path(directory, "request.json").write_text("{}")
            environment = {
                **self.system.environment, "PATH": f"{directory}:{os.environ['PATH']}", "PS1": "$ ", "TERM": "dumb",
                "INPUTRC": "/dev/null",
            }
            shell = Screen(["bash", "--norc", "--noprofile", "-i"], environment, directory)
            shell.type("source <(gozon completion bash); echo re''ady\n")
            shell.wait_for("ready\r\n")
            for typed, completed in (
                ("gozon ca", "gozon call "),
                ("gozon stream vi", "gozon stream view "),
                ("gozon dead re", "gozon dead replay "),
                ("gozon verify --stuck", "gozon verify --stuck-after "),
                ("gozon call Orders.Cr", "gozon call Orders.CreateOrder "),
                ("gozon call gozon.payments.Payments.Dep", "gozon call gozon.payments.Payments.Deposit "),
                ("gozon call Orders.GetOrder @req", "gozon call Orders.GetOrder @request.json "),
                ("gozon call Orders.GetOrder --idem", "gozon call Orders.GetOrder --idempotency-key "),
                ("gozon describe OrderSt", "gozon describe OrderStatus "),
                ("gozon bench Orders.GetOrder --html=req", "gozon bench Orders.GetOrder --html=request.json "),
                ("gozon call --backends 127.0.0.1:1 Orders.Cr", "gozon call --backends 127.0.0.1:1 Orders.Cr\x07"),
            ):
                with self.subTest(typed):
                    shell.text = ""
                    shell.type(f"\x15{typed}\t")
                    shell.wait_for(completed)
            shell.end(signal.SIGKILL)

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
        with tempfile.TemporaryDirectory() as directory:
            page = Path(directory, "report.html")
            self.system.client_tool(
                "bench", "Orders.ListOrders", "--requests", "200", "--warm-up", "100ms", "--html", str(page))
            self.assertIn("<svg ", page.read_text())
