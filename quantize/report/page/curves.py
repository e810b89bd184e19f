"""J&F by bits: one chart for weights, activations and state, all with the same height."""

from __future__ import annotations

from collections.abc import Sequence

from edge_ttvos.quantize.report.page.charts import Axis, Chart, Mark, Series, Shape
from edge_ttvos.quantize.report.page.reading import Point, Report
from edge_ttvos.quantize.report.page.wording import AXES, about, bits, brief, name_of

SET = "axes"
FLOAT_BITS = 32  # where float32 stands in the order
LOOKS: dict[str, tuple[int, Shape]] = {
    "weights": (1, "circle"),
    "activations": (2, "square"),
    "state": (3, "triangle"),
}
MARGIN = 1.0  # points of J&F, above and below


def curves(report: Report) -> tuple[Chart, ...]:
    """The three charts."""
    float_point = next((p for p in report.of_set(SET) if p.is_float), None)
    level = None
    if float_point is not None and float_point.j_and_f is not None:
        level = (float_point.j_and_f, "float32")
    low, high = _range(report, level)
    charts = []
    for axis, title in AXES.items():
        points = along(report, axis)
        names = tuple(bits(point.bits.get(axis)) for point in points)
        marks = tuple(_mark(index, point) for index, point in enumerate(points))
        colour, shape = LOOKS[axis]
        charts.append(
            Chart(
                f"bits-{axis}",
                title,
                Axis(f"bits of {axis}", "names", names),
                Axis("J&F, %", low=low, high=high),
                (Series(title, marks, colour, shape),) if marks else (),
                level,
                "No point along this axis yet.",
            )
        )
    return tuple(charts)


def along(report: Report, axis: str) -> tuple[Point, ...]:
    """Points whose bits differ along one axis alone, and the one that all axes start from."""
    points = [p for p in report.of_set(SET) if p.j_and_f is not None and not p.is_float]
    base = base_of(points)
    mine = {p.bits.get(axis): p for p in points if p.axis == axis}
    if base is not None:
        mine.setdefault(base.bits.get(axis), base)
    only_base = base is not None and list(mine.values()) == [base]
    if only_base:
        return ()
    return tuple(sorted(mine.values(), key=lambda p: p.bits.get(axis) or FLOAT_BITS))


def base_of(points: Sequence[Point]) -> Point | None:
    """w8a8sfloat, which all axes start from."""
    for point in points:
        wanted = {"weights": 8, "activations": 8, "state": None}
        if all(point.bits.get(key) == value for key, value in wanted.items()):
            return point
    return None


def _mark(index: int, point: Point) -> Mark:
    return Mark(
        index,
        point.j_and_f or 0,
        name_of(point),
        about(point),
        brief(point.recipe),
        spread=point.spread,
        hollow=point.simulated,
    )


def _range(
    report: Report, level: tuple[float, str] | None
) -> tuple[float, float] | tuple[None, None]:
    """Lowest and highest J&F with their spread, with room around; the same for all charts."""
    points = [p for axis in AXES for p in along(report, axis)]
    ends = [(p.j_and_f or 0) + sign * (p.spread or 0) for p in points for sign in (-1, 1)]
    if level is not None and ends:
        ends.append(level[0])
    return (max(0.0, min(ends) - MARGIN), max(ends) + MARGIN) if ends else (None, None)
