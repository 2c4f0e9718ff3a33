"""What peers can make a server hold: connections that do nothing, a peer that does not read, calls that come and go."""

from __future__ import annotations

import contextlib
import select
import socket
import unittest
from pathlib import Path
from typing import Any, Iterator

from harness import eventually
from programs import ProbeServer, probe_server
from gozon_client import CREDIT_MAX, SCHEMAS, STREAMS_RESPONSES, Client, Frame, FrameReader, Hello, Kind, Schema

MEGABYTE = 1_000_000
SCHEMA = Schema.of_directory(SCHEMAS)
PRODUCE = SCHEMA.method("Probe.Produce")


def memory(server: ProbeServer) -> int:
    """Bytes of a server's memory that are in use."""
    words = Path(f"/proc/{server.process.pid}/status").read_text().split()
    return int(words[words.index("VmRSS:") + 1]) * 1024


@contextlib.contextmanager
def peer(server: ProbeServer, hello: Hello = Hello()) -> Iterator[socket.socket]:
    """A connection that greets, and reads nothing but the greeting."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(hello.frame().pack())
        reader = FrameReader(1 << 20)
        while not any(frame.kind == Kind.HELLO for frame in reader.feed(connection.recv(4096))):
            pass
        yield connection


def produce(stream: int, **request: Any) -> bytes:
    """A request for a stream of pieces."""
    message = SCHEMA.encode(PRODUCE.request, request)
    return Frame(Kind.REQUEST, stream, STREAMS_RESPONSES, PRODUCE.code, 60_000, message).pack()


class MemoryTests(unittest.TestCase):
    def test_a_thousand_idle_connections_take_less_than_20_megabytes(self) -> None:
        with probe_server() as server, contextlib.ExitStack() as stack:
            stack.enter_context(peer(server))
            before = memory(server)
            for _ in range(1_000):
                stack.enter_context(peer(server))
            self.assertEqual(server.connections(), 1_002)
            self.assertLess(memory(server) - before, 20 * MEGABYTE)

    def test_a_reader_that_stops_leaves_the_sender_s_memory_flat(self) -> None:
        # It has granted all the credit that there can be: only the server's own bound is left.
        hello = Hello(call_credit=CREDIT_MAX, connection_credit=CREDIT_MAX)
        with probe_server() as server, peer(server, hello) as connection, Client(server.address) as client:
            before = memory(server)
            for stream in range(1, 21):
                connection.sendall(produce(stream, count=1 << 40, size=100_000, intervalMilliseconds=0))
            seen = eventually(lambda: self.told(client), lambda told: told["blockedCalls"] == 20, "the server to stop")
            self.assertLess(memory(server) - before, 16 * MEGABYTE)
            self.assertEqual(self.told(client)["bytesSent"], seen["bytesSent"])

    def test_calls_that_are_cancelled_as_they_begin_leave_the_server_s_memory_flat(self) -> None:
        with probe_server() as server, peer(server) as connection, Client(server.address) as client:
            # Until as many handlers have been on their way out at once as ever are.
            self.begin_and_cancel(connection, range(1, 50_001))
            before = memory(server)
            self.begin_and_cancel(connection, range(50_001, 150_001))
            self.assertLess(memory(server) - before, 16 * MEGABYTE)
            told = eventually(lambda: self.told(client), lambda told: told["handlersRunning"] == 0, "no handler to run")
            self.assertEqual((told["callsActive"], told["blockedCalls"]), (0, 0))

    def begin_and_cancel(self, connection: socket.socket, streams: range) -> None:
        """Reads the refusals of what came faster than handlers end, up to the answer to a ping behind all calls."""
        reader = FrameReader(1 << 20)
        for first in range(streams.start, streams.stop, 1_000):
            for stream in range(first, first + 1_000):
                request = produce(stream, count=1 << 40, size=10, intervalMilliseconds=50_000)
                connection.sendall(request + Frame(Kind.CANCEL, stream).pack())
            while select.select([connection], [], [], 0)[0]:
                list(reader.feed(connection.recv(65_536)))
        connection.sendall(Frame(Kind.PING, value=1).pack())
        while not any(frame.kind == Kind.PONG for frame in reader.feed(connection.recv(65_536))):
            pass

    def told(self, client: Client) -> dict[str, Any]:
        """What the server tells of its oldest connection."""
        connections = client.unary("Server.Inspect")["connections"]
        return dict(connections[0])


if __name__ == "__main__":
    unittest.main()
