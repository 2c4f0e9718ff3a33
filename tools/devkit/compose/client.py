"""What a client of the system does."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from typing import Iterator

from devkit.compose.waiting import wait
from devkit.console import Failure

RECOVERY_SECONDS = 60
"""How long an order may take to be settled after a container was killed."""


class Load:
    """One user's orders, one after the other, at either gateway; each is sent until it is taken."""

    def __init__(self, urls: list[str]) -> None:
        self.urls = urls
        self.user = open_account(urls[0])
        self.taken: list[str] = []
        self.failed = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            order = str(uuid.uuid4())
            for url in self.urls * 20:
                try:
                    post(f"{url}/v1/orders", {"id": order, "userId": self.user, "amount": 1})
                    self.taken.append(order)
                    break
                except (OSError, Failure):
                    self.failed += 1
                    time.sleep(0.1)


@contextlib.contextmanager
def loading(urls: list[str]) -> Iterator[Load]:
    load = Load(urls)
    thread = threading.Thread(target=load.run)
    thread.start()
    try:
        yield load
    finally:
        load.ended.set()
        thread.join()


def open_account(url: str) -> str:
    """A new account with a million on it."""
    user = str(uuid.uuid4())
    post(f"{url}/v1/accounts", {"userId": user})
    post(f"{url}/v1/accounts/{user}/deposits", {"amount": 1_000_000})
    return user


def pay(url: str) -> str:
    """A new account and an order of 100 that is paid from it; the user."""
    user = open_account(url)
    order = post(f"{url}/v1/orders", {"userId": user, "amount": 100})["id"]
    wait("an order is paid", RECOVERY_SECONDS, lambda: get(f"{url}/v1/orders/{order}")["status"] == "FINISHED")
    return user


def post(url: str, body: dict[str, object]) -> dict[str, object]:
    return _answer(urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}))


def get(url: str) -> dict[str, object]:
    return _answer(urllib.request.Request(url))


def _answer(request: urllib.request.Request) -> dict[str, object]:
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        raise Failure(f"{request.full_url} answered {error.code}: {error.read().decode()}") from error
