"""The description of the API is OpenAPI 3.1, and what the API answers is what its description says."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from harness import CHECKOUT, GozonSystem, SystemTestCase

from devkit.packages import API_CHECKERS, prepare

GOLDEN = CHECKOUT / "Tests" / "SchemaTests" / "OpenAPI" / "notes.json"
"""What the unit tests hold the generator to."""

EXPLORING_SECONDS = 60
"""For schemathesis; it tries examples first, then values at every bound, and makes up requests for the rest of the time."""

CHECKER_SETTINGS = """
[parameters]
# Whatever is made up is no token that a page has given.
"query.pageToken" = ""

[phases.coverage]
# Methods that a resource does not have get 405; those that the server does not know, such as QUERY, get 501 (RFC 9110
# section 15.6.2).
unexpected-methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]

[checks.positive_data_acceptance]
# What fits the description is taken, unless it contradicts what is there.
expected-statuses = ["2xx", 304, 404, 409, 412, 422]
"""


CHECKER_HOOKS = '''"""What a description cannot say of a body.

JSON Schema takes 10.0 for an integer; our JSON, where a fraction may be money that nobody meant, does not. PostgreSQL's
texts have no U+0000. What is put on an account has a bound for all deposits together.
"""
import schemathesis

AMOUNT_MAX, DESCRIBED_MAX = 10**12, 2**53 - 1


def sayable(value, name=""):
    if isinstance(value, dict):
        return {name: sayable(member, name) for name, member in value.items()}
    if isinstance(value, list):
        return [sayable(element) for element in value]
    if isinstance(value, str):
        return value.replace("\\0", "")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if name == "amount" and isinstance(value, int) and AMOUNT_MAX < value <= DESCRIBED_MAX:
        return value % AMOUNT_MAX + 1
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    case.body = sayable(case.body)
'''


class ApiDescriptionTests(SystemTestCase):
    scratch: ClassVar[Path]
    hooks: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        prepare(api_checkers=True)
        directory = tempfile.TemporaryDirectory(prefix="gozon-api-")
        cls.addClassCleanup(directory.cleanup)
        cls.scratch = Path(directory.name)
        cls.hooks = cls.scratch / "hooks.py"
        cls.hooks.write_text(CHECKER_HOOKS)
        super().setUpClass()

    @classmethod
    def prepare(cls, system: GozonSystem) -> None:
        # Routes of a file are described, and held to it, like the others.
        system.environment["GOZON_ROUTES"] = str(CHECKOUT / "tools" / "routes" / "legacy.routes")

    def checker(self, program: str, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
        """Runs one of the checkers."""
        return subprocess.run(
            [sys.executable, str(API_CHECKERS / "bin" / program), *arguments],
            env={**os.environ, "PYTHONPATH": str(API_CHECKERS), "SCHEMATHESIS_HOOKS": str(self.hooks)},
            cwd=self.scratch,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )

    def test_descriptions_are_openapi(self) -> None:
        files = [GOLDEN]
        for path in ("/openapi.json", "/openapi/Orders.json", "/openapi/gozon.payments.Payments.json"):
            answer = self.client.get(path)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/json"), answer)
            files.append(self.scratch / path.rpartition("/")[2])
            files[-1].write_bytes(answer.body)
        checked = self.checker(
            "openapi-spec-validator", "--schema", "3.1", "--errors", "all", *map(str, files), seconds=120
        )
        self.assertEqual(checked.returncode, 0, checked.stdout)

    def test_every_route_is_described_with_its_service(self) -> None:
        document = self.client.found("/openapi.json")
        operations = {
            f"{method.upper()} {path}": operation["operationId"]
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }
        self.assertEqual(operations["POST /v1/orders"], "Orders.CreateOrder")
        self.assertEqual(operations["GET /v1/accounts/{userId}"], "Payments.GetAccount")
        self.assertEqual(operations["POST /accounts/deposit"], "Payments.Deposit.2")
        amount = document["components"]["schemas"]["CreateOrderRequest"]["properties"]["amount"]
        self.assertEqual((amount["minimum"], amount["maximum"]), (1, 9007199254740991))
        self.assertEqual(self.client.get("/openapi/Nobody.json").status, 404)

    def test_a_description_is_sent_once(self) -> None:
        first = self.client.get("/openapi.json")
        again = self.client.get("/openapi.json", {"If-None-Match": first.headers["ETag"]})
        self.assertEqual((again.status, again.body), (304, b""))
        coded = self.client.get("/openapi.json", {"Accept-Encoding": "gzip"})
        self.assertEqual(gzip.decompress(coded.body), first.body)
        self.assertNotEqual(coded.headers["ETag"], first.headers["ETag"])

    def test_docs_come_from_here_alone(self) -> None:
        page = self.client.get("/docs")
        self.assertEqual((page.status, page.headers.get_content_type()), (200, "text/html"))
        policy = page.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertIn("script-src 'self';", policy)
        for name, kind in {
            "swagger-ui-bundle.js": "text/javascript",
            "initializer.js": "text/javascript",
            "swagger-ui.css": "text/css",
            "favicon-32x32.png": "image/png",
        }.items():
            with self.subTest(name):
                self.assertIn(f'"docs/{name}"', page.body.decode())
                file = self.client.get(f"/docs/{name}", {"Accept-Encoding": "gzip"})
                self.assertEqual((file.status, file.headers.get_content_type()), (200, kind))
                self.assertEqual(file.headers["X-Content-Type-Options"], "nosniff")
                known = {"Accept-Encoding": "gzip", "If-None-Match": file.headers["ETag"]}
                self.assertEqual(self.client.get(f"/docs/{name}", known).status, 304)
        bundle = self.client.get("/docs/swagger-ui-bundle.js", {"Accept-Encoding": "gzip"})
        self.assertIn(b"SwaggerUIBundle", gzip.decompress(bundle.body))
        self.assertLess(len(bundle.body), 1 << 20)
        self.assertEqual(self.client.get("/docs/index.css").status, 404)

    def test_answers_are_those_that_are_described(self) -> None:
        pids = self.system.pids()
        (self.scratch / "schemathesis.toml").write_text(CHECKER_SETTINGS)
        ran = self.checker(
            "schemathesis",
            "run",
            f"http://{self.system.address}/openapi.json",
            f"--max-time={EXPLORING_SECONDS}",
            "--seed=1",
            "--no-color",
            "--warnings=off",
            "--continue-on-failure",
            "--generation-database=none",
            *(f"--exclude-operation-id={operation}" for operation in self.streams()),
            seconds=EXPLORING_SECONDS * 5,
        )
        self.assertEqual(ran.returncode, 0, ran.stdout[-20_000:])
        # It has been idle for so long that the gateway may have closed it.
        self.client.close()
        self.assert_serving(pids)

    def streams(self) -> list[str]:
        """Operations whose answer has no end, which no example can wait for."""
        document: dict[str, Any] = json.loads(self.client.get("/openapi.json").body)
        operations = [operation for methods in document["paths"].values() for operation in methods.values()]
        return [operation["operationId"] for operation in operations if "101" in operation["responses"]]
