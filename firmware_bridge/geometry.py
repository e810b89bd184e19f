"""Frames of any size into a graph of one size, and masks back: one rule for every engine.

If the frame fits the graph, it is padded right and bottom with the mean colour; otherwise it is
scaled to fit, its aspect kept, and then padded. The mask undoes both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.contracts import BORDER, FrameSpec

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Fit:
    """How frames of (height, width) stand in a graph's input.

    Attributes:
        spec: the graph's input.
        height: of the user's frames, in pixels.
        width: of the user's frames, in pixels.
        content: height and width in pixels that the frame takes of the graph's input.
    """

    spec: FrameSpec
    height: int
    width: int
    content: tuple[int, int]

    @classmethod
    def of(cls, spec: FrameSpec, height: int, width: int) -> Fit:
        """The rule, for frames of this size."""
        scale = min(1.0, spec.height / height, spec.width / width)
        content = (
            min(spec.height, max(1, round(height * scale))),
            min(spec.width, max(1, round(width * scale))),
        )
        return cls(spec, height, width, content)

    @property
    def scaled(self) -> bool:
        """Whether frames are larger than the graph."""
        return self.content != (self.height, self.width)

    def blank(self, canvas: Image) -> None:
        """Fill the graph's input (H + 1, W + 1, 3) with the mean colour, once for all frames."""
        canvas[...] = self.spec.mean

    def place(self, frame: Image, canvas: Image) -> None:
        """Write a frame into the top left of the graph's input, right and below of its border."""
        inside = canvas[BORDER:, BORDER:]
        self._shrink(frame, inside[: self.content[0], : self.content[1]])

    def place_mask(self, mask: Plane, canvas: Plane) -> None:
        """Write a mask (H, W) float32 of 0…1 into the graph's size (h, w); padding is 0."""
        canvas[...] = 0
        self._shrink(mask, canvas[: self.content[0], : self.content[1]])

    def _shrink(self, source: NDArray[Any], target: NDArray[Any]) -> None:
        if self.scaled:
            cv2.resize(source, target.shape[1::-1], dst=target, interpolation=cv2.INTER_AREA)
        else:
            target[...] = source

    def crop(self, canvas: Plane) -> Plane:
        """The part of a plane at the graph's size that shows the frame: a view."""
        return canvas[: self.content[0], : self.content[1]]

    def restore(self, canvas: Plane, plane: Plane) -> Plane:
        """A plane at the frame's size (H, W): the crop itself, or ``plane`` filled from it."""
        cropped = self.crop(canvas)
        if not self.scaled:
            return cropped
        cv2.resize(cropped, plane.shape[::-1], dst=plane, interpolation=cv2.INTER_LINEAR)
        return plane
