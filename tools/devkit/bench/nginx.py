"""nginx with one constant answer: what an HTTP server costs that does nothing else."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from devkit.bench.measure import cpu_seconds
from devkit.console import Failure
from devkit.packages import prepare, unpacked
from devkit.settings import any_free_port

START_SECONDS = 10

CONFIGURATION = """\
{user}worker_processes auto;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location / {{ return 200 '{answer}'; }}
  }}
}}
"""


class Nginx:
    """A running nginx: a worker for each core, no log of requests, connections that stay."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def cpu_seconds(self) -> float:
        """What it has used so far, its workers included."""
        return cpu_seconds(self.process.pid)


@contextmanager
def nginx(directory: Path, answer: str) -> Iterator[Nginx]:
    """Runs nginx, which answers everything with `answer`."""
    prepare(others=["libpcre2-8-0", "zlib1g"])
    program = unpacked("nginx") / "usr" / "sbin" / "nginx"
    directory.mkdir()
    port = any_free_port()
    user = "user root;\n" if directory.owner() == "root" else ""
    configuration = directory / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(user=user, directory=directory, port=port, answer=answer))
    process = subprocess.Popen([str(program), "-p", str(directory), "-c", str(configuration), "-g", "daemon off;"])
    try:
        found = Nginx(process, port)
        _wait_for(found.url, directory)
        yield found
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, directory: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).read()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                log = directory / "error.log"
                raise Failure(f"nginx does not answer: {error}\n{log.read_text() if log.exists() else ''}") from error
            time.sleep(0.05)
