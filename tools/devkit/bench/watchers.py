"""Many watchers of orders in one process: reads users from a file, opens a stream of events for each, says `ready`, and
writes down when each state of an order came, until its standard input ends."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import TextIO

AT_ONCE = 200
"""Connections that are being made at the same time."""


class Watcher(asyncio.Protocol):
    """One stream of events; as little as can be kept for it."""

    __slots__ = ("user", "opened", "rest", "log", "transport")
    is_over = False
    """Whether streams end because we end them."""

    def __init__(self, user: str, log: TextIO) -> None:
        self.user = user
        self.log = log
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        request = f"GET /v1/users/{self.user}/orders/watch HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n"
        transport.write(request.encode())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        now = time.time()
        if not self.opened.done():
            self._head(data)
        if b"data: " not in data and not self.rest:
            return
        # A chunk of the body is one event, but the network may cut it anywhere.
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                order = json.loads(line[6:])
                self.log.write(f"{now:.6f} {order['id']} {order['status']}\n")

    def _head(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 200 "):
            self.opened.set_result(None)
        else:
            self.opened.set_exception(RuntimeError(data[:200].decode(errors="replace")))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(error or RuntimeError("the connection was closed"))
        if not Watcher.is_over:
            self.log.write("0 lost LOST\n")


async def watch(host: str, port: int, users: list[str], log: TextIO) -> None:
    loop = asyncio.get_running_loop()
    slots = asyncio.Semaphore(AT_ONCE)

    async def open_one(user: str) -> Watcher:
        async with slots:
            _, watcher = await loop.create_connection(lambda: Watcher(user, log), host, port)
            await watcher.opened
            return watcher

    watchers = await asyncio.gather(*(open_one(user) for user in users))
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    Watcher.is_over = True
    for watcher in watchers:
        watcher.transport.abort()  # type: ignore[attr-defined]


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    address, users_file, log_file = sys.argv[1:]
    host, _, port = address.rpartition(":")
    with open(users_file) as lines, open(log_file, "w") as log:
        asyncio.run(watch(host, int(port), lines.read().split(), log))
