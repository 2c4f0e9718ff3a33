"""Time that runs out and clients that give up: both end at the database's running statement."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import uuid
from typing import Iterator

from harness import PrivatePostgres, SystemTestCase, eventually


class DeadlineTests(SystemTestCase):
    @contextlib.contextmanager
    def locked(self, database: str, table: str) -> Iterator[None]:
        """Holds a lock on a table that stops everybody else, reads included."""
        postgres = PrivatePostgres(self.system.home, self.system.ports["postgres"])
        command = [str(postgres.programs / "psql"), "-Xq", "-d", postgres.url(database, "postgres")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
            assert session.stdin and session.stdout
            session.stdin.write(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\n\\echo locked\n")
            session.stdin.flush()
            self.assertEqual(session.stdout.readline(), "locked\n")
            try:
                yield
            finally:
                session.stdin.close()

    def waiting(self, database: str) -> int:
        """Statements that wait for a lock."""
        rows = self.system.sql(
            "postgres",
            "SELECT count(*) FROM pg_stat_activity "
            f"WHERE datname = '{database}' AND state = 'active' AND wait_event_type = 'Lock'",
        )
        return int(rows[0][0])

    def test_a_request_is_answered_in_its_time_and_leaves_nothing_behind(self) -> None:
        user = self.client.funded_user(5)
        with self.locked("payments", "accounts"):
            started = time.monotonic()
            answer = self.client.get(f"/v1/accounts/{user}", headers={"Request-Timeout": "0.3"})
            took = time.monotonic() - started
            self.assert_problem(answer, 504, "DEADLINE_EXCEEDED")
            self.assertGreater(took, 0.25)
            self.assertLess(took, 2)
            eventually(lambda: self.waiting("payments"), lambda count: count == 0, "the statement to end", seconds=2)
        self.assertEqual(self.client.found(f"/v1/accounts/{user}")["balance"], 5)

    def test_a_client_that_disconnects_takes_its_query_along(self) -> None:
        user = self.client.funded_user(5)
        host, port = self.system.address.split(":")
        with self.locked("payments", "accounts"):
            clients = [socket.create_connection((host, int(port))) for _ in range(20)]
            for client in clients:
                client.sendall(f"GET /v1/accounts/{user} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
            eventually(lambda: self.waiting("payments"), lambda count: count > 0, "the statement to wait", seconds=5)
            for client in clients:
                client.close()
            eventually(lambda: self.waiting("payments"), lambda count: count == 0, "the statement to end", seconds=2)
        self.assertEqual(self.client.found(f"/v1/accounts/{user}")["balance"], 5)

    def test_a_write_that_came_too_late_is_not_half_done(self) -> None:
        user = self.client.funded_user(5)
        key = {"Idempotency-Key": str(uuid.uuid4()), "Request-Timeout": "0.3"}
        with self.locked("payments", "entries"):
            answer = self.client.post(f"/v1/accounts/{user}/deposits", {"amount": 2}, headers=key)
            self.assert_problem(answer, 504, "DEADLINE_EXCEEDED")
            eventually(lambda: self.waiting("payments"), lambda count: count == 0, "the statement to end", seconds=5)
        answer = self.client.post(f"/v1/accounts/{user}/deposits", {"amount": 2}, headers=key)
        self.assertEqual((answer.status, answer.json["balance"]), (201, 7))

    def test_a_time_that_is_none_is_refused(self) -> None:
        for value in ("0", "soon", "-1", "1e3", ""):
            with self.subTest(value):
                answer = self.client.get("/v1/orders", headers={"Request-Timeout": value})
                problem = self.assert_problem(answer, 400, "INVALID_ARGUMENT")
                self.assertIn("Request-Timeout", problem["detail"])
