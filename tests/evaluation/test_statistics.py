from __future__ import annotations

import numpy as np
import pytest

from edge_ttvos.evaluation.statistics import (
    Statistics,
    average,
    decay,
    quarter_edges,
    summarize,
)


@pytest.mark.parametrize(
    ("count", "edges"),
    [
        (1, (0, 0, 0, 0, 0)),
        (2, (0, 0, 1, 1, 1)),  # 1, 1.25, 1.5, 1.75, 2: the half goes up
        (3, (0, 1, 1, 2, 2)),  # 1, 1.5, 2, 2.5, 3: 2.5 goes up too
        (4, (0, 1, 2, 2, 3)),
        (5, (0, 1, 2, 3, 4)),
        (8, (0, 2, 4, 5, 7)),
        (78, (0, 19, 39, 58, 77)),
        (300, (0, 75, 150, 224, 299)),  # above what one byte holds
    ],
)
def test_edges_are_the_benchmarks(count: int, edges: tuple[int, ...]) -> None:
    assert quarter_edges(count) == edges


def test_quarters_share_their_edge() -> None:
    values = np.array([0.9, 0.8, 0.6, 0.3, 0.1])
    assert decay(values) == pytest.approx(0.85 - 0.2)
    assert decay(values[::-1]) == pytest.approx(0.2 - 0.85)


def test_recall_is_strictly_above_a_half() -> None:
    summary = summarize(np.array([0.5, 0.51, 1.0, 0.0]))
    assert summary is not None
    assert summary.recall == 0.5
    assert summary.mean == pytest.approx(0.5025)


def test_one_frame_has_no_decay() -> None:
    assert summarize(np.array([0.7])) == Statistics(0.7, 1.0, 0.0)


def test_no_frame_has_no_statistics() -> None:
    assert summarize(np.array([])) is None


def test_average_leaves_out_the_undefined() -> None:
    one, other = Statistics(0.2, 0.0, -0.1), Statistics(0.6, 1.0, 0.3)
    mean = average([one, None, other])
    assert mean is not None
    assert (mean.mean, mean.recall, mean.decay) == pytest.approx((0.4, 0.5, 0.1))
    assert average([None]) is None
    assert average([]) is None


def test_percent() -> None:
    assert Statistics(0.5, 1.0, -0.25).percent() == {"mean": 50, "recall": 100, "decay": -25}
