"""The running average in codes: with steps of 1/t few bits stop it, many do not."""

from __future__ import annotations

import numpy as np
import pytest

from edge_ttvos.quantize.observers import codes_of
from edge_ttvos.quantize.report.stall import News, replay, stalls_after
from edge_ttvos.quantize.report.stall_words import stall_rows, stall_words


def news(count: int, fixed: float | None = None) -> list[News]:
    """Noise around a template that slowly turns into another."""
    rng = np.random.default_rng(0)
    begin, end = (rng.random((8, 8), np.float32) for _ in range(2))
    found = []
    for t in range(count):
        matrix = begin + (end - begin) * t / count + 0.1 * rng.standard_normal((8, 8))
        found.append(News(matrix.astype(np.float32), fixed or 1 / (t + 1)))
    return found


def test_few_bits_stall_and_many_do_not() -> None:
    run = news(150)
    moved = {bits: replay(run, codes_of(-0.3, 1.3, bits))[0] for bits in (4, 16)}

    four, sixteen = stalls_after(moved[4]), stalls_after(moved[16])
    assert four is not None
    assert 3 < four < 60
    assert sixteen is None
    assert moved[16][-1] > 0.5


def test_the_float_template_is_the_reference() -> None:
    moved, distance = replay(news(20), None)

    assert min(moved) > 0.9
    assert max(distance) == 0.0
    assert len(moved) == len(distance) == 19


def test_the_gap_grows_while_the_average_stands_still() -> None:
    _, coarse = replay(news(150), codes_of(-0.3, 1.3, 4))
    _, fine = replay(news(150), codes_of(-0.3, 1.3, 8))

    assert coarse[-1] > 2 * fine[-1]
    assert coarse[-1] > coarse[5]


def test_a_step_that_stays_large_does_not_stall() -> None:
    assert stalls_after(replay(news(100, fixed=0.4), codes_of(-0.3, 1.3, 4))[0]) is None


def test_when_a_row_of_shares_has_stalled() -> None:
    assert stalls_after([0.5] * 10 + [0.0] * 10) == 11
    assert stalls_after([0.0] * 10) == 1
    assert stalls_after([0.5] * 20) is None
    assert stalls_after([0.0] * 10 + [0.5]) is None  # it moved again
    assert stalls_after([0.0, 0.0]) is None  # too short to judge


def test_the_answer_in_words() -> None:
    def traces(last: float) -> dict[str, list[float]]:
        return {"moved": [0.9] * 6 + [last] * 6, "distance": [0.01] * 11 + [0.2]}

    labels = {"4": 0.0, "6": 0.0, "8": 0.9, "16": 0.9, "float": 1.0}
    result = {"steps": [0.1] * 12, "templates": {k: traces(v) for k, v in labels.items()}}
    points = [
        {
            "set": "axes",
            "method": "ptq",
            "bits": {"weights": 8, "activations": 8, "state": state},
            "J&F": score,
        }
        for state, score in ((None, 60.0), (4, 55.5))
    ]
    rows = stall_rows(result, points)

    assert [row["state_bits"] for row in rows] == [4, 6, 8, 16, None]
    assert rows[0]["stall_update"] == 7
    assert rows[0]["J&F_loss"] == pytest.approx(4.5)
    assert rows[1]["J&F_loss"] is None
    words = stall_words(rows, result["steps"])
    assert words.startswith(
        "The running average stalls at 6 bits and fewer, which costs at most 4.50"
    )
    assert "where the template is float it changes 95% of the entries" in words
    assert "With 4 bits the average stalls after 7 updates; it ends 20.0 % away" in words
    assert "costs 4.50 points of J&F" in words
    assert "With 8 bits the average does not stall within 12 updates" in words
