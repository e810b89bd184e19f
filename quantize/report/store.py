"""Finished pieces of a report: one JSON file each, written as it finishes, read by the next run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge_ttvos.errors import OutputError
from edge_ttvos.files import write_json
from edge_ttvos.firmware_bridge.output import make_folder
from edge_ttvos.quantize.report.study import Study
from edge_ttvos.quantize.report.task import Result, Task, key

POINTS, PARTS = "points", "parts"
OWNER, CLOCK = "model.json", "clock.json"
FOLDERS = (POINTS, PARTS)


class Store:
    """The folder's ``points/`` and ``parts/``.

    Args:
        folder: of the report; made if need be.
        study: that it belongs to.

    Raises:
        OutputError: it holds results of another model, or cannot be written.
    """

    def __init__(self, folder: Path, study: Study) -> None:
        self.folder = folder
        owner = folder / PARTS / OWNER
        if owner.exists():
            self._require(owner, study)
        for name in FOLDERS:
            make_folder(folder / name)
        if not owner.exists():
            write_json(owner, {"schema": 1, "model": str(study.model), "sha256": study.sha256})

    def _require(self, owner: Path, study: Study) -> None:
        found = _read(owner) or {}
        if found.get("sha256") != study.sha256:
            raise OutputError(
                f"{self.folder} holds results of another model ({found.get('model')}, "
                f"{str(found.get('sha256'))[:12]}…); --model is {study.sha256[:12]}…. Give another "
                "--out, or --overwrite to remove them"
            )

    def get(self, task: Task) -> Result | None:
        """What ``put`` was given for an equal task; None where there is none, or another's."""
        kept = _read(self._path(task))
        return kept if kept is not None and kept.get("key") == key(task) else None

    def put(self, task: Task, kept: Result, seconds: float) -> None:
        """Keep it, whole or not at all; ``seconds`` have passed since the last.

        Raises:
            OutputError: it cannot be written.
        """
        write_json(self._path(task), kept)
        write_json(self._clock, {"seconds": round(self.seconds + seconds, 2)})

    @property
    def seconds(self) -> float:
        """That all runs on this folder took together."""
        spent = (_read(self._clock) or {}).get("seconds", 0.0)
        return float(spent) if isinstance(spent, int | float) else 0.0

    @property
    def _clock(self) -> Path:
        return self.folder / PARTS / CLOCK

    def _path(self, task: Task) -> Path:
        folder, _, name = task.name.partition("/")
        return self.folder / folder / f"{name.replace('/', '-')}.json"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # absent or damaged: it is made anew
    return table if isinstance(table, dict) else None
