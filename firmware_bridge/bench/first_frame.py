"""How long a user waits for the first mask, and what the process occupies by then."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.evaluation.datasets import Sequence
from edge_ttvos.firmware_bridge.bench.config import BenchConfig
from edge_ttvos.firmware_bridge.evaluate import prompts
from edge_ttvos.firmware_bridge.prompts import Prompts
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker

TIMED = (
    "open: from the bundle on disk to a tracker with its arena, checksums and the engine's library "
    "included; start: the first frame and its mask to the first result; Python and this package "
    "already loaded, reading the frame's file not counted"
)


@dataclass(frozen=True)
class FirstFrame:
    """Milliseconds to open the model, and to start on the first frame."""

    open: float
    start: float

    def to_json(self) -> dict[str, float]:
        """With their sum."""
        return {
            "total": round(self.open + self.start, 1),
            "open": round(self.open, 1),
            "start": round(self.start, 1),
        }


def first_frame(config: BenchConfig, sequence: Sequence) -> tuple[Tracker, FirstFrame]:
    """Open the tracker and start it, both timed.

    Raises:
        EngineError, ModelError: the model cannot be opened.
        DatasetError, MaskError, FrameError: the sequence cannot be used.
    """
    path = sequence.frames[0]
    return open_and_start(
        config, read_image(path), prompts(sequence.start_masks(path.stem), "mask")
    )


def open_and_start(
    config: BenchConfig, image: NDArray[np.uint8], given: Prompts
) -> tuple[Tracker, FirstFrame]:
    """Open the tracker and start it on an image (H, W, 3) with what ``Tracker.start`` takes.

    Raises:
        EngineError, ModelError: the model cannot be opened.
        MaskError, FrameError: image and prompts do not go together.
    """
    began = time.perf_counter()
    tracker = Tracker.open(config.model, config.engine, 1, config.options)
    opened = time.perf_counter()
    try:
        tracker.start(image, given)
    except BaseException:
        tracker.close()
        raise
    return tracker, FirstFrame(1e3 * (opened - began), 1e3 * (time.perf_counter() - opened))
