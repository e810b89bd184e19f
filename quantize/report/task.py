"""A piece of work that a process does alone: named, identified by all it depends on, kept."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any, Protocol

from edge_ttvos import origin
from edge_ttvos.quantize.report.study import Study
from edge_ttvos.quantize.report.workshop import one_thread

Result = dict[str, Any]  # ready for JSON


class Task(Protocol):
    """Frozen, and small enough to be sent to a process on another machine."""

    @property
    def study(self) -> Study:
        """What it belongs to."""

    @property
    def name(self) -> str:
        """Unique in a report; of the file that keeps its result."""

    @property
    def cost(self) -> float:
        """Seconds on one core, about."""

    def identity(self) -> dict[str, Any]:
        """What its result depends on beside the study's identity."""

    def run(self) -> Result:
        """Do it."""


def key(task: Task) -> str:
    """Equal for tasks that have equal results."""
    facts = {"study": task.study.identity(), "kind": type(task).__name__, **task.identity()}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def do(task: Task) -> Result:
    """Run it on one thread; the result with its key, its time, and the code that made it."""
    begun = time.monotonic()
    with one_thread():
        result = task.run()
    seconds = round(time.monotonic() - begun, 2)
    commit = origin.commit()
    return {"schema": 1, "key": key(task), "commit": commit, "seconds": seconds, "result": result}
