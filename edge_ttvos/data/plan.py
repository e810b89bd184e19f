"""What a clip will show, decided before a pixel is moved: layers, their paths, grading.

All random numbers of a clip go into its plan; ``render`` turns plans into pixels without any.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.data.motion import Box, Pose, placed_box
from edge_ttvos.data.pool import Image


@dataclass(frozen=True)
class ClipSpec:
    """What a clip must look like.

    Attributes:
        frames: its length.
        size: height and width in pixels.
        max_stride: largest distance in frames between two frames of a real clip.
        stills: share of clips made from still images.
        boxes: share of clips whose first frame gives only the target's bounding box.
        films: share of the pasted objects that are cut out of another real sequence.
        occlusions: share of clips in which something hides most of the target for some frames.
        departures: share of clips whose target, a pasted one, leaves the frame and comes back.
        objects: how many targets a clip has, each followed by itself.
    """

    frames: int
    size: tuple[int, int]
    max_stride: int
    stills: float
    boxes: float
    films: float = 0.0
    occlusions: float = 0.0
    departures: float = 0.0
    objects: int = 1


@dataclass(frozen=True)
class LayerPlan:
    """One layer over time.

    Attributes:
        images: the source (h, w, 3) RGB uint8 of each frame; a photograph's is always the same.
        masks: its object (h, w) uint8 of 0 and 255, likewise.
        poses: where ``centre`` stands in each frame.
        centre: x and y in the source in pixels.
        bends: elastic displacement of each frame in pixels, (T, 2, 4, 5), or None.
        cut: the object alone, on nothing; otherwise the whole source, reflected at its edges.
    """

    images: tuple[Image, ...]
    masks: tuple[Image, ...]
    poses: tuple[Pose, ...]
    centre: tuple[float, float]
    bends: NDArray[np.float32] | None
    cut: bool

    def boxes(self) -> list[Box]:
        """The object's bounding box in each frame, as far as the poses tell; bends left out."""
        known = {id(mask): _bounding_box(mask) for mask in self.masks}
        return [
            placed_box(known[id(mask)], pose, self.centre)
            for mask, pose in zip(self.masks, self.poses, strict=True)
        ]


def _bounding_box(mask: Image) -> Box:
    left, top, width, height = (float(side) for side in cv2.boundingRect(mask))
    return left, top, width, height


@dataclass(frozen=True)
class Grade:
    """Colours over time: RGB gain and offset about mid grey, (T, 3) and (T, 1); blur; grey."""

    gain: NDArray[np.float64]
    offset: NDArray[np.float64]
    sigma: float | None  # pixels
    grey: bool


@dataclass(frozen=True)
class Target:
    """What a tracker is to follow in a clip, and how it is told.

    Attributes:
        layer: its number.
        box: None: the first mask is given. Otherwise a box is: how far its left, top, right and
            bottom lie outside the mask's bounding box, in shares of that box's sides.
    """

    layer: int
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class ClipPlan:
    """A clip: layers from back to front, and which of them are followed."""

    name: str
    size: tuple[int, int]
    layers: tuple[LayerPlan, ...]
    targets: tuple[Target, ...]
    grade: Grade
    mirrored: bool
