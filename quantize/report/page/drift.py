"""J against frame number: all of it for the page, where one chooses, and a figure of a choice."""

from __future__ import annotations

from typing import Any

from edge_ttvos.quantize.report.page.charts import TEXT, Axis, Chart, Mark, Series, style
from edge_ttvos.quantize.report.page.reading import Point, Report, Scores
from edge_ttvos.quantize.report.page.wording import name_of, number, set_title

SHOWN = 4  # points beside float, unless chosen otherwise
FIGURE_SEQUENCES = 6  # panels of the figure


def drift(report: Report) -> list[dict[str, Any]]:
    """By set: its points, and for each sequence J by frame of each of them."""
    return [_set(report, name) for name in report.set_names if _points(report, name)]


def drift_charts(report: Report) -> tuple[Chart, ...]:
    """Float and the points shown at first, for the sequences that drift furthest."""
    sets = [name for name in report.set_names if _points(report, name)]
    if not sets:
        return (_empty(),)
    points = _points(report, sets[0])
    shown = chosen(points)
    ranked = sorted(_sequences(points), key=lambda name: -_apart(shown, name))
    return tuple(
        Chart(
            f"drift-{name}",
            name,
            Axis("frame"),
            Axis("J, %"),
            tuple(_series(points.index(p), p, name) for p in shown if p.sequences.get(name)),
        )
        for name in ranked[:FIGURE_SEQUENCES]
    )


def chosen(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """Float and those that lose most in the last quarter against the first, and the best."""
    others = [point for point in points if not point.is_float]
    by_change = sorted(others, key=lambda p: -((p.drift and p.drift.change) or 0))
    best = sorted(others, key=lambda p: p.loss if p.loss is not None else float("inf"))
    keep = {p.id for p in (*best[:1], *by_change)[: SHOWN + 1]}
    kept = [point for point in others if point.id in keep][:SHOWN]
    return (*(p for p in points if p.is_float), *kept)


def _set(report: Report, name: str) -> dict[str, Any]:
    points = _points(report, name)
    shown = chosen(points)
    return {
        "name": name,
        "title": set_title(report, name),
        "points": [
            {"name": name_of(p), "hollow": p.simulated, "shown": p in shown} | _look(n, p)
            for n, p in enumerate(points)
        ],
        "sequences": {
            sequence: [_curve(point.sequences.get(sequence)) for point in points]
            for sequence in sorted(_sequences(points), key=lambda name: -_apart(shown, name))
        },
    }


def _points(report: Report, name: str) -> tuple[Point, ...]:
    """Those of a set that have curves."""
    return tuple(p for p in report.of_set(name) if any(s.j_by_frame for s in p.sequences.values()))


def _sequences(points: tuple[Point, ...]) -> list[str]:
    return list(dict.fromkeys(name for point in points for name in point.sequences))


def _look(number: int, point: Point) -> dict[str, Any]:
    """Float is solid and has the colour of text; the others as they come."""
    colour, shape, dash = (TEXT, "diamond", "solid") if point.is_float else style(number - 1)
    return {"colour": colour, "shape": shape, "dash": dash}


def _curve(scores: Scores | None) -> list[list[float | None]]:
    """Frame and J, in percent."""
    if scores is None:
        return []
    return [
        [frame, None if j is None else round(j, 1)]
        for frame, j in zip(scores.frames, scores.j_by_frame, strict=False)
    ]


def _series(order: int, point: Point, sequence: str) -> Series:
    look = _look(order, point)
    marks = tuple(
        Mark(frame or 0, j, name_of(point), (f"frame {frame}: J {number(j)}",))
        for frame, j in _curve(point.sequences.get(sequence))
        if j is not None
    )
    return Series(name_of(point), marks, look["colour"], look["shape"], look["dash"])


def _apart(points: tuple[Point, ...], sequence: str) -> float:
    """How far mean J of the points lies apart."""
    means = [
        sum(known) / len(known)
        for point in points
        if (scores := point.sequences.get(sequence)) is not None
        and (known := [j for j in scores.j_by_frame if j is not None])
    ]
    return max(means) - min(means) if means else 0.0


def _empty() -> Chart:
    return Chart("drift", "J by frame", Axis("frame"), Axis("J, %"), ())
