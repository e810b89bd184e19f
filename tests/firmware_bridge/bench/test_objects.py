from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_ttvos.evaluation.datasets import Sequence
from edge_ttvos.firmware_bridge.bench import objects
from edge_ttvos.firmware_bridge.bench.objects import COUNTS, cost_of_objects, side_by_side


def test_boxes_stand_apart_and_inside() -> None:
    for count in COUNTS:
        boxes = side_by_side(np.zeros((48, 80, 3), np.uint8), count)
        edges = [edge for box in boxes for edge in (box.x, box.x + box.width)]
        assert len(boxes) == count
        assert edges == sorted(edges)
        assert edges[0] > 0
        assert edges[-1] < 80


def test_a_further_object_costs_what_the_frame_grows_by(
    dataset: Any, open_still: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = []

    def constant(steps: Any, series: Any, paths: Any, between: Any) -> None:
        for step, own, milliseconds in zip(steps, series, (20.0, 25.0, 32.0), strict=True):
            step(np.zeros((48, 80, 3), np.uint8))
            followed.append(len(step.args[0].objects))
            own.add({"encode": milliseconds})

    monkeypatch.setattr(objects, "take_turns", constant)
    record = cost_of_objects(open_still(1).engine, dataset.load("walk"))

    assert followed == [1, 2, 3]
    assert record["ms"] == {"1": 20.0, "2": 25.0, "3": 32.0}
    assert (record["further_object_ms"], record["further_object_percent"]) == (6.0, 30.0)


def test_frames_by_turns(dataset: Any, open_still: Any) -> None:
    done: list[int] = []
    record = cost_of_objects(open_still(1).engine, dataset.load("walk"), done.append)

    assert record["frames_timed"] == 13 - 4
    assert sum(done) == 3 * 13
    assert all(value > 0 for value in record["ms"].values())


def test_too_few_frames_give_nulls(dataset: Any, open_still: Any) -> None:
    whole = dataset.load("dusk")
    short = Sequence(whole.name, whole.frames[:2], whole.annotations, whole.first, whole.scored)
    record = cost_of_objects(open_still(1).engine, short)

    assert set(record["ms"].values()) == {None}
    assert record["further_object_percent"] is None
