"""Several programs over the same frames, by turns, so that all see the same machine.

A few frames of one, then the same frames of the other, each turn begun by another: what the machine
does meanwhile, a fan, a neighbour, a clock that sinks, falls on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.firmware_bridge.latency import MODEL_STAGES, STAGES
from edge_ttvos.firmware_bridge.prompts import Box
from edge_ttvos.firmware_bridge.sources.base import check_size
from edge_ttvos.firmware_bridge.sources.images import read_image

TURN = 10  # frames
SETTLING = 2  # first frames of a turn that do not count: caches, and the other's threads still spin

RULE = f"by turns of {TURN} frames, the first {SETTLING} of each turn not counted"

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Outcome:
    """What a contestant made of a frame.

    Attributes:
        timings: milliseconds by stage; their sum is the frame's.
        box: around the object; None where it sees none.
        mask: (H, W) uint8, 1 is the object; None from a tracker of boxes. A view: copy to keep.
    """

    timings: Mapping[str, float]
    box: Box | None
    mask: Image | None = None


class Contestant(Protocol):
    """A program that follows one object.

    Attributes:
        name: key in bench.json and label for people.
        facts: what it is, ready for JSON.
    """

    name: str
    facts: Mapping[str, Any]

    def start(self, frame: Image, mask: NDArray[np.bool_]) -> None:
        """Forget everything; follow this object, or its bounding box."""

    def step(self, frame: Image) -> Outcome:
        """Follow it into the next frame (H, W, 3) RGB uint8."""

    def close(self) -> None:
        """Release what it holds."""


@dataclass
class Series:
    """Timings of the frames that counted."""

    frames: list[Mapping[str, float]] = field(default_factory=list)

    def add(self, timings: Mapping[str, float]) -> None:
        """One frame's milliseconds by stage."""
        self.frames.append(timings)

    @property
    def whole(self) -> list[float]:
        """Milliseconds of each frame."""
        return [sum(timings.values()) for timings in self.frames]

    @property
    def model(self) -> list[float]:
        """Milliseconds of each frame in the model alone; none where the stages are not ours."""
        ours = (t for t in self.frames if set(STAGES) <= set(t))
        return [sum(timings[stage] for stage in MODEL_STAGES) for timings in ours]

    def to_json(self) -> dict[str, Any]:
        """Like ``Latencies.to_json``, with exact percentiles."""
        stages = {stage: [t[stage] for t in self.frames] for stage in _stages(self.frames)}
        return {
            "frames_timed": len(self.frames),
            "fps": {"end_to_end": _rate(self.whole), "model": _rate(self.model)},
            "latency_ms": {
                **{f"p{p}": _percentile(self.whole, p) for p in (50, 95, 99)},
                "stages": {stage: round(float(np.mean(ms)), 3) for stage, ms in stages.items()},
            },
        }


Step = Callable[[Image], Mapping[str, float]]  # follows a frame, gives its milliseconds by stage


def take_turns(
    steps: Sequence[Step],
    series: Sequence[Series],
    paths: Sequence[Path],
    between: Callable[[int], None] = lambda done: None,
) -> None:
    """Let each of several programs that have been started follow the same frames.

    Args:
        steps: the programs.
        series: of each, gets the timings that count.
        paths: of the frames.
        between: called with the number of frames done, after each turn of all.

    Raises:
        FrameError: a frame cannot be read, or differs from the others in size.
    """
    order = list(zip(steps, series, strict=True))
    for images in _batches(paths):
        for step, own in order:
            for index, image in enumerate(images):
                timings = step(image)
                if index >= SETTLING:
                    own.add(timings)
            between(len(images))
        order.append(order.pop(0))


def _batches(paths: Sequence[Path]) -> Iterator[list[Image]]:
    size: tuple[int, int] | None = None
    for begin in range(0, len(paths), TURN):
        images = []
        for path in paths[begin : begin + TURN]:
            image = read_image(path)
            size = size or (image.shape[0], image.shape[1])
            check_size(str(path), image, size)
            images.append(image)
        yield images


def _stages(frames: Sequence[Mapping[str, float]]) -> list[str]:
    return list(frames[0]) if frames else []


def _rate(milliseconds: Sequence[float]) -> float | None:
    return round(1e3 * len(milliseconds) / sum(milliseconds), 2) if sum(milliseconds) else None


def _percentile(milliseconds: Sequence[float], percent: float) -> float | None:
    return round(float(np.percentile(milliseconds, percent)), 3) if milliseconds else None
