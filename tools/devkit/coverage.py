"""Line coverage of Sources, over the unit tests and the processes of the system tests together."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from devkit.console import Failure
from devkit.home import CHECKOUT

MINIMUM_PERCENT = 80
PROGRAMS = ("gozon-orders", "gozon-payments", "gozon-gateway", "gozon")


@dataclass(frozen=True)
class Report:
    """Covered and all lines of each module."""

    modules: dict[str, tuple[int, int]]

    @property
    def total(self) -> float:
        covered, lines = (sum(column) for column in zip(*self.modules.values()))
        return 100 * covered / lines

    def table(self) -> str:
        rows = ["line coverage of Sources"]
        for module, (covered, lines) in sorted(self.modules.items()):
            rows.append(f"  {module:20} {100 * covered / lines:6.1f} %  {covered:6} of {lines:6}")
        rows.append(f"  {'total':20} {self.total:6.1f} %")
        return "\n".join(rows)


def measure(programs: Path, scratch: Path) -> Report:
    """Merges the profile that `swift test` left with those of the processes of the system tests."""
    profile = scratch / "merged.profdata"
    unit = programs / "codecov" / "default.profdata"
    inputs = [str(unit), *map(str, (scratch / "profiles").glob("*.profraw"))]
    (scratch / "inputs").write_text("\n".join(inputs))
    _llvm("llvm-profdata", "merge", "-sparse", "-failure-mode=all", "-f", str(scratch / "inputs"), "-o", str(profile))
    binaries = [*programs.glob("*.xctest"), *(programs / program for program in PROGRAMS)]
    objects = [word for binary in binaries[1:] for word in ("-object", str(binary))]
    answer = _llvm("llvm-cov", "export", "-summary-only", f"-instr-profile={profile}", str(binaries[0]), *objects)
    modules: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for file in json.loads(answer)["data"][0]["files"]:
        path = Path(file["filename"])
        if path.is_relative_to(CHECKOUT / "Sources"):
            module = path.relative_to(CHECKOUT / "Sources").parts[0]
            covered, lines = modules[module]
            summary = file["summary"]["lines"]
            modules[module] = (covered + summary["covered"], lines + summary["count"])
    if not modules:
        raise Failure("no source file is in the coverage report")
    return Report(dict(modules))


def _llvm(tool: str, *arguments: str) -> str:
    """Runs the tool that belongs to the Swift toolchain: others do not read its profiles."""
    swift = shutil.which("swift")
    beside = Path(swift).resolve().parent / tool if swift else Path(tool)
    program = str(beside) if beside.exists() else tool
    answer = subprocess.run([program, *arguments], capture_output=True, text=True)
    if answer.returncode != 0:
        raise Failure(f"{tool} failed: {answer.stderr.strip()[-2000:]}")
    return answer.stdout
