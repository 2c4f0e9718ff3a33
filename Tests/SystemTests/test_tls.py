"""A system whose services speak mutual TLS to each other."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import ClassVar

from harness import GozonSystem, SystemTestCase, eventually, http_probe

PLAINTEXT = dict.fromkeys(("GOZON_RPC_TLS_CA", "GOZON_RPC_TLS_CERTIFICATE", "GOZON_RPC_TLS_KEY"), "")


class TLSTests(SystemTestCase):
    files: ClassVar[Path]

    @classmethod
    def prepare(cls, system: GozonSystem) -> None:
        cls.files = system.home.path / "tls"
        cls.files.mkdir()
        cls.make_certificate("ca")
        cls.make_certificate("gozon", "ca")
        system.environment |= {
            "GOZON_RPC_TLS_CERTIFICATE": str(cls.files / "gozon.pem"),
            "GOZON_RPC_TLS_KEY": str(cls.files / "gozon.key"),
            "GOZON_RPC_TLS_CLIENT_CA": str(cls.files / "ca.pem"),
            "GOZON_RPC_TLS_CA": str(cls.files / "ca.pem"),
        }

    @classmethod
    def make_certificate(cls, name: str, authority: str | None = None) -> None:
        """Makes NAME.pem and NAME.key: an authority, or a certificate of one for this machine."""
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem"]
        if authority:
            command += ["-CA", f"{authority}.pem", "-CAkey", f"{authority}.key"]
            command += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"]
        subprocess.run(command, cwd=cls.files, check=True, capture_output=True)

    def test_an_order_is_paid(self) -> None:
        order = self.client.order(self.client.funded_user(10), 10)
        self.assertEqual(self.client.settled(order["id"])["status"], "FINISHED")
        self.assertIn("SERVING", self.system.client_tool("health").stdout)

    def test_a_caller_without_tls_or_without_a_certificate_learns_which_setting_to_change(self) -> None:
        plaintext = self.system.client_tool("list", check=False, **PLAINTEXT)
        self.assertNotEqual(plaintext.returncode, 0)
        self.assertIn("set --rpc-tls-ca (GOZON_RPC_TLS_CA)", plaintext.stderr)
        ca = str(self.files / "ca.pem")
        nameless = self.system.client_tool("list", check=False, **{**PLAINTEXT, "GOZON_RPC_TLS_CA": ca})
        self.assertNotEqual(nameless.returncode, 0)
        self.assertIn("set --rpc-tls-certificate (GOZON_RPC_TLS_CERTIFICATE)", nameless.stderr)

    def test_a_renewed_certificate_is_taken_up_without_a_restart(self) -> None:
        before = self.shown_certificate()
        self.make_certificate("gozon", "ca")
        eventually(self.shown_certificate, lambda shown: shown != before, "the new certificate to be shown")
        self.system.kill("gateway")
        self.system.up()
        self.assertIsNone(http_probe(f"http://127.0.0.1:{self.system.ports['gatewayAdmin']}/readyz")())

    def shown_certificate(self) -> str:
        address = f"127.0.0.1:{self.system.ports['orders']}"
        answer = subprocess.run(
            ["openssl", "s_client", "-connect", address],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return answer.stdout.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0]
