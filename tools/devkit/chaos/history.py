"""What clients asked for, and what they were promised."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Iterable


@dataclass(frozen=True)
class Operation:
    """One thing that a client wanted, however often it asked. Times are seconds from the beginning of the load."""

    kind: str
    """`open`, `deposit`, `order` and `cancel` change something; `account`, `statement`, `look`, `list` and `timeline`
    read."""
    invoked: float
    """When it was asked for first."""
    returned: float
    """When it was answered, or given up."""
    status: int | None
    """Of the answer; None when there was none to trust."""
    answer: Any = None
    user: str | None = None
    order: str | None = None
    """The caller's own id of an order, or the order that is read or cancelled."""
    amount: int | None = None
    key: str | None = None
    """The Idempotency-Key."""
    label: str | None = None
    """The description of a new order: no two have the same."""
    tries: int = 1

    @property
    def is_answered(self) -> bool:
        """Whether it was done, for certain."""
        return self.status is not None and self.status < 300

    @property
    def is_refused(self) -> bool:
        """Whether it was not done, for certain."""
        return self.status is not None and self.status >= 400

    def __str__(self) -> str:
        return f"{self.kind} at {self.invoked:.3f}-{self.returned:.3f} s"


class History:
    """Operations as they end, from any thread."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        self._lock = threading.Lock()
        self._operations = list(operations)

    def add(self, operation: Operation) -> None:
        with self._lock:
            self._operations.append(operation)

    @property
    def operations(self) -> list[Operation]:
        """Those that have ended so far, in the order of their beginnings."""
        with self._lock:
            return sorted(self._operations, key=lambda operation: operation.invoked)

    def summary(self) -> str:
        """How many operations there were, of which kinds, and how they ended."""
        operations = self.operations
        kinds = Counter(operation.kind for operation in operations)
        unknown = sum(not (operation.is_answered or operation.is_refused) for operation in operations)
        repeats = sum(operation.tries - 1 for operation in operations)
        counted = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
        return f"{len(operations):,} operations ({counted}), {repeats:,} repeats, {unknown:,} without an answer"

    def save(self, path: Path) -> None:
        """Writes a line of JSON for each operation."""
        path.write_text("".join(json.dumps(asdict(operation)) + "\n" for operation in self.operations))
