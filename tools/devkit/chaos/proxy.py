"""TCP connections that lead through proxies, where they can be cut, stopped, robbed of their answers and delayed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from asyncio import StreamReader, StreamWriter
from typing import Callable

CHUNK_BYTES = 65536
HOST = "127.0.0.1"
ENDING_SECONDS = 2


class Proxies:
    """The thread that all traffic goes through."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()

    def link(self, port: int, target_port: int) -> Link:
        """A way to a server, which begins at a port of its own."""
        link = Link(self._loop, port, target_port)
        asyncio.run_coroutine_threadsafe(link.listen(), self._loop).result()
        self.links.append(link)
        return link

    def close(self) -> None:
        """Ends all connections and the thread."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        for link in self.links:
            link.end()
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=ENDING_SECONDS)


class Link:
    """One way from a client to a server, for any number of connections. Faults come from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: int, target_port: int) -> None:
        self.port = port
        self._target_port = target_port
        self._loop = loop
        self._ends: set[StreamWriter] = set()
        """Both ends of every connection."""
        self._is_cut = False
        self._delay_seconds = 0.0
        self._passes_there = asyncio.Event()
        self._passes_back = asyncio.Event()
        self._passes_there.set()
        self._passes_back.set()

    # Faults

    def cut(self) -> None:
        """Resets the connections; new ones are reset at once until `heal`."""
        self._call(self._cut)

    def hold(self, *, there: bool = True, back: bool = True) -> None:
        """Lets nothing pass to the server, or back, until `heal`, as a network does that drops every packet: nobody
        notices but by waiting."""
        self._call(self._hold, there, back)

    def delay(self, seconds: float) -> None:
        """Lets everything pass so much later."""
        self._call(self._set_delay, seconds)

    def heal(self, *, resetting: bool = False) -> None:
        """Lets everything pass again. What was held back goes on, unless the connections are reset: then it is lost."""
        self._call(self._heal, resetting)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        done = threading.Event()

        def run() -> None:
            function(*arguments)
            done.set()

        self._loop.call_soon_threadsafe(run)
        done.wait()

    def _cut(self) -> None:
        self._is_cut = True
        self._reset()

    def _hold(self, there: bool, back: bool) -> None:
        if there:
            self._passes_there.clear()
        if back:
            self._passes_back.clear()

    def _set_delay(self, seconds: float) -> None:
        self._delay_seconds = seconds

    def _heal(self, resetting: bool) -> None:
        if resetting:
            self._reset()
        self._is_cut = False
        self._delay_seconds = 0.0
        self._passes_there.set()
        self._passes_back.set()

    def _reset(self) -> None:
        for end in self._ends:
            end.transport.abort()

    # Traffic

    async def listen(self) -> None:
        """Takes connections from now on."""
        self._server = await asyncio.start_server(self._accept, HOST, self.port)

    def end(self) -> None:
        """Takes no more connections, and ends those that there are."""
        self._server.close()
        self._heal(resetting=True)

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._ends.add(writer)
        try:
            if self._is_cut:
                return
            await self._passes_there.wait()
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target_port)
        except OSError:
            return  # The server is down.
        else:
            self._ends.add(far_writer)
            # Cut meanwhile: the server may hear of it, and nobody answers.
            if not writer.is_closing():
                await asyncio.gather(
                    self._pass_on(reader, far_writer, self._passes_there),
                    self._pass_on(far_reader, writer, self._passes_back),
                )
            self._discard(far_writer)
        finally:
            self._discard(writer)

    def _discard(self, end: StreamWriter) -> None:
        self._ends.discard(end)
        end.transport.abort()

    async def _pass_on(self, reader: StreamReader, writer: StreamWriter, passes: asyncio.Event) -> None:
        """Passes on what comes one way, its end included. When either side is lost, so is the other."""
        try:
            while chunk := await reader.read(CHUNK_BYTES):
                await self._let_pass(passes)
                writer.write(chunk)
                await writer.drain()
            await self._let_pass(passes)
            with contextlib.suppress(RuntimeError):  # It is closed already.
                writer.write_eof()
        except OSError:
            await passes.wait()
            writer.transport.abort()

    async def _let_pass(self, passes: asyncio.Event) -> None:
        if self._delay_seconds:
            await asyncio.sleep(self._delay_seconds)
        await passes.wait()
