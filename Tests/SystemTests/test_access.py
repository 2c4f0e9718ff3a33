"""Who may call what, on a system whose gateway asks for tokens: every route that the services offer is tried."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import re
import subprocess
import time
import uuid
from dataclasses import dataclass
from typing import Any, ClassVar, Mapping

from harness import CHECKOUT, Answer, Client, GozonSystem, SystemTestCase, eventually
from gozon_client import Client as RPCClient
from gozon_client import RPCError, Status

ISSUER, AUDIENCE = "https://id.example", "gozon"
SERVICE_TOKEN = "what the services know each other by"
REFUSED = (401, 403, 404)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Route:
    """A route as the services tell of it."""

    rpc: str
    verb: str
    path: str
    access: str
    example: Mapping[str, Any]
    is_stream: bool

    def __str__(self) -> str:
        return f"{self.verb} {self.path} @access({self.access})"

    def target(self, fields: Mapping[str, str]) -> str:
        """The path with these fields in the place of its variables, and others in the query where the verb has no body."""
        values = {**{name: str(value) for name, value in self.example.items()}, **fields}
        path = re.sub(r"{(\w+)}", lambda variable: values[variable[1]], self.path)
        in_path = re.findall(r"{(\w+)}", self.path)
        owner = self.owner
        if self.verb == "GET" and owner and owner not in in_path and owner in fields:
            path += f"?{owner}={fields[owner]}"
        return path

    def body(self, fields: Mapping[str, str]) -> dict[str, Any] | None:
        if self.verb not in ("POST", "PUT", "PATCH"):
            return None
        in_path = re.findall(r"{(\w+)}", self.path)
        body = {name: value for name, value in self.example.items() if name not in in_path}
        if "id" in body:
            body["id"] = str(uuid.uuid4())  # An object that is to be made.
        return {**body, **{name: value for name, value in fields.items() if name in body and name != "id"}}

    @property
    def owner(self) -> str | None:
        """The field that names whose it is."""
        return self.access.removeprefix("owner: ") if self.access.startswith("owner: ") else None


class Signer:
    """Makes tokens by a secret of HMAC that the gateway knows, good ones and others."""

    def __init__(self, kid: str = "hmac") -> None:
        self.kid, self.secret = kid, b"a secret of thirty-two bytes, as it must be: " + kid.encode()

    @property
    def jwk(self) -> dict[str, str]:
        return {"kty": "oct", "alg": "HS256", "kid": self.kid, "k": base64url(self.secret)}

    def token(self, sub: str | None, scope: str = "", header: Mapping[str, Any] = {}, **claims: Any) -> str:
        now = int(time.time())
        said = {"sub": sub, "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 3600}
        said |= {"scope": scope} if scope else {}
        top = {"alg": "HS256", "kid": self.kid, **header}
        return self.seal(top, {name: value for name, value in {**said, **claims}.items() if value is not None})

    def seal(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{base64url(hmac.digest(self.secret, signed.encode(), hashlib.sha256))}"


class AccessTests(SystemTestCase):
    signer: ClassVar[Signer]

    @classmethod
    def prepare(cls, system: GozonSystem) -> None:
        cls.signer = Signer()
        cls.keys = system.home.path / "jwks.json"
        cls.keys.write_text(json.dumps({"keys": [cls.signer.jwk]}))
        system.environment |= {
            "GOZON_AUTH_JWKS": str(cls.keys),
            "GOZON_AUTH_ISSUER": ISSUER,
            "GOZON_AUTH_AUDIENCE": AUDIENCE,
            "GOZON_SERVICE_TOKEN": SERVICE_TOKEN,
        }

    def setUp(self) -> None:
        super().setUp()
        self.operator = self.bearing(self.signer.token("an-operator", "operator"))

    def bearing(self, token: str) -> Client:
        client = self.system.client(headers=bearer(token))
        self.addCleanup(client.close)
        return client

    def routes(self) -> list[Route]:
        """Every route, by reflection of the running services; none of those in the schemas is missing."""
        listed = [json.loads(line) for line in self.system.client_tool("list", "--json").stdout.splitlines()]
        routes = []
        for name in (method["method"] for method in listed):
            method = json.loads(self.system.client_tool("describe", name, "--json").stdout)
            for summary in method["http"]:
                verb, path = summary.split()[:2]
                routes.append(
                    Route(name, verb, path, method["access"], method["example"] or {}, method["responseIsStream"])
                )
        written = {
            tuple(found)
            for file in (CHECKOUT / "Schemas").glob("*.gozon")
            for found in re.findall(r'@http\((\w+), "([^"]+)"', file.read_text("utf-8"))
        }
        self.assertEqual({(route.verb, route.path) for route in routes}, written)
        return routes

    def ask(self, client: Client, route: Route, fields: Mapping[str, str]) -> Answer:
        """Asks for a route; of a stream, only whether it begins."""
        target, body = route.target(fields), route.body(fields)
        if not route.is_stream:
            return client.request(route.verb, target, body)
        connection = http.client.HTTPConnection(self.system.address, timeout=30)
        with contextlib.closing(connection):
            connection.request(route.verb, target, None, {"Accept": "text/event-stream", **client.headers})
            response = connection.getresponse()
            content = response.read() if response.status >= 400 else b""
            return Answer(response.status, response.headers, content)

    def victim(self) -> dict[str, str]:
        """A user with an account and an order, as the fields that routes name them by."""
        user = self.operator.funded_user(100)
        order = self.operator.order(user, 7)["id"]
        self.operator.settled(order)
        return {"userId": user, "id": order, "orderId": order}

    def books(self, victim: Mapping[str, str]) -> Any:
        """What strangers must not change."""
        return (
            self.operator.balance(victim["userId"]),
            self.operator.orders_of(victim["userId"]),
            self.operator.found(f"/v1/orders/{victim['id']}"),
        )

    def test_every_route_is_refused_to_strangers(self) -> None:
        victim, other = self.victim(), self.operator.funded_user(1)
        before = self.books(victim)
        strangers = {
            "nobody": self.client,
            "another user": self.bearing(self.signer.token(other)),
            "another user with scopes": self.bearing(self.signer.token(other, "read write operators Operator")),
            "a program": self.bearing(self.signer.token("a-shop", "read")),
        }
        for route in self.routes():
            for name, stranger in strangers.items():
                with self.subTest(f"{name}: {route}"):
                    if route.access == "anyone":
                        self.assertNotIn(self.ask(stranger, route, victim).status, REFUSED)
                        continue
                    self.assert_refused(self.ask(stranger, route, victim), known=name != "nobody", route=route)
        self.assertEqual(self.books(victim), before)

    def assert_refused(self, answer: Answer, known: bool, route: Route) -> None:
        """Who asks for what is not its own learns nothing of it, not even whether it is there; a user that is named is no
        secret."""
        if not known:
            self.assert_problem(answer, 401, "UNAUTHENTICATED")
            self.assertEqual(answer.headers["WWW-Authenticate"], 'Bearer realm="gozon"')
        elif route.access == "object" and "{userId}" not in route.path:
            self.assert_problem(answer, 404, "NOT_FOUND")
        else:
            self.assert_problem(answer, 403, "PERMISSION_DENIED")
            if route.access == "operator":
                self.assertIn('error="insufficient_scope", scope="operator"', answer.headers["WWW-Authenticate"])

    def test_every_route_is_refused_to_tokens_that_are_none(self) -> None:
        victim = self.victim()
        before, now, user, signer = self.books(victim), int(time.time()), victim["userId"], self.signer
        stolen = Signer()
        stolen.secret = b"a public key, taken for a secret by those who trust alg"
        good = signer.token(user, "operator")
        tokens = {
            "alg none": signer.token(user, header={"alg": "none"}).rpartition(".")[0] + ".",
            "alg None": signer.token(user, header={"alg": "nOnE"}),
            "another algorithm for the key": signer.token(user, header={"alg": "EdDSA"}),
            "a key of one's own": stolen.token(user),
            "a kid that is not there": signer.token(user, header={"kid": "another"}),
            "an embedded key": stolen.token(user, header={"jwk": stolen.jwk}),
            "expired": signer.token(user, exp=now - 60),
            "not valid yet": signer.token(user, nbf=now + 600),
            "never expires": signer.token(user, exp=None),
            "another issuer": signer.token(user, iss="https://evil.example"),
            "no issuer": signer.token(user, iss=None),
            "another audience": signer.token(user, aud="others"),
            "no audience": signer.token(user, aud=None),
            "no subject": signer.token(None),
            "cut": good[:-1],
            "two": f"{good}.{good}",
            "other claims": ".".join((good.split(".")[0], signer.token("x").split(".")[1], good.split(".")[2])),
            "rubbish": "rubbish",
        }
        routes = self.routes()
        for name, token in tokens.items():
            client = self.bearing(token)
            for route in routes:
                with self.subTest(f"{name}: {route}"):
                    answer = self.ask(client, route, victim)
                    self.assert_problem(answer, 401, "UNAUTHENTICATED")
                    self.assertIn('error="invalid_token"', answer.headers["WWW-Authenticate"])
                    self.assertNotIn(token.encode(), answer.body)
        self.assertEqual(self.books(victim), before)
        self.assertNotIn(good, self.system.process("gateway").log_file.read_text())

    def test_headers_of_a_client_say_nothing_of_who_it_is(self) -> None:
        victim, stranger = self.victim(), self.signer.token(str(uuid.uuid4()))
        names = ("principal", "Principal", "scopes", "X-Principal", "X-Scopes", "gozon-principal", "X-User", "Sub")
        lies = {name: "operator" if "scope" in name.lower() else victim["userId"] for name in names}
        for headers, statuses in ((lies, {401}), ({**lies, **bearer(stranger)}, {403, 404})):
            for route in self.routes():
                if route.access != "anyone":
                    with self.subTest(route=route), contextlib.closing(self.system.client(headers=headers)) as client:
                        self.assertIn(self.ask(client, route, victim).status, statuses)

    def test_an_owner_and_an_operator_are_let_in_everywhere(self) -> None:
        for name in ("owner", "operator"):
            for route in self.routes():
                if name == "owner" and route.access == "operator":
                    continue
                with self.subTest(f"{name}: {route}"):
                    victim = self.victim()
                    client = self.operator if name == "operator" else self.bearing(self.signer.token(victim["userId"]))
                    answer = self.ask(client, route, victim)
                    self.assertNotIn(answer.status, REFUSED, answer)
                    self.assertLess(answer.status, 500, answer)

    def test_a_user_does_with_its_own_token_what_a_user_does(self) -> None:
        user = str(uuid.uuid4())
        client = self.bearing(self.signer.token(user, "read"))
        client.created("/v1/accounts", {"userId": user})
        client.created(f"/v1/accounts/{user}/deposits", {"amount": 10})
        order = client.order(user, 10)["id"]
        self.assertEqual(client.settled(order)["status"], "FINISHED")
        self.assertEqual(client.cancel(order)["status"], "REFUNDED")
        self.assertEqual([one["id"] for one in client.orders_of(user)], [order])
        self.assert_problem(client.get("/v1/orders"), 403, "PERMISSION_DENIED")
        self.assertIn(order, [one["id"] for one in self.operator.found("/v1/orders")["orders"]])

    def test_pages_ask_nobody(self) -> None:
        for page in ("/", "/healthz", "/readyz"):
            self.assertEqual(self.client.get(page).status, 200)

    def test_keys_change_without_a_restart_and_a_bad_file_changes_nothing(self) -> None:
        user, next_signer = self.victim()["userId"], Signer("next")
        path = f"/v1/accounts/{user}"
        old, new = self.bearing(self.signer.token(user)), self.bearing(next_signer.token(user))
        pid = self.system.pids()["gateway"]

        def statuses() -> tuple[int, int]:
            return old.get(path).status, new.get(path).status

        def write(text: str) -> None:
            draft = self.keys.with_suffix(".new")
            draft.write_text(text)
            draft.replace(self.keys)

        before = self.keys.read_text()
        try:
            self.assertEqual(statuses(), (200, 401))
            write("no keys")
            log = self.system.process("gateway").log_file
            complaint = "those read before stay in force"
            eventually(lambda: (statuses(), log.read_text()), lambda seen: complaint in seen[1], complaint)
            self.assertEqual(statuses(), (200, 401))
            write(json.dumps({"keys": [self.signer.jwk, next_signer.jwk]}))
            eventually(statuses, lambda seen: seen == (200, 200), "both keys to be taken")
            write(json.dumps({"keys": [next_signer.jwk]}))
            eventually(statuses, lambda seen: seen == (401, 200), "the first key to be gone")
        finally:
            write(before)
        eventually(statuses, lambda seen: seen == (200, 401), "the keys to be as they were")
        self.assertEqual(self.system.pids()["gateway"], pid)

    def test_the_client_tool_makes_tokens_that_the_gateway_takes(self) -> None:
        user = self.victim()["userId"]
        before = self.keys.read_text()
        directory = self.system.home.path
        try:
            for algorithm in ("EdDSA", "ES256", "HS256"):
                key = str(directory / f"{algorithm}.json")
                tool = self.system.client_tool
                tool("token", "keygen", "--alg", algorithm, "--key", key, "--jwks", str(self.keys))
                made = tool("token", "sign", "--key", key, "--sub", user, "--iss", ISSUER, "--aud", AUDIENCE)
                client = self.bearing(made.stdout.strip())
                eventually(lambda: client.get(f"/v1/accounts/{user}").status, lambda status: status == 200, algorithm)
                self.assertEqual(tool("token", "show", made.stdout.strip()).stdout.splitlines()[-1], "good")
        finally:
            self.keys.write_text(before)

    def test_services_believe_only_who_has_their_token(self) -> None:
        victim = self.victim()
        address = f"127.0.0.1:{self.system.ports['orders']}"
        strangers = (("principal", str(uuid.uuid4())),), (("principal", "x"), ("scopes", "read"))
        operators = (), (("principal", "x"), ("scopes", "operator")), (("principal", victim["userId"]),)

        def call(token: str, metadata: tuple[tuple[str, str], ...]) -> Status:
            with RPCClient(address, token=token) as client:
                try:
                    client.unary("Orders.GetOrder", {"id": victim["id"]}, metadata=metadata, seconds=5)
                    return Status.OK
                except RPCError as error:
                    return error.status

        for metadata in (*strangers, *operators):
            for token in ("", "what the services know each other b", SERVICE_TOKEN + "!"):
                with self.subTest(metadata, token=token):
                    self.assertEqual(call(token, metadata), Status.UNAUTHENTICATED)
        self.assertEqual({call(SERVICE_TOKEN, metadata) for metadata in operators}, {Status.OK})
        self.assertEqual({call(SERVICE_TOKEN, metadata) for metadata in strangers}, {Status.NOT_FOUND})

    def start(self, program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a program that is to refuse to start."""
        settings = ("GOZON_AUTH_JWKS", "GOZON_AUTH_ISSUER", "GOZON_AUTH_AUDIENCE", "GOZON_SERVICE_TOKEN")
        return subprocess.run(
            [str(self.system.programs / program), *arguments],
            env={**self.system.environment, **dict.fromkeys(settings, ""), **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def test_no_program_listens_beyond_loopback_where_nobody_is_asked(self) -> None:
        remedies = {name: "GOZON_SERVICE_TOKEN" for name in ("gozon-orders", "gozon-payments")}
        for program, remedy in {**remedies, "gozon-gateway": "--auth-jwks (GOZON_AUTH_JWKS)"}.items():
            with self.subTest(program):
                databases = (f"GOZON_DATABASE_URL_{name}" for name in ("ORDERS", "PAYMENTS"))
                ended = self.start(program, "--listen-host", "0.0.0.0", **dict.fromkeys(databases, "postgresql:///x"))
                self.assertEqual(ended.returncode, 64, ended.stderr)
                self.assertIn(remedy, ended.stderr)
                self.assertIn("--insecure-listen", ended.stderr)

    def test_keys_that_cannot_be_used_stop_the_start(self) -> None:
        keys = self.system.home.path / "bad.json"
        keys.write_text('{"keys": []}')
        ended = self.start("gozon-gateway", "--auth-jwks", str(keys), "--http-port", "0", "--gateway-admin-port", "0")
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("--auth-jwks (GOZON_AUTH_JWKS)", ended.stderr)


if __name__ == "__main__":
    import unittest

    unittest.main()
