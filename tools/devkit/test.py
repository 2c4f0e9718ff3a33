"""tools/test: every test of the project, on servers of its own."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Mapping, Sequence

from devkit import coverage, fuzz
from devkit.console import Failure, complain, last_lines, run_step, say
from devkit.home import CHECKOUT, Home
from devkit.nats import PrivateNATS
from devkit.packages import nats_server, prepare, swift_build
from devkit.postgres import PrivatePostgres
from devkit.processes import discard_all
from devkit.settings import any_free_port
from devkit.test_results import TestResults, kill_session, stacks_of_session

PARTS = ("lint", "unit", "system", "release", "fuzz")
LINTED = ("Sources", "Tests", "Plugins", "Package.swift")
SYSTEM_TESTS = CHECKOUT / "Tests" / "SystemTests"
RELEASE_MODULES = ("test_access", "test_http", "test_processes", "test_tour", "test_watch")
"""Of the system tests: those that are run once more on optimized programs, which are what users run."""

UNIT_SECONDS = 900
"""Many times what all unit tests take on two cores: what is still running then hangs."""

FUZZING_SECONDS = 5
"""For each target: enough to try all seeds and past crashes, and to notice what breaks easily."""


@dataclass
class Count:
    """How many tests passed and failed."""

    passed: int = 0
    failed: int = 0

    def add(self, other: Count) -> None:
        self.passed += other.passed
        self.failed += other.failed


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/test",
        description="Checks the format, builds with warnings as errors, runs the unit and integration tests on a "
        "PostgreSQL and a NATS of its own, then the system tests, some of these once more on a release build, measures "
        "the coverage of Sources, and feeds every decoder for a few seconds with its past crashes and what a fuzzer makes "
        "up. "
        "The last line is `N passed, N failed`.",
    )
    parser.add_argument("--only", choices=PARTS, help="run one part; coverage is not judged then")
    parser.add_argument("--filter", metavar="PATTERN", help="run the tests whose names contain this")
    parser.add_argument(
        "--screenshots",
        type=Path,
        metavar="DIR",
        help="run the tests of the web page, and keep there what it looks like in each of its states",
    )
    options = parser.parse_args(arguments)
    if options.screenshots:
        options.only, options.filter = "system", "PageTests"
        options.screenshots.mkdir(parents=True, exist_ok=True)
        os.environ["GOZON_SCREENSHOTS"] = str(options.screenshots.absolute())
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    parts = [options.only] if options.only else PARTS
    whole = not (options.only or options.filter)
    started = time.monotonic()
    count = Count()
    with _scratch() as scratch:
        try:
            system = "system" in parts or "release" in parts
            prepare(
                build=True,
                postgres=True,
                nats=True,
                browser=system,
                prometheus=system,
                docs=system,
                api_checkers=system,
                others=["openssl", "curl"],
            )
            if "lint" in parts:
                count.add(_lint(scratch))
            if "unit" in parts or "system" in parts:
                programs = _build(scratch)
            if "unit" in parts:
                count.add(_unit_tests(scratch, options.filter))
            if "system" in parts:
                count.add(_system_tests(scratch, programs, options.filter))
            if "release" in parts and (options.only or whole):
                programs_of_users = swift_build("release", scratch / "release.log")
                count.add(_system_tests(scratch, programs_of_users, options.filter, RELEASE_MODULES))
            if "fuzz" in parts and (options.only or whole):
                count.add(_fuzz(scratch, options.filter))
            if whole:
                count.add(_judge_coverage(scratch, programs))
        except Failure as failure:
            complain(str(failure))
            count.failed += 1
    say(f"\ntook {time.monotonic() - started:.0f} s")
    say(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed or not count.passed else 0


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """A directory for logs, servers and profiles, removed in the end."""
    path = Path(tempfile.mkdtemp(prefix="gozon-test-"))
    path.chmod(0o755)  # The user that PostgreSQL runs as has to reach it.
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _lint(scratch: Path) -> Count:
    command = ["swift", "format", "lint", "--strict", "--recursive", "--parallel", *LINTED]
    try:
        run_step("checking the format", command, scratch / "lint.log", cwd=CHECKOUT)
    except Failure as failure:
        complain(str(failure))
        return Count(failed=1)
    return Count(passed=1)


def _build(scratch: Path) -> Path:
    return swift_build("debug", scratch / "build.log", "--build-tests", "--enable-code-coverage")


def _unit_tests(scratch: Path, pattern: str | None) -> Count:
    """Everything under `swift test`, on one PostgreSQL and one NATS; each suite makes its own databases and streams."""
    home = Home(scratch / "unit")
    home.create()
    postgres = PrivatePostgres(home, any_free_port())
    # All suites run at once, each with pools of its own.
    postgres.settings["max_connections"] = "600"
    nats = PrivateNATS(home, any_free_port({postgres.port}), any_free_port({postgres.port}))
    report = scratch / "unit.xml"
    command = ["swift", "test", "--package-path", str(CHECKOUT), "--skip-build", "--enable-code-coverage"]
    command += ["--disable-xctest", "--xunit-output", str(report), *(["--filter", pattern] if pattern else [])]
    try:
        for program in (postgres.program(), nats.program()):
            program.wait_ready(program.start())
        say("unit and integration tests ...")
        environment = {
            **os.environ,
            # Otherwise all tests begin at once, and time runs out for some.
            "SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH": "16",
            "GOZON_TEST_POSTGRES": postgres.admin_url,
            "GOZON_TEST_NATS": nats.url,
            "GOZON_NATS_SERVER": str(nats_server()),
        }
        returned = _watch(command, environment)
    finally:
        discard_all(home)
    count = _read_report(report)
    if returned != 0 and count.failed == 0:
        complain(f"swift test ended with {returned}")
        count.failed += 1
    return count


def _watch(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs the tests and shows their results, and ends them when they hang; what `swift test` returned.

    What a crash says comes on standard error, untouched.
    """
    tests = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, errors="replace", start_new_session=True
    )
    results = TestResults()

    def end_hanging() -> None:
        complain(f"the tests hang: they run for {UNIT_SECONDS} s\n{results.unfinished()}\n{stacks_of_session(tests.pid)}")
        kill_session(tests.pid)

    bound = threading.Timer(UNIT_SECONDS, end_hanging)
    bound.start()
    try:
        for line in tests.stdout:
            results.read(line)
        return tests.wait()
    finally:
        bound.cancel()
        # The servers of a test that crashed, too.
        kill_session(tests.pid)
        tests.wait()


def _read_report(report: Path) -> Count:
    """Counts the tests of an xUnit report; a skipped one has not passed and is not counted."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        complain(f"swift test has left no report: {error}")
        return Count(failed=1)
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)
    return Count(passed=len(cases) - failed - skipped, failed=failed)


def _system_tests(scratch: Path, programs: Path, pattern: str | None, modules: Sequence[str] = ()) -> Count:
    """The tests of these modules of Tests/SystemTests, or of all, on these programs."""
    say(f"\nsystem tests on {programs.name} programs ...")
    os.environ["GOZON_BUILD_DIR"] = str(programs)
    os.environ["LLVM_PROFILE_FILE"] = str(scratch / "profiles" / "%p-%m.profraw")
    sys.path.insert(0, str(SYSTEM_TESTS))
    loader = unittest.TestLoader()
    if pattern:
        loader.testNamePatterns = [f"*{pattern}*"]
    if modules:
        suite = loader.loadTestsFromNames(modules)
    else:
        suite = loader.discover(str(SYSTEM_TESTS), top_level_dir=str(SYSTEM_TESTS))
    try:
        result = unittest.TextTestRunner(sys.stdout, verbosity=2, resultclass=_Result).run(suite)
    finally:
        _close_systems()
    # A class or module that could not be set up is an error without a test that ran.
    failed = len(result.failed_tests)
    return Count(passed=len(result.passed_tests - result.failed_tests), failed=failed)


class _Result(unittest.TextTestResult):
    """Counts each test once, whatever number of its subtests fail, and shows the logs of the system it ran on."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.passed_tests: set[str] = set()
        self.failed_tests: set[str] = set()

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed_tests.add(test.id())

    def addFailure(self, test: unittest.TestCase, error: object) -> None:
        super().addFailure(test, error)
        self._fail(test)

    def addError(self, test: unittest.TestCase, error: object) -> None:
        super().addError(test, error)
        self._fail(test)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, error: object) -> None:
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.failed_tests.add(test.id())

    def _fail(self, test: unittest.TestCase) -> None:
        from harness import GozonSystem

        self.failed_tests.add(test.id())
        for system in GozonSystem.live:
            for log in sorted(system.home.log.glob("*.log")):
                complain(last_lines(log, 12))


def _close_systems() -> None:
    """Ends what an interrupted test has left running."""
    from harness import GozonSystem

    for system in list(GozonSystem.live):
        system.close()


def _fuzz(scratch: Path, pattern: str | None) -> Count:
    """A short run of every target, one on each core; its past crashes come first."""
    targets = [target for target in fuzz.build(scratch / "fuzz.log") if not pattern or pattern in target.name]
    say(f"fuzzing {len(targets)} targets, {FUZZING_SECONDS} s each ...")
    with ThreadPoolExecutor(os.cpu_count()) as cores:
        outcomes = list(cores.map(lambda target: fuzz.run(target, seconds=FUZZING_SECONDS), targets))
    count = Count()
    for target, outcome in zip(targets, outcomes):
        say(f"  {target.name}: {outcome.inputs:,} inputs, {outcome.reached:,} edges reached")
        if outcome.finding:
            complain(f"  broken by {outcome.finding}; see tools/fuzz {target.name} --replay")
        count.add(Count(passed=0, failed=1) if outcome.finding else Count(passed=1))
    return count


def _judge_coverage(scratch: Path, programs: Path) -> Count:
    report = coverage.measure(programs, scratch)
    say("\n" + report.table())
    if report.total < coverage.MINIMUM_PERCENT:
        complain(f"line coverage of Sources is under {coverage.MINIMUM_PERCENT} %")
        return Count(failed=1)
    return Count(passed=1)
