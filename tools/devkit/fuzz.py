"""tools/fuzz: feeds the decoders with inputs that nobody thought of, and keeps those that break something."""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from devkit.console import Failure, last_lines, run_step, say
from devkit.home import CHECKOUT
from devkit.packages import prepare

SCRATCH = CHECKOUT / ".build" / "fuzz"
"""A build of its own: its decoders count what is reached in them."""

PROGRAM = SCRATCH / "release" / "fuzz"
SECONDS = 600
PROGRESS_SECONDS = 15
MINIMISING_SECONDS = 30
BOUNDS = ("-timeout=10", "-rss_limit_mb=2048", "-max_len=16384")
"""Of each input: 10 seconds, 2 GB, 16 KB. libFuzzer reports what goes beyond them as it reports a crash."""


@dataclass(frozen=True)
class Target:
    """One decoder, or a few that belong together."""

    name: str
    purpose: str

    @property
    def seeds(self) -> Path:
        """Inputs to begin with, made by the program itself."""
        return SCRATCH / "seeds" / self.name

    @property
    def crashes(self) -> Path:
        """Inputs that once broke something. They are in the repository, and every run begins with them."""
        return CHECKOUT / "Tests" / "Fuzz" / "crashes" / self.name

    @property
    def corpus(self) -> Path:
        """Inputs that reached something new in earlier runs of this checkout."""
        return SCRATCH / "corpus" / self.name


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    inputs: int
    reached: int
    """Edges of the decoders' control flow."""
    finding: Path | None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/fuzz",
        description="Feeds a decoder with inputs that libFuzzer makes up, guided by what they reach. What breaks "
        "something is made as small as it gets and kept in Tests/Fuzz/crashes, where tools/test tries it for ever. "
        "The last line says how many inputs were tried.",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="what to feed; --list names them")
    parser.add_argument("--list", action="store_true", help="list what can be fed")
    parser.add_argument("--seconds", type=int, default=SECONDS, metavar="N", help="how long; %(default)s by default")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes at once; %(default)s by default")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="try this input alone, and show what it does")
    options = parser.parse_args(arguments)
    if not options.list and options.name is None:
        parser.error("a NAME is needed, or --list")
    if options.seconds < 1 or options.jobs < 1:
        parser.error("--seconds and --jobs are at least 1")

    prepare(build=True)
    targets = build(CHECKOUT / ".build" / "fuzz.log")
    if options.list:
        for target in targets:
            say(f"{target.name:<10} {target.purpose}")
        return 0
    target = next((target for target in targets if target.name == options.name), None)
    if target is None:
        raise Failure(f"there is no {options.name}: it is one of {', '.join(target.name for target in targets)}")
    if options.replay:
        return replay(target, options.replay)
    outcome = run(target, seconds=options.seconds, jobs=options.jobs, progress=True)
    if outcome.finding:
        say(f"\nfound {outcome.finding.relative_to(CHECKOUT)}: mend it, and keep it there")
        say(f"see it with: tools/fuzz {target.name} --replay {outcome.finding.relative_to(CHECKOUT)}")
    findings = 1 if outcome.finding else 0
    say(f"{target.name}: {outcome.inputs:,} inputs, {outcome.reached:,} edges reached, {findings} findings")
    return findings


def build(log: Path) -> list[Target]:
    """Builds the program, lets it write its seeds, and tells what it can feed."""
    command = ["swift", "build", "--package-path", str(CHECKOUT), "--scratch-path", str(SCRATCH)]
    command += ["-c", "release", "--product", "fuzz"]
    title = "building the fuzzer (the first time takes a minute or two)"
    run_step(title, command, log, environment={**os.environ, "GOZON_FUZZ": "1"})
    shutil.rmtree(SCRATCH / "seeds", ignore_errors=True)
    listing = subprocess.run([str(PROGRAM), "seeds", str(SCRATCH / "seeds")], capture_output=True, text=True)
    if listing.returncode != 0:
        raise Failure(f"the fuzzer cannot write its seeds:\n{listing.stderr}")
    return [Target(*line.split("\t")) for line in listing.stdout.splitlines()]


def run(target: Target, *, seconds: int, jobs: int = 1, progress: bool = False) -> Outcome:
    """Runs until the time is up or something is found, which is kept then."""
    corpus = target.corpus
    corpus.mkdir(parents=True, exist_ok=True)
    inputs = [str(path) for path in (corpus, target.seeds, target.crashes) if path.exists()]
    command = [str(PROGRAM), *BOUNDS, f"-max_total_time={seconds}", "-print_final_stats=1", *inputs]
    with _directory() as scratch:
        jobs_under_way = [_Job(target, command, scratch / str(number)) for number in range(jobs)]
        try:
            _wait(target, jobs_under_way, progress)
        finally:
            for job in jobs_under_way:
                job.end()
        broken = next((job for job in jobs_under_way if job.process.returncode not in (0, *_STOPPED)), None)
        finding = _keep(target, broken) if broken else None
        inputs_tried = sum(job.progress()[0] for job in jobs_under_way)
        return Outcome(inputs_tried, max(job.progress()[1] for job in jobs_under_way), finding)


def replay(target: Target, file: Path) -> int:
    """Tries one input, with everything that the program says; its exit status."""
    if not file.is_file():
        raise Failure(f"there is no file {file}")
    return subprocess.run([str(PROGRAM), *BOUNDS, str(file)], env=_environment(target)).returncode


_STOPPED = (-signal.SIGTERM, 72)
"""What a process ends with that is told to end; 72 is libFuzzer's."""


class _Job:
    """One process of a run."""

    def __init__(self, target: Target, command: list[str], directory: Path) -> None:
        directory.mkdir()
        self.findings = directory / "findings"
        self.findings.mkdir()
        self.log = directory / "log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, f"-artifact_prefix={self.findings}/"],
                cwd=directory,
                env=_environment(target),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def progress(self) -> tuple[int, int]:
        """Inputs tried, and edges reached, as the log said last."""
        lines = re.findall(rb"^#(\d+)\s.*\bcov: (\d+)", self.log.read_bytes(), re.MULTILINE)
        return (int(lines[-1][0]), int(lines[-1][1])) if lines else (0, 0)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()


def _wait(target: Target, jobs: list[_Job], progress: bool) -> None:
    """Waits until all are done, or one has found something."""
    started = said = time.monotonic()
    while any(job.process.poll() is None for job in jobs) and not any(job.process.poll() for job in jobs):
        time.sleep(0.1)
        if progress and time.monotonic() - said >= PROGRESS_SECONDS:
            said = time.monotonic()
            tried, reached = (column for column in zip(*(job.progress() for job in jobs)))
            say(f"  {target.name}: {said - started:.0f} s, {sum(tried):,} inputs, {max(reached):,} edges reached")


def _keep(target: Target, job: _Job) -> Path:
    """Makes the input that broke something small, and puts it where every later run begins with it."""
    found = next(iter(sorted(job.findings.iterdir())), None)
    if found is None:
        raise Failure(f"{target.name} ended with {job.process.returncode}\n{last_lines(job.log)}")
    say(last_lines(job.log, 60))
    smallest = _minimised(target, found)
    target.crashes.mkdir(parents=True, exist_ok=True)
    kept = target.crashes / f"{found.name.split('-')[0]}-{hashlib.sha1(smallest).hexdigest()[:12]}"
    kept.write_bytes(smallest)
    say(f"  base64: {base64.b64encode(smallest).decode()}")
    return kept


def _minimised(target: Target, found: Path) -> bytes:
    """The smallest input that still breaks something, as far as it is found quickly; slow ones stay as they are."""
    if not found.name.startswith("crash-"):
        return found.read_bytes()
    small = found.parent / "minimised"
    command = [str(PROGRAM), *BOUNDS, "-minimize_crash=1", f"-max_total_time={MINIMISING_SECONDS}"]
    command += [f"-exact_artifact_path={small}", str(found)]
    say(f"making it smaller, for {MINIMISING_SECONDS} s at most ...")
    subprocess.run(command, env=_environment(target), cwd=found.parent, capture_output=True)
    return (small if small.exists() else found).read_bytes()


def _environment(target: Target) -> dict[str, str]:
    # Swift's own account of a crash would come before libFuzzer's, which saves the input.
    return {**os.environ, "GOZON_FUZZ_TARGET": target.name, "SWIFT_BACKTRACE": "enable=no"}


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="gozon-fuzz-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
