"""A private NATS with JetStream: loopback only, its streams kept in the home."""

from __future__ import annotations

from devkit.home import Home
from devkit.packages import nats_server
from devkit.probes import http_probe
from devkit.processes import Process, Program


class PrivateNATS:
    """The server of a home and its JetStream store."""

    def __init__(self, home: Home, port: int, monitor_port: int) -> None:
        self.home = home
        self.port = port
        self.monitor_port = monitor_port

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def program(self) -> Program:
        command = [str(nats_server()), "--name", "gozon", "--addr", "127.0.0.1", "--port", str(self.port)]
        command += ["--http_port", str(self.monitor_port), "--jetstream", "--store_dir", str(self.home.nats)]
        return Program(
            Process(self.home, "nats"),
            command,
            probe=http_probe(f"http://127.0.0.1:{self.monitor_port}/healthz"),
            before=lambda: self.home.nats.mkdir(parents=True, exist_ok=True),
        )
