from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edge_ttvos.quantize.recipe import Recipe
from edge_ttvos.quantize.report.points import Point, axes_points
from edge_ttvos.quantize.report.record import compared, measured
from edge_ttvos.quantize.report.scoring import Score
from edge_ttvos.quantize.report.strips import Place, telling, worst_place
from edge_ttvos.quantize.report.study import Study
from edge_ttvos.quantize.report.worth import worth


def result(*rows: tuple[float, list[float]]) -> dict[str, Any]:
    """As ``Score`` gives it: J&F and J by frame of each sequence."""
    sequences = {
        f"s{i}": {"J&F": score, "J_by_frame": frames, "frames": list(range(1, len(frames) + 1))}
        for i, (score, frames) in enumerate(rows)
    }
    return {"J&F": sum(score for score, _ in rows) / len(rows), "sequences": sequences}


FLAT = [80.0] * 8
FALLING = [80.0, 80.0, 75.0, 70.0, 65.0, 60.0, 50.0, 40.0]


def test_loss_spread_and_drift_are_against_float() -> None:
    exact = result((80.0, FLAT), (60.0, FLAT))
    found = compared(result((70.0, FALLING), (58.0, FLAT)), exact)

    assert found["J&F_loss"] == 6.0
    assert found["spread"] == 4.0  # losses 10 and 2
    # quarters of eight frames with the benchmark's edges: the first three and the last three
    assert found["drift"]["first_quarter"] == pytest.approx((5 / 3) / 2, abs=1e-3)
    assert found["drift"]["last_quarter"] == pytest.approx(15.0, abs=1e-3)
    assert found["drift"]["change"] == pytest.approx(14.167, abs=1e-3)


def kept(score: float) -> dict[str, Any]:
    """A kept result of two sequences."""
    rows = result((score, FALLING), (score - 2, FLAT))
    return {"result": rows, "seconds": 1.0, "commit": None}


def test_rows_begin_with_float_and_say_what_is_simulated(study: Study) -> None:
    points = axes_points(Recipe("w8a8sfloat"))[::-1]
    scores = {p.id: (Score(study, p, None), kept(60.0 - len(p.label))) for p in points}
    rows = measured(scores)

    assert rows[0]["id"] == "axes/float"
    assert (rows[0]["J&F_loss"], rows[0]["bits"]["weights"]) == (None, None)
    by_id = {row["id"]: row for row in rows}
    assert by_id["axes/w4a8sfloat"]["simulated"]
    assert by_id["axes/w4a8sfloat"]["deployable"] == []
    assert not by_id["axes/w8a8s4"]["simulated"]
    assert by_id["axes/w8a8s4"]["J&F_loss"] == pytest.approx(1.0)


def row(name: str, score: float, **facts: Any) -> dict[str, Any]:
    """A finished point."""
    sequences = {f"s{i}": {"J&F": score + i} for i in range(3)}
    about = {"set": name.partition("/")[0], "method": "ptq", "label": name.partition("/")[2]}
    return {"id": name, "J&F": score + 1, "sequences": sequences, **about, **facts}


def test_what_each_measure_is_worth() -> None:
    points = [
        row("named/w8a8sfloat", 60.0),
        row("named/w8a8sfloat-independent", 57.0),
        row("named/w8a8s8", 60.0),
        row("named/qat-w4a8sfloat", 50.0, method="qat", label="w4a8sfloat"),
        row("axes/w4a8sfloat", 40.0),
        row("axes/qat-w4a8sfloat", 55.0, method="qat", label="w4a8sfloat"),
    ]
    found = worth(points)

    assert (found["rolled_out"], found["float_template"], found["qat"]) == (3.0, 0.0, 15.0)
    assert "against frames that start anew: +3.00 points of J&F" in found["words"]
    assert "+0.00 points of J&F (named/w8a8sfloat, 3 sequences" in found["words"]
    assert "within the spread" in found["words"]
    assert worth([])["qat"] is None


def test_the_frame_that_tells_most() -> None:
    exact = result((80.0, FLAT), (60.0, FLAT))
    point = result((80.0, FLAT), (60.0, FALLING))

    assert worst_place(exact, point) == Place("s1", 8, 80.0, 40.0)
    assert worst_place(exact, exact) is None


def test_the_mildest_loss_that_tells_is_shown() -> None:
    def lossy(axis: str | None, loss: float) -> dict[str, Any]:
        return {"axis": axis, "method": "ptq", "set": "axes", "J&F_loss": loss}

    rows = [lossy("weights", 40.0), lossy("weights", 3.0), lossy("weights", 0.2)]
    rows += [lossy("state", 0.1), lossy("state", 0.4)]
    assert [row["J&F_loss"] for row in telling(rows)] == [3.0, 0.4]


def test_points_that_stand_for_one_model_have_one_identity(study: Study) -> None:
    point = Point("axes/x", "axes", "w8a8sfloat", "ptq", study.recipe)
    same, other = Score(study, point, None), replace(point, recipe=replace(study.recipe, state=8))

    assert Score(study, point, None).identity() == same.identity()
    assert Score(study, other, None).identity() != same.identity()
