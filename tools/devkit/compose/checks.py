"""What has to hold of the systems that docker-compose.yml describes."""

from __future__ import annotations

import time
import urllib.request

from devkit.compose.client import RECOVERY_SECONDS, get, loading, pay
from devkit.compose.engine import Engine
from devkit.compose.project import up
from devkit.compose.waiting import wait
from devkit.console import Failure, say
from devkit.home import CHECKOUT
from devkit.tour import take_tour

CLUSTER_VARIABLES = CHECKOUT / "tools" / "compose" / "cluster.env"
LOAD_SECONDS = 6


def check_single(engine: Engine) -> None:
    """One of everything: the tour, then each container killed, and everything is as it was."""
    with up(engine, "one of each") as compose:
        published = [port for port in compose.run("ps").split() if "->" in port]
        if len(published) != 1:
            raise Failure(f"only the gateway's port should be published, and these are: {published}")
        with urllib.request.urlopen(f"{compose.urls[0]}/docs", timeout=10) as docs:
            if b"swagger-ui" not in docs.read():
                raise Failure("/docs does not show Swagger UI")
        say("  the README's tour ...")
        tool = " ".join([*compose.command, "run", "--rm", "-T", "gozon"])
        take_tour(compose.urls[0], tool=tool, environment=compose.environment)
        for service in ("orders", "payments", "gateway", "nats", "postgres"):
            say(f"  killing {service} ...")
            compose.engine.run("kill", compose.container(service))
            compose.run("up", "--detach", "--no-build")
            compose.wait_until_healthy()
            pay(compose.urls[0])
        compose.verify()
        say("  down and up again ...")
        user = pay(compose.urls[0])
        compose.run("down", "--timeout", "30")
        compose.run("up", "--detach", "--no-build")
        compose.wait_until_healthy()
        if get(f"{compose.urls[0]}/v1/accounts/{user}")["balance"] != 999_900:
            raise Failure("the account is not as it was before docker-compose down")
        compose.verify()


def check_cluster(engine: Engine) -> None:
    """Two of each and three NATS servers, each of them lost in turn under load."""
    with up(engine, "two of each, three NATS servers", CLUSTER_VARIABLES) as compose:
        pay(compose.urls[0])
        pay(compose.urls[1])
        for service in ("nats", "nats-2", "nats-3", "orders", "payments-2"):
            with loading(compose.urls) as load:
                time.sleep(LOAD_SECONDS / 3)
                say(f"  killing {service} under load ...")
                compose.engine.run("kill", compose.container(service))
                time.sleep(LOAD_SECONDS)
            say(f"    {len(load.taken)} orders taken, {load.failed} requests failed and were sent again")
            if not load.taken:
                raise Failure(f"without {service}, no order was taken")
            for order in load.taken:
                wait(
                    f"order {order} is settled without {service}", RECOVERY_SECONDS,
                    lambda: get(f"{compose.urls[0]}/v1/orders/{order}")["status"] == "FINISHED")
            compose.run("up", "--detach", "--no-build")
            compose.wait_until_healthy()
        compose.verify()
