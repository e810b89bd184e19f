"""What charts and words say of a record."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.quantize.report.page.charts import style
from edge_ttvos.quantize.report.page.comparison import Pair, _bars
from edge_ttvos.quantize.report.page.curves import along, curves
from edge_ttvos.quantize.report.page.drift import drift, drift_charts
from edge_ttvos.quantize.report.page.pareto import front, pareto
from edge_ttvos.quantize.report.page.reading import Latency, Point, read
from edge_ttvos.quantize.report.page.stall import stall_charts
from edge_ttvos.quantize.report.page.summary import Summary, summarize
from edge_ttvos.quantize.report.page.tables import sequence_rows
from edge_ttvos.quantize.report.page.wording import duration, number, signed, size

COSTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12)


@given(COSTS)
def test_the_front_beats_all_the_rest(costs: list[tuple[int, int]]) -> None:
    points = [
        Point(str(n), "axes", str(n), size_bytes=cost, j_and_f=score)
        for n, (cost, score) in enumerate(costs)
    ]

    leading = front(points, lambda point: point.size_bytes)

    values = [(p.size_bytes or 0, p.j_and_f or 0) for p in leading]
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(values))
    assert all(any(c <= cost and s >= score for c, s in values) for cost, score in costs)


def test_points_without_a_cost_lead_nothing() -> None:
    known = Point("a", "axes", "a", j_and_f=50.0, latency=Latency(3.0))
    unknown = Point("b", "axes", "b", j_and_f=90.0)

    assert front([unknown, known], lambda p: p.latency and p.latency.p50) == (known,)


def test_latency_gives_way_to_operations_where_none_was_measured(record: dict[str, Any]) -> None:
    report = read(record)

    assert [chart.name for chart in pareto(report, "named")] == [
        "pareto-size-named",
        "pareto-latency-named",
    ]
    assert [chart.name for chart in pareto(report, "axes")] == [
        "pareto-size-axes",
        "pareto-operations-axes",
    ]


def test_simulated_marks_are_hollow_and_tell_their_recipe(record: dict[str, Any]) -> None:
    report = read(record)
    simulated = {point.label: point.simulated for point in report.of_set("axes")}
    charts = (*pareto(report, "axes"), *curves(report))

    marks = [
        m for c in charts for s in c.series if s.shape for m in s.marks if m.title != "float32"
    ]

    assert all(mark.hollow == simulated[mark.title] for mark in marks)
    assert all(("simulated: no engine ran it" in mark.text) == mark.hollow for mark in marks)
    assert all(mark.title in mark.recipe for mark in marks)


def test_an_axis_has_the_base_and_its_own_points_in_order(record: dict[str, Any]) -> None:
    report = read(record)

    assert [p.bits["weights"] for p in along(report, "weights")] == [2, 3, 4, 5, 6, 8]
    assert [p.bits["activations"] for p in along(report, "activations")] == [4, 6, 8, 16]
    assert [p.bits["state"] for p in along(report, "state")] == [4, 6, 8, 16, None]
    low, high = {(chart.y.low, chart.y.high) for chart in curves(report)}.pop()
    assert len({(chart.y.low, chart.y.high) for chart in curves(report)}) == 1
    assert low is not None
    assert high is not None
    for point in report.of_set("axes"):
        assert low <= (point.j_and_f or 0) - (point.spread or 0)
        assert high >= (point.j_and_f or 0) + (point.spread or 0)


def test_drift_lists_every_point_and_shows_few(record: dict[str, Any]) -> None:
    record["points"][-1]["sequences"]["camel"]["J_by_frame"][3] = None
    report = read(record)

    named, axes = drift(report)

    assert len(named["points"]) == 6
    assert len(axes["points"]) == 14
    assert sum(point["shown"] for point in axes["points"]) == 5
    assert axes["points"][0] == {
        "name": "float32",
        "hollow": False,
        "shown": True,
        "colour": 0,
        "shape": "diamond",
        "dash": "solid",
    }
    assert named["sequences"]["camel"][-1][3] == [4, None]
    assert len(drift_charts(report)) == 6


def test_series_look_different() -> None:
    assert len({style(n) for n in range(24)}) == 24
    assert all(style(n)[0] != style(n + 1)[0] for n in range(23))
    assert all(style(n)[1:] != style(n + 6)[1:] for n in range(18))


def test_a_state_that_stalls(record: dict[str, Any]) -> None:
    moved, distance = stall_charts(read(record))

    assert [s.name for s in moved.series] == ["4 bits", "6 bits", "8 bits", "16 bits", "float"]
    assert [s.name for s in distance.series] == ["4 bits", "6 bits", "8 bits", "16 bits"]
    assert moved.series[0].marks[0].y == 100
    assert moved.series[0].marks[4].text == ("update 5: moves 0.4 %",)

    record["stall"][0]["moved"][4] = 0.0
    none = stall_charts(read(record))[0].series[0].marks[4]
    assert (none.y, none.text) == (0.01, ("update 5: moves 0 %",))


def test_rows_of_sequences_lose_against_float(record: dict[str, Any]) -> None:
    rows = sequence_rows(read(record))

    assert len(rows) == 6 * 10 + 14 * 3
    before = {(r.point.set, r.sequence): r.scores.j_and_f for r in rows if r.point.is_float}
    for row in rows:
        expected = (before[row.point.set, row.sequence] or 0) - (row.scores.j_and_f or 0)
        assert row.loss is None if row.point.is_float else row.loss == pytest.approx(expected)


def summary_of(record: dict[str, Any], **change: Any) -> Summary:
    """Of the record with its named 8-bit point changed."""
    report = read(record)
    points = tuple(replace(p, **change) if p.id == "named/w8a8sfloat" else p for p in report.points)
    return summarize(replace(report, points=points))


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (0.3, "Eight bits cost 0.3 points of J&F"),
        (0.02, "Eight bits cost nothing measurable"),
        (0.09, "Eight bits cost nothing measurable"),  # the standard error is 0.1,
        (-0.4, "Eight bits score 0.4 points of J&F above float32"),
        (None, "How many bits does this tracker need?"),
    ],
)
def test_the_headline(record: dict[str, Any], loss: float | None, words: str) -> None:
    assert summary_of(record, loss=loss).headline == words


def test_times_are_compared_only_where_they_may_be(record: dict[str, Any]) -> None:
    assert summary_of(record).tiles[3].note.endswith("float32 41.6 ms, 2.5 times as long")

    other = summary_of(record, latency=Latency(9.0, None, "openvino", 2)).tiles[3]
    assert other.note.endswith("float32 41.6 ms (litert: not comparable)")

    none = summary_of(record, latency=None).tiles[3]
    assert (none.figure, none.note) == ("—", "not measured in this report")


def test_the_fewest_bits_that_keep_the_score(record: dict[str, Any]) -> None:
    weights, activations, state = summarize(read(record)).answers

    assert (weights.figure, weights.simulated) == ("5 bits", True)
    assert weights.note == "lose 0.5 points against 8 bits; 4 bits lose 1.9 points"
    assert (activations.figure, activations.simulated) == ("8 bits", False)
    assert (state.figure, state.note) == (
        "16 bits",
        "lose nothing against float; 8 bits lose 2.6 points",
    )

    for point in record["points"]:
        if point["axis"] == "weights":
            point["J&F_loss"] = 5.0 if point["bits"]["weights"] == 6 else -0.2
    kept = summarize(read(record)).answers[0]
    assert kept.figure == "8 bits", "5 bits that do well by chance below 6 that do not"
    assert kept.note == "6 bits lose 4.8 points against 8 bits"

    without = [p for p in record["points"] if p["id"] != "axes/w8a8sfloat"]
    assert summarize(read(record | {"points": without})).answers == ()


def test_the_stall_in_a_sentence(record: dict[str, Any]) -> None:
    def said(rows: list[Any]) -> list[str]:
        sentences = summarize(read(record | {"stall": rows})).sentences
        return [s for s in sentences if s.startswith("The state's running average stalls")]

    rows = record["stall"]
    assert said(rows) == [
        "The state's running average stalls with 4 bits after 5 updates, 6 bits after 14 updates, "
        "8 bits after 38 updates; it keeps moving with 16 bits, float. The most that a "
        "stall costs: 12.5 points of J&F."
    ]
    assert said(rows[3:]) == [
        "The state's running average stalls at no precision that was tried: it keeps moving with "
        "16 bits, float."
    ]
    assert said([rows[0] | {"stall_update": 1, "J&F_loss": None}]) == [
        "The state's running average stalls with 4 bits at once; none keeps moving."
    ]
    assert said([]) == []


def test_bars_stay_in_their_track() -> None:
    pairs = (Pair("a", 1, 2, 1.0, 0.5), Pair("b", 1, 0, -2.0, 0.5), Pair("c"), Pair("d", 1, 1, 0.0))

    bars = _bars(pairs)

    assert set(bars) == {"a", "b", "d"}
    assert (bars["b"].left, bars["b"].width) == (10, 40)
    assert (bars["a"].left, bars["a"].width) == (50, 20)
    assert (bars["b"].low, bars["b"].reach) == (0, 20)
    assert _bars((Pair("even", 1, 1, 0.0, 0.0),))["even"].width == 0


def test_numbers_as_people_read_them() -> None:
    assert [number(v) for v in (None, 1234.56, -0.25, -0.01, 0.0)] == [
        *("—", "1,234.6", "−0.2", "0.0", "0.0"),
    ]
    assert [signed(v) for v in (None, 0.3, -0.3, 0.01)] == ["—", "+0.3", "−0.3", "0.0"]
    assert [size(v) for v in (None, 823_000, 1_630_000)] == ["—", "823 kB", "1.63 MB"]
    assert [duration(v) for v in (None, 12, 125, 7500)] == ["—", "12 s", "2 min", "2 h 5 min"]
