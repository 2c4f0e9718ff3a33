"""A server between a browser and the gateway, which loses answers."""

from __future__ import annotations

import contextlib
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DROPPED = {"content-length", "transfer-encoding", "connection"}
"""Fields of a response that are about its connection."""


class Between:
    """Passes on what comes to the gateway at an address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.answers_to_lose = 0
        self._lock = threading.Lock()
        between = self

        class Handler(_Handler):
            server_between = between

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Between:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def lose_answers(self, count: int) -> None:
        """The next POSTs have their effect, and then their connections are closed without an answer."""
        with self._lock:
            self.answers_to_lose = count

    def loses_answer(self) -> bool:
        with self._lock:
            if self.answers_to_lose == 0:
                return False
            self.answers_to_lose -= 1
            return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_between: Between

    def log_message(self, *_: object) -> None:
        pass

    def _pass_on(self) -> None:
        between = self.server_between
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with contextlib.closing(http.client.HTTPConnection(between.address, timeout=30)) as connection:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in DROPPED}
            if response.getheader("Content-Type", "").startswith("text/event-stream"):
                return self._stream(response, kept)
            content = response.read()
        if self.command == "POST" and between.loses_answer():
            self.close_connection = True
            return
        self._answer(response.status, kept, content)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self._head(status, {**headers, "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _stream(self, response: http.client.HTTPResponse, headers: dict[str, str]) -> None:
        self.close_connection = True
        self._head(response.status, {**headers, "Connection": "close"})
        with contextlib.suppress(OSError, http.client.HTTPException):
            while piece := response.read1(65536):
                self.wfile.write(piece)
                self.wfile.flush()

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    do_GET = do_POST = do_HEAD = _pass_on
