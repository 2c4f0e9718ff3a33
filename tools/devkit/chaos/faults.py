"""Carries out a schedule on a fleet."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Callable, Iterator, Sequence

from devkit.chaos.fleet import Fleet
from devkit.chaos.proxy import Link
from devkit.chaos.schedule import LINK_FAULTS, Fault


def carry_out(schedule: Sequence[Fault], fleet: Fleet, show: Callable[[Fault], None]) -> None:
    """Does every fault in its time and undoes it, those that overlap in threads of their own; returns when all are
    undone. When one cannot be done or undone, or this is interrupted, the others are undone early, and the error is
    raised."""
    started = time.monotonic()
    ending = threading.Event()
    errors: list[BaseException] = []

    def run(fault: Fault) -> None:
        try:
            with _done(fault, fleet):
                ending.wait(max(0.0, started + fault.end - time.monotonic()))
        except BaseException as error:
            errors.append(error)
            ending.set()

    threads: list[threading.Thread] = []
    try:
        for fault in schedule:
            if ending.wait(max(0.0, started + fault.at - time.monotonic())):
                break
            show(fault)
            threads.append(threading.Thread(target=run, args=(fault,), name=str(fault)))
            threads[-1].start()
        for thread in threads:
            thread.join()
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


@contextlib.contextmanager
def _done(fault: Fault, fleet: Fleet) -> Iterator[None]:
    """A fault, from when it is done until it is undone."""
    if fault.kind in LINK_FAULTS:
        with _link_broken(fault, fleet.link(*fault.targets)):
            yield
        return
    # A process may need longer to end than was planned; what is next for it waits then.
    with fleet.holding(fault.targets):
        match fault.kind:
            case "stop":
                fleet.stop(*fault.targets)
                yield
                fleet.go_on(*fault.targets)
                return
            case "backup":
                with fleet.tables_held():
                    yield
                return
            case "kill":
                fleet.kill(fault.targets)
                yield
            case "wipe":
                fleet.kill(fault.targets)
                fleet.wipe_broker()
                yield
            case "forget":
                fleet.kill(fault.targets)
                fleet.wipe_consumers()
                yield
            case "rewind":
                copy = fleet.copy_broker()
                yield
                fleet.kill(fault.targets)
                fleet.rewind_broker(copy)
            case "restart" | "remove":
                fleet.end(*fault.targets)
                yield
        for name in fault.targets:
            fleet.start_one(name)


@contextlib.contextmanager
def _link_broken(fault: Fault, link: Link) -> Iterator[None]:
    match fault.kind:
        case "cut":
            link.cut()
        case "delay":
            link.delay(fault.milliseconds / 1000)
        case "blackhole":
            link.hold()
        case "lose answers":
            link.hold(there=False)
        case "lose requests":
            link.hold(back=False)
    yield
    link.heal(resetting=fault.kind.startswith("lose"))
