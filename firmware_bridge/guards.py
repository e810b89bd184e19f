"""May what the engine says of an object enter its state? Nothing here allocates.

A frame that may not leaves the object's template and masks as the last good frame left them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


class Verdict(str, Enum):
    """What is wrong with an object's mask in one frame."""

    GOOD = "good"
    EMPTY = "empty"  # no pixel is the object's: it is hidden, has left, or was not found
    SATURATED = "saturated"  # from one frame to the next, nearly the whole frame is the object
    NOT_FINITE = "not_finite"  # NaN or infinity: the engine failed or overflowed


@dataclass(frozen=True)
class Limits:
    """When a mask is saturated: both must be passed. Shares of the frame's pixels, 0…1.

    In the 30 DAVIS-2016 training sequences the largest object takes 0.73 of its frame, and no
    object gains more than 0.04 from one frame to the next.
    """

    share: float = 0.9  # that the object takes now
    growth: float = 0.4  # gained since the last good frame: ten times what was seen


LIMITS = Limits()


def is_finite(array: Float) -> bool:
    """Whether no value of an array (h, w) is NaN or infinite: their sum tells, in one pass."""
    return math.isfinite(cv2.sumElems(array)[0])


def judge(
    log_odds: Float,
    update_weight: float,
    last_share: float,
    scratch: NDArray[np.bool_],
    limits: Limits = LIMITS,
) -> Verdict:
    """Judge one object's mask for itself; whether a pixel is left to it, other objects decide.

    Args:
        log_odds: (H, W); a view that shows the frame without padding will do.
        update_weight: w, by its sigmoid within 0…1; 0 where it is not learnt.
        last_share: of the frame's pixels that the object had in the last good frame.
        scratch: (H, W), of the log-odds' shape.
        limits: when a mask is saturated.
    """
    if not is_finite(log_odds) or not 0 <= update_weight <= 1:
        return Verdict.NOT_FINITE
    share = _share(log_odds, scratch)
    if share > limits.share and share - last_share > limits.growth:
        return Verdict.SATURATED
    return Verdict.GOOD


def _share(log_odds: Float, scratch: NDArray[np.bool_]) -> Any:
    np.greater(log_odds, 0, out=scratch)
    return np.count_nonzero(scratch) / scratch.size
