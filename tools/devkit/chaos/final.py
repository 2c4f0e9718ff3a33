"""Waits until nothing moves any more, and reads everything that is there then."""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
import urllib.request
from typing import Any, Iterator

from devkit.chaos.checker import Charge, FinalState
from devkit.chaos.fleet import Fleet
from devkit.console import Failure

WAITING = """
  SELECT (SELECT count(*) FROM resends) + (SELECT count(*) FROM outbox JOIN orders USING (id) WHERE status = 1)"""
"""What the orders database still wants payments to do: the one place that knows its tables for that."""

UNSETTLED = "SELECT count(*) FROM orders WHERE status = 1 OR (status = 2 AND cancel_requested_at IS NOT NULL)"
FORGOTTEN_SECONDS = 15
"""Orders that are not settled, and that nothing waits for any more, stay so: an event that was sent last is processed
by then, also when it had to come again."""

LOOK_SECONDS = 0.25
PAGE = 1000


def wait_settled(fleet: Fleet, seconds: float) -> float | None:
    """Waits until every order is settled; how long it took, None when they are not and there is no hope."""
    started = forgotten_since = time.monotonic()
    while True:
        unsettled, waiting = (int(fleet.sql("orders", query)[0][0]) for query in (UNSETTLED, WAITING))
        now = time.monotonic()
        if not unsettled and not waiting:
            return now - started
        if waiting:
            forgotten_since = now
        if now - started > seconds or now - forgotten_since > FORGOTTEN_SECONDS:
            return None
        time.sleep(LOOK_SECONDS)


def read_final(fleet: Fleet) -> FinalState:
    """Everything that HTTP tells, and what only the tables and the broker know."""
    reader = _Reader(fleet.direct_address)
    # First: an order that is not settled later, though nothing waited for it before, never will be.
    waiting = int(fleet.sql("orders", WAITING)[0][0])
    users = [user for (user,) in fleet.sql("payments", "SELECT user_id FROM accounts ORDER BY created_at")]
    charges = fleet.sql("payments", "SELECT order_id, user_id, amount, outcome FROM charges")
    return FinalState(
        accounts={user: reader.get(f"/v1/accounts/{user}") for user in users},
        statements={user: list(reader.pages(f"/v1/accounts/{user}/entries", "entries"))[::-1] for user in users},
        orders=list(reader.pages("/v1/orders", "orders")),
        charges=[Charge(order, user, int(amount), int(outcome)) for order, user, amount, outcome in charges],
        rows={
            table: int(fleet.sql(database, f"SELECT count(*) FROM {table}")[0][0])
            for database, table in (("payments", "accounts"), ("payments", "entries"), ("orders", "orders"))
        },
        waiting=waiting,
        dead=_dead_letters(fleet),
    )


class _Reader:
    """Reads over HTTP; nothing is broken any more, so whatever is not answered is a failure."""

    def __init__(self, address: str) -> None:
        self.connection = http.client.HTTPConnection(address, timeout=30)

    def get(self, path: str) -> Any:
        try:
            self.connection.request("GET", path)
            response = self.connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"GET {path} failed: {error!r}") from error
        if response.status != 200:
            raise Failure(f"GET {path} was answered {response.status}: {body.decode(errors='replace')}")
        return json.loads(body)

    def pages(self, path: str, member: str) -> Iterator[Any]:
        token = ""
        while True:
            page = self.get(f"{path}?{urllib.parse.urlencode({'pageSize': PAGE, 'pageToken': token})}")
            yield from page[member]
            token = page["nextPageToken"]
            if not token:
                return


def _dead_letters(fleet: Fleet) -> int:
    """Messages in the stream DEAD, as the broker's monitoring tells (NATS, monitoring, /jsz)."""
    url = f"http://127.0.0.1:{fleet.system.ports['natsMonitor']}/jsz?streams=true"
    with urllib.request.urlopen(url, timeout=30) as answer:
        accounts = json.load(answer).get("account_details", [])
    streams = [stream for account in accounts for stream in account.get("stream_detail", [])]
    return sum(stream["state"]["messages"] for stream in streams if stream["name"] == "DEAD")
