"""What a picture comes to: its mask, and each object's place in it. Nothing here changes later."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.firmware_bridge.live.slot import Numbered
from edge_ttvos.firmware_bridge.overlay import Colour, draw
from edge_ttvos.firmware_bridge.result import ObjectState, Result

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Label:
    """What people call an object, and its colour (R, G, B)."""

    name: str
    colour: Colour


@dataclass(frozen=True)
class Seen:
    """An object in one picture.

    Attributes:
        object_id: of the mask's pixels.
        label: for people.
        state: ``lost`` where nothing of it is in sight.
        box: left, top, width, height in pixels; None where it is lost.
        centroid: x, y in pixels, the mean of its pixels' centres; likewise.
        area: pixels.
        score: mean probability of its pixels, 0…1; 0 where it is lost.
    """

    object_id: int
    label: Label
    state: ObjectState
    box: tuple[int, int, int, int] | None
    centroid: tuple[float, float] | None
    area: int
    score: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """One picture's outcome.

    Attributes:
        picture: as received.
        mask: (H, W) uint8 of object ids, a copy; None where nothing is followed.
        objects: in the order of their ids.
        done: when the mask was there, nanoseconds of CLOCK_MONOTONIC.
        late: whether the mask came after the fact, because somebody was pointing at the time.
    """

    picture: Numbered
    mask: Image | None
    objects: tuple[Seen, ...]
    done: int
    late: bool = False

    @property
    def latency_ms(self) -> float:
        """From capture to mask."""
        return (self.done - self.picture.shot.captured) / 1e6

    @cached_property
    def drawn(self) -> Image:
        """(H, W, 3) RGB uint8 with the objects on it; drawn once for all who show or record it."""
        image = self.picture.shot.image
        if self.mask is None:
            return image
        names = {seen.object_id: seen.label.name for seen in self.objects}
        colours = {seen.object_id: seen.label.colour for seen in self.objects}
        return draw(image, self.mask, names, colours=colours)


def look(result: Result, labels: dict[int, Label]) -> tuple[Seen, ...]:
    """Where each object is."""
    return tuple(_look(result, i, labels[i]) for i in sorted(result.states))


def _look(result: Result, object_id: int, label: Label) -> Seen:
    state = result.states[object_id]
    inside = (result.mask == object_id).view(np.uint8)
    moments = cv2.moments(inside, binaryImage=True)
    area = int(moments["m00"])
    if state is ObjectState.LOST or not area:
        return Seen(object_id, label, ObjectState.LOST, None, None, 0, 0.0)
    x, y, width, height = cv2.boundingRect(inside)
    centroid = (moments["m10"] / area, moments["m01"] / area)
    score = _score(result.probabilities[object_id])
    return Seen(object_id, label, state, (x, y, width, height), centroid, area, score)


def _score(probability: NDArray[np.float32]) -> float:
    """Mean over what is more likely the object's than not, at the network's size."""
    inside = probability > 0.5
    return float(probability[inside].mean()) if inside.any() else 0.5
