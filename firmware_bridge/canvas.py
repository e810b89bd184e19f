"""The mask at the frame's own size: buffers made once a video, painted once a frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_ttvos.firmware_bridge.geometry import Fit, Plane
from edge_ttvos.firmware_bridge.state import Slot


class Canvas:
    """``mask`` (H, W) uint8 of object ids for frames of one size, and what painting it needs."""

    def __init__(self, fit: Fit) -> None:
        size = (fit.height, fit.width)
        self.fit = fit
        self.mask = np.zeros(size, np.uint8)
        self._best = np.zeros(size, np.float32)
        self._plane = np.zeros(size, np.float32)
        self._wins = np.zeros(size, np.bool_)

    def paint(self, slots: Sequence[Slot], background: Plane) -> None:
        """Give each pixel to the likeliest of background and objects.

        Args:
            slots: the objects.
            background: scratch (H, W) at the graph's size, receives 1 − Σ aᵢ.
        """
        background.fill(1)
        for slot in slots:
            background -= slot.probability
        self.mask.fill(0)
        self._best[...] = self.fit.restore(background, self._plane)
        for slot in slots:
            plane = self.fit.restore(slot.probability, self._plane)
            np.greater(plane, self._best, out=self._wins)
            np.copyto(self.mask, np.uint8(slot.object_id), where=self._wins)
            np.maximum(self._best, plane, out=self._best)
