"""The figures of a process, read by Prometheus' own parser."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tools"))

from devkit.packages import PROMETHEUS_CLIENT  # noqa: E402

sys.path.insert(0, str(PROMETHEUS_CLIENT))

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Figures:
    """What /metrics told once."""

    def __init__(self, text: str) -> None:
        from prometheus_client.parser import text_string_to_metric_families

        self.families: dict[str, Any] = {}
        for family in text_string_to_metric_families(text):
            assert family.name not in self.families, f"{family.name} comes twice"
            assert family.type in ("counter", "gauge", "histogram"), f"{family.name} is a {family.type}"
            assert family.documentation, f"{family.name} has no help"
            self.families[family.name] = family
        self.samples = [sample for family in self.families.values() for sample in family.samples]
        seen = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in self.samples]
        assert len(seen) == len(set(seen)), "a sample comes twice"

    @classmethod
    def of(cls, port: int) -> Figures:
        with _direct.open(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", answer.headers
            return cls(answer.read().decode())

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name that have these labels; 0 when there are none."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def labels(self, name: str, label: str) -> set[str]:
        """The values of a label that occur."""
        return {sample.labels[label] for sample in self.samples if sample.name == name}
