"""The fault suite at work: a run that has to pass, rules broken on purpose that have to be found, and its proxies."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
import unittest
from typing import Callable, Iterator

from harness import CHECKOUT, any_free_port, programs_directory
from devkit.chaos.proxy import Link, Proxies

SEED = 3
SECONDS = 30
PATIENCE_SECONDS = 0.3
"""How long nothing has to come where nothing should."""


class ChaosTests(unittest.TestCase):
    def chaos(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "GOZON_BUILD_DIR": str(programs_directory())}
        command = [str(CHECKOUT / "tools" / "chaos"), "--seed", str(SEED), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)

    def assert_caught(self, mutation: str, *arguments: str) -> None:
        answer = self.chaos("--mutation", mutation, *arguments)
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)
        self.assertIn(f"{mutation} was caught", answer.stdout)

    def test_every_promise_is_kept_whatever_happens(self) -> None:
        answer = self.chaos("--seconds", str(SECONDS))
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)
        self.assertIn("1 runs", answer.stdout)
        self.assertIn(" 0 with breaches", answer.stdout)

    def test_commits_that_are_acknowledged_before_they_are_on_the_disk_are_found(self) -> None:
        self.assert_caught("ack-before-commit")

    def test_a_second_charge_is_found(self) -> None:
        self.assert_caught("no-unique-charge")

    def test_a_read_of_the_past_is_found(self) -> None:
        self.assert_caught("stale-reads", "--seconds", "2")


class ProxyTests(unittest.TestCase):
    """Each link leads to a server that says everything back."""

    def setUp(self) -> None:
        self.proxies = Proxies()
        self.addCleanup(self.proxies.close)
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.heard: list[bytes] = []
        threading.Thread(target=self.serve, args=(listener,), daemon=True).start()
        self.link = self.proxies.link(any_free_port(), listener.getsockname()[1])

    def serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.echo, args=(listener.accept()[0],), daemon=True).start()

    def echo(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(4096):
                self.heard.append(data)
                connection.sendall(data)
            self.heard.append(b"end")

    @contextlib.contextmanager
    def client(self, link: Link | None = None) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", (link or self.link).port), timeout=5) as client:
            yield client

    def assert_echo(self, client: socket.socket, data: bytes = b"hello") -> None:
        client.sendall(data)
        self.assertEqual(client.recv(4096), data)

    def assert_silent(self, client: socket.socket) -> None:
        client.settimeout(PATIENCE_SECONDS)
        with self.assertRaises(TimeoutError):
            client.recv(1)
        client.settimeout(5)

    def assert_reset(self, client: socket.socket) -> None:
        try:
            self.assertEqual(client.recv(1), b"")
        except ConnectionError:
            pass

    def eventually(self, good: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 5
        while not good():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_what_is_said_goes_through_and_so_does_the_end(self) -> None:
        with self.client() as client:
            self.assert_echo(client)
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(client.recv(1), b"")
        self.eventually(lambda: self.heard == [b"hello", b"end"])

    def test_a_cut_ends_connections_and_refuses_new_ones(self) -> None:
        with self.client() as old:
            self.assert_echo(old)
            self.link.cut()
            self.assert_reset(old)
        with self.client() as new:
            self.assert_reset(new)
        self.link.heal()
        with self.client() as client:
            self.assert_echo(client)

    def test_what_is_held_back_goes_on_later(self) -> None:
        with self.client() as old:
            self.assert_echo(old)
            self.link.hold()
            old.sendall(b"held")
            with self.client() as new:
                new.sendall(b"too")
                self.assert_silent(old)
                self.assert_silent(new)
                self.assertEqual(self.heard, [b"hello"])
                self.link.heal()
                self.assertEqual((old.recv(4096), new.recv(4096)), (b"held", b"too"))

    def test_an_end_is_held_back_too(self) -> None:
        with self.client() as client:
            self.assert_echo(client)
            self.link.hold()
        time.sleep(PATIENCE_SECONDS)
        self.assertNotIn(b"end", self.heard)
        self.link.heal()
        self.eventually(lambda: b"end" in self.heard)

    def test_answers_that_are_held_back_are_lost_with_their_connection(self) -> None:
        with self.client() as client:
            self.link.hold(there=False)
            client.sendall(b"done")
            self.eventually(lambda: self.heard == [b"done"])
            self.assert_silent(client)
            self.link.heal(resetting=True)
            self.assert_reset(client)

    def test_requests_that_are_held_back_are_lost_with_their_connection(self) -> None:
        with self.client() as client:
            self.assert_echo(client)
            self.link.hold(back=False)
            client.sendall(b"never heard")
            self.assert_silent(client)
            self.link.heal(resetting=True)
            self.assert_reset(client)
        time.sleep(PATIENCE_SECONDS)
        self.assertNotIn(b"never heard", self.heard)

    def test_a_delay_delays_both_ways_until_it_is_over(self) -> None:
        with self.client() as client:
            self.link.delay(0.1)
            started = time.monotonic()
            self.assert_echo(client)
            self.assertGreater(time.monotonic() - started, 0.2)
            self.link.heal()
            started = time.monotonic()
            self.assert_echo(client)
            self.assertLess(time.monotonic() - started, 0.1)

    def test_a_server_that_is_away_is_a_connection_that_ends(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            port = nobody.getsockname()[1]
        with self.client(self.proxies.link(any_free_port(), port)) as client:
            self.assert_reset(client)
