"""A collector of traces that keeps what it is sent, for tests to look at."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Span:
    """A span as OTLP/HTTP in JSON has it."""

    service: str
    trace: str
    id: str
    parent: str
    name: str
    kind: int
    start: int
    end: int
    error: bool
    attributes: dict[str, Any]


class Collector:
    """Listens on a free port of loopback; what is not OTLP, it refuses and remembers."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._spans: list[Span] = []
        self._lock = threading.Lock()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    if (self.path, self.headers["Content-Type"]) != ("/v1/traces", "application/json"):
                        raise ValueError(f"POST {self.path} with {self.headers['Content-Type']}")
                    collector._take(json.loads(body))
                    status, answer = 200, b"{}"
                except (KeyError, ValueError) as error:
                    collector.problems.append(repr(error))
                    status, answer = 400, b""
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def trace(self, trace: str) -> list[Span]:
        """What has come of a trace, by the time at which it began."""
        with self._lock:
            return sorted((span for span in self._spans if span.trace == trace), key=lambda span: span.start)

    def traces(self) -> set[str]:
        with self._lock:
            return {span.trace for span in self._spans}

    def _take(self, document: Any) -> None:
        spans = []
        for resource in document["resourceSpans"]:
            service = _attributes(resource["resource"])["service.name"]
            for scope in resource["scopeSpans"]:
                spans += [_span(service, span) for span in scope["spans"]]
        with self._lock:
            self._spans += spans


def _span(service: str, span: Any) -> Span:
    ids = (span["traceId"], span["spanId"], span.get("parentSpanId", ""))
    if [len(bytes.fromhex(id)) for id in ids] not in ([16, 8, 8], [16, 8, 0]):
        raise ValueError(f"ids of a span: {ids}")
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    if not 0 < start <= end:
        raise ValueError(f"times of a span: {start}, {end}")
    error = span.get("status", {}).get("code", 0) == 2
    return Span(service, *ids, span["name"], span["kind"], start, end, error, _attributes(span))


def _attributes(of: Any) -> dict[str, Any]:
    values = {}
    for attribute in of["attributes"]:
        value = attribute["value"]
        values[attribute["key"]] = int(value["intValue"]) if "intValue" in value else value["stringValue"]
    return values
