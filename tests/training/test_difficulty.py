from __future__ import annotations

import numpy as np
import pytest

from edge_ttvos.data.pool import Pool
from edge_ttvos.training.difficulty import MEMORY, MOST, Difficulty


def test_all_are_alike_until_something_is_known(pool: Pool) -> None:
    odds = Difficulty().odds(pool, 1.0)
    assert odds.stills == pytest.approx([1 / 3] * 3)
    assert odds.sequences == pytest.approx([1.0])


def test_what_was_noted_counts_once_it_is_settled(pool: Pool) -> None:
    difficulty = Difficulty()
    difficulty.note(["still0", "still1"], [0.8, 0.4])  # losses of 0.2 and 0.6, 0.4 on average
    assert difficulty.odds(pool, 1.0).stills == pytest.approx([1 / 3] * 3)
    difficulty.settle()
    assert difficulty.odds(pool, 1.0).stills == pytest.approx(np.array([0.5, 1.5, 1.0]) / 3)
    assert difficulty.odds(pool, 2.0).stills == pytest.approx(np.array([0.25, 2.25, 1.0]) / 3.5)
    assert difficulty.odds(pool, 0.0).stills == pytest.approx([1 / 3] * 3)


def test_a_running_mean_forgets(pool: Pool) -> None:
    difficulty = Difficulty()
    difficulty.note(["walk", "walk"], [1.0, 0.0])
    running = difficulty.state_dict()["running"]
    assert running["walk"] == pytest.approx(1 - MEMORY)


def test_no_source_is_drawn_for_ever_or_never(pool: Pool) -> None:
    difficulty = Difficulty()
    difficulty.note(["still0", "still1", "still2"], [1.0, 1.0, 0.0])
    difficulty.settle()
    stills = difficulty.odds(pool, 5.0).stills
    assert stills is not None
    assert stills.max() / stills.min() == pytest.approx(MOST**2)
    assert stills.sum() == pytest.approx(1)


def test_its_state_goes_on(pool: Pool) -> None:
    first, second = Difficulty(), Difficulty()
    first.note(["still0"], [0.1])
    first.settle()
    first.note(["still1"], [0.9])
    second.load_state_dict(first.state_dict())
    assert second.state_dict() == first.state_dict()
    for difficulty in (first, second):
        difficulty.settle()
    np.testing.assert_array_equal(second.odds(pool, 1.0).stills, first.odds(pool, 1.0).stills)
