"""What each further object costs: one, two and three boxes side by side on the same frames."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.evaluation.datasets import Sequence
from edge_ttvos.firmware_bridge.bench.turns import RULE, Series, take_turns
from edge_ttvos.firmware_bridge.engines.base import Engine
from edge_ttvos.firmware_bridge.prompts import Box
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker

COUNTS = (1, 2, 3)
FRAMES = 60  # at most

TIMED = f"medians over the frames of one sequence, boxes side by side, {RULE}"


def cost_of_objects(
    engine: Engine, sequence: Sequence, between: Callable[[int], None] = lambda done: None
) -> dict[str, Any]:
    """Milliseconds a frame by number of objects, and what each after the first adds.

    Args:
        engine: runs for trackers of several arenas, one after the other.
        sequence: its frames are read, its objects are not.
        between: called with the number of frames done, after each turn.
    """
    paths = sequence.frames[: FRAMES + 1]
    trackers = [Tracker(engine, count) for count in COUNTS]
    first = read_image(paths[0])
    for tracker, count in zip(trackers, COUNTS, strict=True):
        tracker.start(first, side_by_side(first, count))
    series = [Series() for _ in COUNTS]
    take_turns([partial(_step, tracker) for tracker in trackers], series, paths[1:], between)
    medians = [float(np.median(s.whole)) if s.frames else None for s in series]
    return {
        "sequence": sequence.name,
        "frames_timed": len(series[0].frames),
        "ms": {str(count): ms and round(ms, 3) for count, ms in zip(COUNTS, medians, strict=True)},
        **_further(medians),
        "timed": TIMED,
    }


def side_by_side(frame: NDArray[np.uint8], count: int) -> list[Box]:
    """Boxes that do not touch: the time depends on their number, not on what they show."""
    height, width = frame.shape[:2]
    step = width / count
    return [Box((i + 0.05) * step, height / 4, 0.9 * step, height / 2) for i in range(count)]


def _step(tracker: Tracker, image: NDArray[np.uint8]) -> Any:
    return tracker.step(image).timings


def _further(medians: list[float | None]) -> dict[str, float | None]:
    one, *_, most = medians
    if one is None or most is None:
        return {"further_object_ms": None, "further_object_percent": None}
    further = (most - one) / (COUNTS[-1] - COUNTS[0])
    return {
        "further_object_ms": round(further, 3),
        "further_object_percent": round(100 * further / one, 2),
    }
