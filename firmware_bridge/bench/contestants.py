"""Our own tracker as a contestant, whatever engine runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.firmware_bridge.bench.turns import Image, Outcome
from edge_ttvos.firmware_bridge.evaluate import bounding_box
from edge_ttvos.firmware_bridge.protocol import protocol
from edge_ttvos.firmware_bridge.tracker import Tracker

KEYS = ("resolution", "threads", "engine", "engine_version", "model", "precision", "sha256")


class MaskTracker:
    """Follows a mask; the box is the smallest around its mask.

    Args:
        name: of the contestant.
        tracker: with a slot; closed by ``close``.
    """

    def __init__(self, name: str, tracker: Tracker) -> None:
        self.name = name
        self.tracker = tracker
        known = protocol(tracker)
        self.facts: Mapping[str, Any] = {"gives": "mask", **{key: known[key] for key in KEYS}}

    def start(self, frame: Image, mask: NDArray[np.bool_]) -> None:
        """Follow this mask."""
        self.tracker.start(frame, [mask])

    def step(self, frame: Image) -> Outcome:
        """Its mask, and the box around it."""
        result = self.tracker.step(frame)
        seen = result.mask > 0
        return Outcome(result.timings, bounding_box(seen) if seen.any() else None, result.mask)

    def close(self) -> None:
        """Release the engine."""
        self.tracker.close()
