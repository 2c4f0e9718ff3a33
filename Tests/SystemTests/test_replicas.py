"""Two of each service at once: the same books."""

from __future__ import annotations

import signal
import subprocess

from harness import Load, Program, SystemTestCase, any_free_port, assert_books


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

    def rpc_port(self, replica: Program) -> int:
        return int(replica.command[replica.command.index(f"--{replica.process.kind}-port") + 1])
