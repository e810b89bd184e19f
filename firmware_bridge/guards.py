"""May what the engine says of an object enter its state? Nothing here allocates.

A frame that may not leaves the object's template and masks as the last good frame left them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


class Verdict(str, Enum):
    """What is wrong with an object's mask in one frame."""

    GOOD = "good"
    EMPTY = "empty"  # no pixel is the object's: it is hidden, has left, or was not found
    REMNANT = "remnant"  # far fewer pixels than usual: the last of it, or something else
    SATURATED = "saturated"  # from one frame to the next, nearly the whole frame is the object
    NOT_FINITE = "not_finite"  # NaN or infinity: the engine failed or overflowed


@dataclass(frozen=True)
class Limits:
    """What a mask's size must not do. Shares are of the frame's pixels, 0…1.

    In the 30 DAVIS-2016 training sequences the largest object takes 0.73 of its frame, and no
    object gains more than 0.04 from one frame to the next. How ``remnant`` and ``pace`` were
    chosen is in ADR 9.
    """

    saturated: float = 0.9  # share that, with ``growth``, no object has
    growth: float = 0.4  # gain in share since the last good frame: ten times what was seen
    remnant: float = 0.2  # part of the usual share that must be there
    pace: float = 0.05  # at which the usual share follows, a frame: a mean over about 20 frames


LIMITS = Limits()


class Guard:
    """Watches one object.

    Attributes:
        verdict: on the last frame.
        last: share of the frame's pixels that the object had in its last good frame.
        usual: running mean of its shares.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self.begin(0.0)

    def begin(self, share: float) -> None:
        """A new object, given with a mask of this share of the frame's pixels."""
        self.verdict = Verdict.GOOD
        self.last = self.usual = share

    def judge(self, log_odds: Float, weight: float, scratch: NDArray[np.bool_]) -> None:
        """Judge the object's next mask for itself; what other objects leave of it comes later.

        Args:
            log_odds: (H, W), without the graph's padding.
            weight: w, by its sigmoid within 0…1; 0 where it is not learnt.
            scratch: (H, W).
        """
        if not is_finite(log_odds) or not 0 <= weight <= 1:
            self.verdict = Verdict.NOT_FINITE
            return
        np.greater(log_odds, 0, out=scratch)
        self._weigh(float(np.count_nonzero(scratch)) / scratch.size)

    def _weigh(self, share: float) -> None:
        limits = self._limits
        if share > limits.saturated and share - self.last > limits.growth:
            self.verdict = Verdict.SATURATED
            return
        self.verdict = Verdict.GOOD if share >= limits.remnant * self.usual else Verdict.REMNANT
        if share:  # a remnant that stays becomes the usual
            self.usual += limits.pace * (share - self.usual)
        else:
            self.verdict = Verdict.EMPTY
        if self.verdict is Verdict.GOOD:
            self.last = share

    def settle(self, in_sight: bool) -> None:
        """Once every pixel is given to somebody: whether the object has any."""
        if self.verdict is Verdict.GOOD and not in_sight:
            self.verdict = Verdict.EMPTY


def is_finite(array: Float) -> bool:
    """Whether no value of an array (h, w) is NaN or infinite: their sum tells, in one pass."""
    return math.isfinite(cv2.sumElems(array)[0])
