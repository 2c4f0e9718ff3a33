"""A real browser without a window, driven by the W3C WebDriver protocol (https://www.w3.org/TR/webdriver2/)."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

from harness import eventually

from devkit.packages import browser_programs

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The member that an element has in JSON (section 12.1 of the protocol)."""

KEYS = {"Tab": "\ue004", "Shift": "\ue008", "Enter": "\ue007", "Escape": "\ue00c", "Space": " "}
KEYS |= {"ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015"}
"""The names that KeyboardEvent gives to keys, and the protocol's characters for them (section 15.4.2)."""

SWITCHES = [
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--lang=en-US",
]


class Browser:
    """Chromium with a profile of its own. Elements are named by CSS selectors."""

    def __init__(self) -> None:
        programs = browser_programs()
        if programs is None:
            raise unittest.SkipTest("there is no Chromium with its driver")
        browser, driver = programs
        self.directory = Path(tempfile.mkdtemp(prefix="gozon-browser-"))
        self.driver = subprocess.Popen(
            [driver, "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "LANGUAGE": "en_US", "TZ": "UTC"},
        )
        try:
            self.connection = http.client.HTTPConnection("127.0.0.1", self._driver_port(), timeout=120)
            # Root may have no sandbox of Chromium, and every process in CI's container is root.
            switches = SWITCHES + ["--no-sandbox"] * (os.geteuid() == 0) + [f"--user-data-dir={self.directory}"]
            wanted = {
                "browserName": "chrome",
                "goog:chromeOptions": {"args": switches, "binary": browser},
                "goog:loggingPrefs": {"browser": "ALL"},
            }
            answer = self._exchange("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self.session = f"/session/{answer['sessionId']}"
        except BaseException:
            self.close()
            raise

    def _driver_port(self) -> int:
        for line in self.driver.stdout:
            if match := re.search(r"started successfully on port (\d+)", line):
                return int(match.group(1))
        raise AssertionError(f"chromedriver ended with {self.driver.wait()}")

    def close(self) -> None:
        if hasattr(self, "session"):
            with contextlib.suppress(Exception):
                self._exchange("DELETE", self.session)
        self.driver.terminate()
        self.driver.wait()
        self.driver.stdout.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _exchange(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body if body is not None else {}) if method == "POST" else None
        try:
            self.connection.request(method, path, data, {"Content-Type": "application/json"})
            response = self.connection.getresponse()
            value = json.loads(response.read())["value"]
        except BaseException:
            self.connection.close()
            raise
        if response.status != 200:
            raise AssertionError(f"{method} {path}: {value['error']}: {value['message']}")
        return value

    def _command(self, path: str, body: Any = None, method: str = "POST") -> Any:
        return self._exchange(method, self.session + path, body)

    # The page

    def open(self, url: str) -> None:
        self._command("/url", {"url": url})

    def reload(self) -> None:
        self._command("/refresh")

    def script(self, source: str, *arguments: Any) -> Any:
        """What the body of a function returns, in the page; a promise is waited for."""
        return self._command("/execute/sync", {"script": source, "args": list(arguments)})

    def devtools(self, command: str, **parameters: Any) -> Any:
        return self._command("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def size(self, width: int, height: int, scale: float = 1) -> None:
        """The viewport, in CSS pixels of so many device pixels each."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )

    def prefer(self, **features: str) -> None:
        """Media features, such as `color_scheme="dark"` for prefers-color-scheme."""
        wanted = [{"name": f"prefers-{name.replace('_', '-')}", "value": value} for name, value in features.items()]
        self.devtools("Emulation.setEmulatedMedia", features=wanted)

    def offline(self, is_offline: bool) -> None:
        self.devtools("Network.enable")
        self.devtools(
            "Network.emulateNetworkConditions",
            offline=is_offline,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )

    def screenshot(self) -> bytes:
        return base64.b64decode(self._command("/screenshot", method="GET"))

    def complaints(self) -> list[str]:
        """What the browser has complained of since it was last asked: errors of scripts, breaches of the policy. That
        a server was not there, or has answered with an error, is no complaint."""
        entries = self._command("/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE" and entry["source"] != "network"]

    # Its elements

    def _find(self, selector: str) -> str:
        found = self._command("/elements", {"using": "css selector", "value": selector})
        assert found, f"there is no {selector} on the page"
        return found[0][ELEMENT]

    def click(self, selector: str) -> None:
        """Clicks where a person would; fails when something else is in the way."""
        self._command(f"/element/{self._find(selector)}/click")

    def fill(self, selector: str, text: str) -> None:
        """Types a text into a field, instead of what is in it."""
        element = self._find(selector)
        self._command(f"/element/{element}/clear")
        self._command(f"/element/{element}/value", {"text": text})

    def press(self, *keys: str) -> None:
        """Presses and releases keys, by name, one after the other; `Shift+Tab` together; anything else is typed."""
        actions: list[dict[str, str]] = []
        for key in keys:
            names = key.split("+") if "+" in key else [key]
            codes = [KEYS[name] for name in names] if all(name in KEYS for name in names) else None
            if codes is None:
                actions += [{"type": kind, "value": letter} for letter in key for kind in ("keyDown", "keyUp")]
                continue
            actions += [{"type": "keyDown", "value": code} for code in codes]
            actions += [{"type": "keyUp", "value": code} for code in reversed(codes)]
        self._command("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def double_click(self, selector: str) -> None:
        where = {ELEMENT: self._find(selector)}
        down, up = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        move = {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": where}
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}}
        self._command("/actions", {"actions": [{**mouse, "actions": [move, down, up, down, up]}]})

    def text(self, selector: str) -> str:
        """What is to be read there; empty when it is not on the page, or not shown."""
        return self.script(
            "const element = document.querySelector(arguments[0]);"
            "return element?.checkVisibility() ? element.innerText : ''",
            selector,
        )

    def texts(self, selector: str) -> list[str]:
        return self.script("return Array.from(document.querySelectorAll(arguments[0]), (e) => e.innerText)", selector)

    def is_shown(self, selector: str) -> bool:
        return self.script("return document.querySelector(arguments[0])?.checkVisibility() ?? false", selector)

    def wait_focused(self, name: str) -> None:
        """Waits until what has this id, or else this text, has the focus."""
        source = "const e = document.activeElement; return e.id || e.innerText.trim()"
        eventually(lambda: self.script(source), lambda seen: seen == name, f"{name} to have the focus", 30)

    def wait_text(self, selector: str, *parts: str) -> str:
        """Waits until a text has all these parts."""
        return eventually(
            lambda: self.text(selector),
            lambda text: all(part in text for part in parts),
            f"{selector} to say {parts}",
            30,
        )

    def wait_shown(self, selector: str, shown: bool = True) -> None:
        eventually(lambda: self.is_shown(selector), lambda seen: seen == shown, f"{selector} to be shown: {shown}", 30)
