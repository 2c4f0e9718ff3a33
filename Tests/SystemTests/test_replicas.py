"""Two of each service at once: the same books."""

from __future__ import annotations

import http.client
import random
import signal
import subprocess
import uuid

from harness import Client, Load, Program, SystemTestCase, Workers, any_free_port, assert_books, eventually


class MovingLoad(Workers):
    """Threads that place orders by way of one of several gateways. When that closes the connection, they go to the next
    one with what was not answered, as a browser or a balancer does. Nothing else is repeated."""

    def __init__(self, addresses: list[str], users: list[str], workers: int = 8) -> None:
        self.addresses, self.users = addresses, users
        self.failures: list[str] = []
        self.moves = 0
        super().__init__((self._place_orders, workers))

    def run_on(self, orders: int, seconds: float = 30) -> None:
        goal = len(self.accepted) + orders
        eventually(lambda: len(self.accepted), lambda count: count >= goal or self.failures, f"{goal} orders", seconds)

    def _place_orders(self, index: int) -> None:
        dice = random.Random(index)
        client = Client(self.addresses[index % len(self.addresses)])
        while not self._stopping.is_set():
            order, user, amount = str(uuid.uuid4()), dice.choice(self.users), dice.randint(1, 5)
            body = {"id": order, "userId": user, "amount": amount}
            for attempt in range(len(self.addresses) + 1):
                try:
                    answer = client.post("/v1/orders", body)
                    break
                except (OSError, http.client.HTTPException) as error:
                    failure = repr(error)
                    index, self.moves = index + 1, self.moves + 1
                    client = Client(self.addresses[index % len(self.addresses)])
            else:
                self.failures.append(f"no gateway answers: {failure}")
                return
            if answer.status != 201:
                self.failures.append(str(answer))
                return
            self.accepted[order] = (user, amount)
        client.close()


class ReplicaTests(SystemTestCase):
    def start(self, program: Program) -> subprocess.Popen[bytes]:
        child = program.start()
        self.addCleanup(child.wait)
        self.addCleanup(program.process.stop)
        program.wait_ready(child)
        return child

    def second_of_each(self) -> tuple[str, list[subprocess.Popen[bytes]]]:
        """Starts a second process of each service, with a gateway over all four; its address and the processes."""
        parts, ports = self.system.parts, [any_free_port() for _ in range(6)]
        orders = self.start(parts.service("orders-2", ports[0], ports[1]))
        payments = self.start(parts.service("payments-2", ports[2], ports[3]))
        backends = f"{parts.backends},127.0.0.1:{ports[0]},127.0.0.1:{ports[2]}"
        gateway = self.start(parts.gateway(ports[4], ports[5], backends, name="gateway-2"))
        return f"127.0.0.1:{ports[4]}", [orders, payments, gateway]

    def test_two_of_each_service_under_load_keep_the_books(self) -> None:
        deposits = {self.client.funded_user(3000): 3000 for _ in range(20)}
        second, _ = self.second_of_each()
        with Load([self.system.address, second], list(deposits)) as load:
            load.run_on(1500)
        self.assertEqual(load.refusals, [])
        assert_books(self, deposits, load.accepted, load.cancelled)

    def test_a_replica_killed_under_load_is_missed_by_nobody(self) -> None:
        deposits = {self.client.funded_user(3000): 3000 for _ in range(20)}
        second, (orders, payments, _) = self.second_of_each()
        with Load([second], list(deposits)) as load:
            load.run_on(300)
            orders.send_signal(signal.SIGKILL)
            payments.send_signal(signal.SIGKILL)
            load.run_on(300)
        self.assertEqual(load.refusals, [])
        assert_books(self, deposits, load.accepted, load.cancelled)

    def test_a_rolling_restart_under_load_fails_no_request(self) -> None:
        deposits = {self.client.funded_user(3000): 3000 for _ in range(20)}
        parts = self.system.parts
        # Ports of their own, two of each: a restarted replica listens where it did before.
        replicas = [
            parts.service(name, any_free_port(), any_free_port())
            for name in ("orders-3", "orders-4", "payments-3", "payments-4")
        ]
        children = {replica.name: self.start(replica) for replica in replicas}
        port = any_free_port()
        backends = ",".join(f"127.0.0.1:{self.rpc_port(replica)}" for replica in replicas)
        self.start(parts.gateway(port, any_free_port(), backends, name="gateway-3"))
        with Load([f"127.0.0.1:{port}"], list(deposits)) as load:
            load.run_on(200)
            for replica in replicas:
                self.assertTrue(replica.process.stop(), f"{replica.name} did not run")
                # A replica that drains has done its work: it is not made to end.
                self.assertEqual(children[replica.name].wait(), 0)
                load.run_on(100)
                self.start(replica)
                load.run_on(100)
        self.assertEqual((load.refusals, load.repeats), ([], 0), "a request failed")
        assert_books(self, deposits, load.accepted, load.cancelled)

    def test_the_whole_system_is_restarted_under_load_without_a_failed_request(self) -> None:
        deposits = {self.client.funded_user(3000): 3000 for _ in range(20)}
        parts = self.system.parts
        services = [
            parts.service(name, any_free_port(), any_free_port())
            for name in ("orders-5", "orders-6", "payments-5", "payments-6")
        ]
        children = {service.name: self.start(service) for service in services}
        backends = ",".join(f"127.0.0.1:{self.rpc_port(service)}" for service in services)
        ports = [any_free_port(), any_free_port()]
        gateways = [
            parts.gateway(port, any_free_port(), backends, name=f"gateway-{number}")
            for number, port in zip((5, 6), ports)
        ]
        children |= {gateway.name: self.start(gateway) for gateway in gateways}
        with MovingLoad([f"127.0.0.1:{port}" for port in ports], list(deposits)) as load:
            load.run_on(100)
            for program in [*gateways, *services]:
                self.assertTrue(program.process.stop(), f"{program.name} did not run")
                self.assertEqual(children[program.name].wait(), 0)
                load.run_on(50)
                self.start(program)
                load.run_on(50)
        self.assertEqual(load.failures, [])
        self.assertGreater(load.moves, 0, "the gateways were not missed")
        assert_books(self, deposits, load.accepted)

    def rpc_port(self, replica: Program) -> int:
        return int(replica.command[replica.command.index(f"--{replica.process.kind}-port") + 1])
