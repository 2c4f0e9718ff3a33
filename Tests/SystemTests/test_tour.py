"""The README's tour, and what a shop finds again after a night."""

from harness import GozonSystem, SystemTestCase

from devkit.tour import take_tour


class TourTests(SystemTestCase):
    def test_the_tour_of_the_readme_works_line_by_line(self) -> None:
        take_tour(f"http://{self.system.address}", environment=self.system.environment)

    def test_down_leaves_no_process_and_up_finds_every_order_as_it_was(self) -> None:
        user = self.client.funded_user(100)
        placed = [self.client.order(user, amount)["id"] for amount in (60, 60, 40)]
        before = [self.client.settled(order) for order in placed]
        self.assertEqual([order["status"] for order in before], ["FINISHED", "CANCELLED", "FINISHED"])
        account, statement = self.client.found(f"/v1/accounts/{user}"), self.client.entries_of(user)
        self.client.close()
        pids = self.system.pids()

        self.system.down()
        for name, pid in pids.items():
            self.assertFalse(is_alive(pid), f"{name} outlived tools/down")
        self.assertEqual(list(self.system.home.run.glob("*.pid")), [])
        self.assertIn("Nothing was running", self.system.down())

        self.system.up()
        self.assertEqual([self.client.found(f"/v1/orders/{order}") for order in placed], before)
        self.assertEqual(self.client.found(f"/v1/accounts/{user}"), account)
        self.assertEqual(self.client.entries_of(user), statement)

    def test_up_on_a_running_system_starts_again_only_what_has_died(self) -> None:
        before = self.system.pids()
        self.assertIn("nothing had to be started", self.system.up())
        self.system.kill("payments")
        self.system.up()
        after = self.system.pids()
        self.assertEqual([name for name in before if before[name] != after[name]], ["payments"])
        self.assert_serving(after)

    def test_a_port_in_use_is_named_with_its_variable(self) -> None:
        other = GozonSystem()
        self.addCleanup(other.close)
        other.environment["GOZON_HTTP_PORT"] = str(self.system.ports["http"])
        with self.assertRaisesRegex(AssertionError, f"port {self.system.ports['http']} is in use.*GOZON_HTTP_PORT"):
            other.up()
        self.assertEqual(set(other.pids().values()), {None}, "nothing is started then")


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
