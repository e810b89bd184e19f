from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.firmware_bridge.bench.comparison import (
    OURS,
    Comparison,
    annotated_boxes,
    overlap,
)
from edge_ttvos.firmware_bridge.bench.contestants import MaskTracker
from edge_ttvos.firmware_bridge.prompts import Box

BOXES = st.builds(Box, *[st.integers(-50, 50)] * 2, *[st.integers(1, 60)] * 2)


@given(BOXES, BOXES)
def test_overlap_is_that_of_the_pixels(a: Box, b: Box) -> None:
    def pixels(box: Box) -> set[tuple[int, int]]:
        columns = range(int(box.x), int(box.x + box.width))
        rows = range(int(box.y), int(box.y + box.height))
        return {(row, column) for row in rows for column in columns}

    one, other = pixels(a), pixels(b)
    assert overlap(a, b) == pytest.approx(len(one & other) / len(one | other))
    assert overlap(None, b) == 0


def test_only_frames_that_count_and_show_the_object_have_a_box(dataset: Any) -> None:
    sequence = dataset.load("dusk")
    assert list(annotated_boxes(sequence)) == [f"{index:05d}" for index in range(1, 6)]


def test_contestants_beside_each_other(
    dataset: Any, make_clip: Any, make_knowing: Any, open_still: Any
) -> None:
    labels = make_clip(count=14).labels
    ours = MaskTracker(OURS, open_still(1))
    exact = make_knowing(labels, 5.0, masks=True)
    shifted = make_knowing(labels, 10.0, shift=4)
    exact.name, shifted.name = "exact", "shifted"
    done: list[int] = []

    comparison = Comparison([ours, exact, shifted])
    comparison.run(dataset.load("walk"), done.append)
    record = comparison.to_json()

    width = 80 // 5
    assert record["exact"]["J&F"] == record["exact"]["box_iou"] == 100
    assert record["shifted"]["J&F"] is None
    assert record["shifted"]["box_iou"] == pytest.approx(100 * (width - 4) / (width + 4))
    assert 0 < record[OURS]["box_iou"] < 100
    assert 0 < record[OURS]["J&F"] < 100
    assert record["exact"]["fps"] == {"end_to_end": 200.0, "model": None}
    rate = record[OURS]["fps"]["end_to_end"]
    assert record["shifted"]["ratio"]["end_to_end"] == pytest.approx(rate / 100, abs=1e-3)
    assert record["shifted"]["ratio"]["model"] is None
    assert "ratio" not in record[OURS]
    assert {entry["frames_timed"] for entry in record.values()} == {13 - 4}
    assert sum(done) == 3 * 13


def test_a_lost_object_counts_nothing(dataset: Any, make_clip: Any, make_knowing: Any) -> None:
    lost = make_knowing(make_clip(count=7).labels, 5.0)
    step = lost.step
    lost.step = lambda frame: type(step(frame))({"update": 5.0}, None)

    comparison = Comparison([lost])
    comparison.run(dataset.load("dusk"))

    assert comparison.to_json()["knowing"]["box_iou"] == 0
