"""HTTP/1.1, HTTP/2 and WebSocket, in plaintext and by TLS, as curl and a client of sockets see them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

import websocket
from harness import eventually
from programs import HTTPProbe, http_server
from websocket import WebSocket

CURL_PARTIAL, CURL_HTTP2_STREAM = 18, 92
"""Exit codes of curl: a body that is not whole, by HTTP/1.1 and by HTTP/2."""


def curl(*arguments: str, check: bool = True, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Runs curl; the last line of its output is the version, a blank and the status."""
    command = ["curl", "--silent", "--show-error", "--max-time", "30", "-w", "\n%{http_version} %{http_code}"]
    return subprocess.run([*command, *arguments], input=data, capture_output=True, timeout=60, check=check)


class ProtocolCases:
    """What every protocol must do; `options` make curl speak it, `version` is what curl calls it."""

    options: list[str]
    version: bytes
    server: HTTPProbe
    partial = CURL_PARTIAL

    def url(self, path: str) -> str:
        scheme = "https" if self.server.context else "http"
        return f"{scheme}://127.0.0.1:{self.server.port}{path}"

    def ask(self, path: str, *arguments: str, check: bool = True, data: bytes | None = None) -> bytes:
        """The body, or head and body; asserts the version and the status 200."""
        answer = curl(*self.options, *arguments, self.url(path), check=check, data=data)
        body, _, told = answer.stdout.rpartition(b"\n")
        self.assertEqual(told, self.version + b" 200", answer)
        return body

    def test_a_whole_body(self) -> None:
        self.assertEqual(json.loads(self.ask("/small"))["balance"], 50000)
        self.assertEqual(self.ask("/text?count=200000"), b"0123456789" * 200_000)

    def test_head(self) -> None:
        head = self.ask("/text?count=7", "--head").lower()
        self.assertIn(b"content-length: 70\r\n", head)
        self.assertIn(b"\r\ndate: ", head)
        self.ask("/stream?count=1000000000&bytes=1000", "--head")

    def test_a_body_that_is_sent_back(self) -> None:
        sent = os.urandom(1 << 20)
        arguments = ("--data-binary", "@-", "-H", "Content-Type: application/octet-stream")
        self.assertEqual(self.ask("/echo", *arguments, data=sent), sent)
        self.assertEqual(self.ask("/echo", *arguments, "-H", "Expect: 100-continue", data=sent), sent)

    def test_a_body_beyond_the_limit(self) -> None:
        answer = curl(*self.options, "--data-binary", "@-", self.url("/echo"), check=False, data=bytes((1 << 20) + 1))
        self.assertTrue(answer.stdout.endswith(b" 413"), answer)

    def test_a_body_in_pieces(self) -> None:
        self.assertEqual(self.ask("/stream?count=20&bytes=100&milliseconds=1"), b"x" * 2_000)
        self.assertEqual(len(self.ask("/stream?count=100&bytes=100000")), 10_000_000)

    def test_a_body_that_fails(self) -> None:
        url = self.url("/stream?count=3&bytes=10&milliseconds=50&fails=1")
        answer = curl(*self.options, url, check=False)
        self.assertEqual(answer.returncode, self.partial, answer)
        # By HTTP/2 curl drops what comes with the reset.
        self.assertRegex(answer.stdout, rb"^x{20,30}\n")

    def test_a_client_that_goes_away_ends_the_producer(self) -> None:
        before = self.server.status()["gone"]
        curl(*self.options, "--max-time", "0.2", self.url("/stream?count=1000000&milliseconds=10"), check=False)
        eventually(lambda: self.server.status()["gone"], lambda gone: gone > before, "the producer to end")

    def test_many_requests_on_one_connection(self) -> None:
        urls = [self.url(f"/text?count={count}") for count in range(1, 101)]
        answer = curl(*self.options, "--parallel", "--parallel-max", "20", *urls)
        self.assertEqual(answer.stdout.count(self.version + b" 200"), 100)

    def test_gzip(self) -> None:
        packed = self.ask("/text?count=1000", "-H", "Accept-Encoding: gzip", "-i")
        self.assertLess(len(packed), 1_000)
        self.assertEqual(self.ask("/text?count=1000", "--compressed"), b"0123456789" * 1_000)


class Plaintext(unittest.TestCase):
    """A server without TLS."""

    server: HTTPProbe

    @classmethod
    def setUpClass(cls) -> None:
        stack = contextlib.ExitStack()
        cls.addClassCleanup(stack.close)
        cls.server = stack.enter_context(http_server(GOZON_HTTP_COMPRESSION="1"))


class Encrypted(unittest.TestCase):
    """A server with TLS, and an authority that curl trusts."""

    files: Path
    server: HTTPProbe

    @classmethod
    def setUpClass(cls) -> None:
        stack = contextlib.ExitStack()
        cls.addClassCleanup(stack.close)
        cls.files = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gozon-https-")))
        cls.make_certificate("ca")
        cls.make_certificate("server", "ca")
        cls.options = [*cls.options, "--cacert", str(cls.files / "ca.pem")]
        files = {"CERTIFICATE": "server.pem", "KEY": "server.key"}
        variables = {f"GOZON_HTTP_TLS_{name}": str(cls.files / file) for name, file in files.items()}
        cls.server = stack.enter_context(http_server(GOZON_HTTP_COMPRESSION="1", **variables))
        cls.server.context = ssl.create_default_context(cafile=str(cls.files / "ca.pem"))

    @classmethod
    def make_certificate(cls, name: str, authority: str | None = None) -> None:
        """Makes NAME.pem and NAME.key: an authority, or a certificate of one for this machine."""
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem"]
        if authority:
            command += ["-CA", f"{authority}.pem", "-CAkey", f"{authority}.key"]
            command += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"]
        subprocess.run(command, cwd=cls.files, check=True, capture_output=True)


class HTTP1Tests(ProtocolCases, Plaintext):
    options, version = ["--http1.1"], b"1.1"


class HTTP10Tests(Plaintext):
    def test_a_body_in_pieces_ends_with_the_connection(self) -> None:
        answer = curl("--http1.0", f"http://127.0.0.1:{self.server.port}/stream?count=3&bytes=5")
        self.assertEqual(answer.stdout.partition(b"\n")[0], b"x" * 15)
        failed = curl("--http1.0", f"http://127.0.0.1:{self.server.port}/stream?count=3&bytes=5&fails=1", check=False)
        self.assertNotEqual(failed.returncode, 0, failed)


class HTTP2Tests(ProtocolCases, Plaintext):
    options, version, partial = ["--http2-prior-knowledge"], b"2", CURL_HTTP2_STREAM

    # curl 7.88 can use a connection by prior knowledge only once.
    test_many_requests_on_one_connection = None


class HTTPSTests(ProtocolCases, Encrypted):
    options, version = ["--http1.1"], b"1.1"

    def test_plaintext_is_told_that_this_is_https(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        connection.request("GET", "/small")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 400)
        self.assertIn(b"This port speaks HTTPS", answer.read())
        connection.close()

    def test_a_renewed_certificate_is_taken_up_without_a_restart(self) -> None:
        before = self.shown_certificate()
        self.make_certificate("server", "ca")
        eventually(self.shown_certificate, lambda shown: shown != before, "the new certificate to be shown")
        self.ask("/small")

    def shown_certificate(self) -> bytes | None:
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            with self.server.context.wrap_socket(connection, server_hostname="127.0.0.1") as tls:
                return tls.getpeercert(binary_form=True)

    def test_a_websocket(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            with self.server.context.wrap_socket(connection, server_hostname="127.0.0.1") as tls:
                client = WebSocket(tls, "/socket")
                client.send(websocket.TEXT, b"hidden")
                self.assertEqual(client.receive(), (websocket.TEXT, b"hidden"))
                client.close()


class HTTP2OverTLSTests(ProtocolCases, Encrypted):
    options, version, partial = ["--http2"], b"2", CURL_HTTP2_STREAM


class WebSocketTests(Plaintext):
    def test_messages_come_back(self) -> None:
        with self.server.connect() as connection:
            client = WebSocket(connection, "/socket", "other, echo")
            self.assertEqual(client.fields["sec-websocket-protocol"], "echo")
            for payload in (b"", b"hi", "\u043f\u0440\u0438\u0432\u0435\u0442".encode(), b"x" * 126, b"x" * 65_536):
                client.send(websocket.TEXT, payload)
                self.assertEqual(client.receive(), (websocket.TEXT, payload))
            client.send(websocket.BINARY, b"\0\1", is_last=False)
            client.send(websocket.PING, b"there?")
            client.send(0, b"\2")
            self.assertEqual(client.receive(), (websocket.PONG, b"there?"))
            self.assertEqual(client.receive(), (websocket.BINARY, b"\0\1\2"))
            self.assertEqual(client.close(4000), b"\x0f\xa0")

    def test_what_is_wrong_closes_with_its_code(self) -> None:
        for opcode, payload, code in ((websocket.TEXT, b"\xff", 1007), (3, b"", 1002), (2, b"x" * 65_537, 1009)):
            with self.subTest(code), self.server.connect() as connection:
                client = WebSocket(connection, "/socket")
                client.send(opcode, payload)
                self.assertEqual(client.receive(), (websocket.CLOSE, code.to_bytes(2, "big")))

    def test_another_version_is_refused(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "8"}
        connection.request("GET", "/socket", headers=headers)
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.headers["Sec-WebSocket-Version"]), (426, "13"))
        connection.close()

    def test_a_server_that_ends_says_so(self) -> None:
        with http_server() as server, server.connect() as connection:
            client = WebSocket(connection, "/socket")
            server.process.terminate()
            self.assertEqual(client.receive(), (websocket.CLOSE, (1001).to_bytes(2, "big")))
            client.send(websocket.CLOSE, (1001).to_bytes(2, "big"))
            self.assertEqual(server.process.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
