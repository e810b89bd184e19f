from __future__ import annotations

import numpy as np
import pytest

from edge_ttvos.evaluation.report import ObjectScore, Report, SequenceScore
from edge_ttvos.evaluation.table import COLUMNS, table_rows


def scored(number: int, j: list[float], f: list[float]) -> ObjectScore:
    frames = tuple(f"{index:05d}" for index in range(len(j)))
    return ObjectScore(number, frames, np.array(j), np.array(f))


REPORT = Report(
    (
        SequenceScore("a", (scored(1, [1.0], [0.5]),)),
        SequenceScore("b", (scored(1, [0.4], [0.2]), scored(2, [], []))),
    )
)


def test_objects_have_rows_where_there_are_several() -> None:
    rows = table_rows(REPORT)
    assert [row.label for row in rows] == ["a", "b", "b/1", "b/2", "all"]
    assert {len(row.cells()) for row in rows} == {len(COLUMNS)}


def test_figures_are_percent_and_undefined_ones_none() -> None:
    rows = {row.label: row for row in table_rows(REPORT)}
    assert list(rows["a"].figures) == [75, 100, 100, 0, 50, 0, 0]
    assert all(figure is None for figure in rows["b/2"].figures)
    assert rows["all"].figures == pytest.approx((52.5, 70, 50, 0, 35, 0, 0))


def test_cells_are_text() -> None:
    rows = table_rows(REPORT)
    assert rows[0].cells() == ("a", "75.0", "100.0", "100.0", "0.0", "50.0", "0.0", "0.0")
    assert rows[3].cells() == ("b/2", *"———————")
