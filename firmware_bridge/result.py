"""What a frame comes to: the mask, and what became of each object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.firmware_bridge.guards import Verdict
from edge_ttvos.firmware_bridge.prompts import Plane


class ObjectState(str, Enum):
    """Whether an object is in sight."""

    TRACKING = "tracking"
    LOST = "lost"

    @classmethod
    def of(cls, verdict: Verdict) -> ObjectState:
        """In sight is what has a good mask."""
        return cls.TRACKING if verdict is Verdict.GOOD else cls.LOST


@dataclass(frozen=True)
class Result:
    """One frame's outcome. Arrays are views that the next step overwrites: copy what you keep.

    Attributes:
        mask: (H, W) uint8 of object ids at the frame's size, 0 is background.
        probabilities: by object id, float32 (h, w) at the graph's size without its padding; 0 where
            the engine's answer could not be used.
        states: by object id; LOST where no pixel of the frame is the object's.
        verdicts: by object id; why it is lost.
        timings: milliseconds by stage (``latency.STAGES``).
    """

    mask: NDArray[np.uint8]
    probabilities: Mapping[int, Plane]
    states: Mapping[int, ObjectState]
    verdicts: Mapping[int, Verdict]
    timings: Mapping[str, float]
