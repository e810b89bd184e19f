"""The log of a run: a line of JSON every so many steps, and the same for TensorBoard if wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge_ttvos.errors import EngineError, OutputError

LOG = "log.jsonl"
CURVES = "tensorboard"  # folder
LOG_EVERY = 20  # steps


class Journal:
    """Writes into a run's folder.

    Args:
        folder: of the run.
        curves: whether TensorBoard's event files are written too.
        step: that the run stands at; what older event files say of later ones is forgotten.

    Raises:
        EngineError: TensorBoard is wanted and not installed.
    """

    def __init__(self, folder: Path, curves: bool = False, step: int = 0) -> None:
        self._path = folder / LOG
        self._writer = _event_writer(folder / CURVES, step) if curves else None

    def write(self, step: int, stage: str, values: dict[str, float]) -> None:
        """Add a line; ``values`` by name.

        Raises:
            OutputError: the log cannot be written.
        """
        rounded = {key: round(value, 5) for key, value in values.items()}
        try:
            with self._path.open("a", encoding="utf-8") as log:
                log.write(json.dumps({"step": step, "stage": stage, **rounded}) + "\n")
            if self._writer is not None:
                for key, value in values.items():
                    self._writer.add_scalar(key, value, step)
                self._writer.flush()
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror}") from error

    def close(self) -> None:
        """Nothing more will be written."""
        if self._writer is not None:
            self._writer.close()


def _event_writer(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise EngineError(
            "--tensorboard needs tensorboard, which is not installed; type: "
            "pip install 'edge-ttvos[host,train]'"
        ) from error
    return SummaryWriter(str(folder), purge_step=step)
