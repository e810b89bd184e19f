"""J&F against what a point costs, and which points no other beats at both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from edge_ttvos.quantize.report.page.charts import TEXT, Axis, Chart, Mark, Series, Shape
from edge_ttvos.quantize.report.page.reading import Point, Report
from edge_ttvos.quantize.report.page.wording import METHODS, about, brief, name_of

Cost = Callable[[Point], float | None]

LOOKS: dict[str, tuple[int, Shape]] = {
    "float": (TEXT, "diamond"),
    "ptq": (1, "circle"),
    "qat": (3, "triangle"),
    "mixed": (2, "square"),
}
OTHER: tuple[int, Shape] = (4, "cross")


def pareto(report: Report, name: str) -> tuple[Chart, Chart]:
    """A set's J&F against size, and against latency or, where none was measured, bit operations."""
    points = [point for point in report.of_set(name) if point.j_and_f is not None]
    size = _chart(f"pareto-size-{name}", "Size of the weights", "MB", points, _megabytes)
    if any(point.latency for point in points):
        unit = "ms a frame, p50"
        return size, _chart(f"pareto-latency-{name}", "Latency", unit, points, milliseconds)
    title, unit = "Bit operations (latency was not measured)", "GBOP a frame"
    operations = _chart(f"pareto-operations-{name}", title, unit, points, _operations)
    return size, replace(operations, x=Axis(f"{unit} (log scale)", "log"))


def front(points: Sequence[Point], cost: Cost) -> tuple[Point, ...]:
    """Points that score more than all that cost no more, by rising cost."""
    best: list[Point] = []
    known = [point for point in points if cost(point) is not None and point.j_and_f is not None]
    for point in sorted(known, key=lambda p: (cost(p) or 0, -(p.j_and_f or 0))):
        if not best or (point.j_and_f or 0) > (best[-1].j_and_f or 0):
            best.append(point)
    return tuple(best)


def milliseconds(point: Point) -> float | None:
    """Of the median frame."""
    return None if point.latency is None else point.latency.p50


def _megabytes(point: Point) -> float | None:
    return None if point.size_bytes is None else point.size_bytes / 1e6


def _operations(point: Point) -> float | None:
    return None if point.mac_bits is None else point.mac_bits / 1e9


def _chart(name: str, title: str, unit: str, points: Sequence[Point], cost: Cost) -> Chart:
    known = [point for point in points if cost(point) is not None]
    leading = front(known, cost)
    series = [
        _series(method, [p for p in known if p.method == method], leading, cost)
        for method in dict.fromkeys(point.method for point in known)
    ]
    if len(leading) > 1:
        marks = tuple(_mark(point, cost, labelled=False) for point in leading)
        line = Series("best for its cost", marks, TEXT, None, "dotted", stairs=True)
        series.insert(0, line)
    return Chart(
        name,
        title,
        Axis(unit, low=0.0),
        Axis("J&F, %"),
        tuple(series),
        empty="No point of this set was measured.",
    )


def _series(method: str, points: list[Point], leading: Sequence[Point], cost: Cost) -> Series:
    colour, shape = LOOKS.get(method, OTHER)
    marks = tuple(_mark(point, cost, labelled=point in leading) for point in points)
    return Series(METHODS.get(method, method), marks, colour, shape, None)


def _mark(point: Point, cost: Cost, labelled: bool) -> Mark:
    name = name_of(point)
    return Mark(
        cost(point) or 0,
        point.j_and_f or 0,
        name,
        about(point),
        brief(point.recipe),
        name if labelled else "",
        hollow=point.simulated,
    )
