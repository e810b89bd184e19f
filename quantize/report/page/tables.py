"""Rows of the page's tables that no single record holds."""

from __future__ import annotations

from dataclasses import dataclass

from edge_ttvos.quantize.report.page.reading import Point, Report, Scores


@dataclass(frozen=True)
class Row:
    """One sequence at one point.

    Attributes:
        sequence: its name.
        point: whose scores they are.
        scores: in percent.
        loss: J&F of the set's float point less this one's; None for float or where unknown.
        size: of the frame, as text.
    """

    sequence: str
    point: Point
    scores: Scores
    loss: float | None
    size: str


def sequence_rows(report: Report) -> tuple[Row, ...]:
    """All sequences of all points, set by set."""
    return tuple(row for name in report.set_names for row in _of_set(report, name))


def _of_set(report: Report, name: str) -> list[Row]:
    points = report.of_set(name)
    quiet = next((point for point in points if point.is_float), None)
    size = str((report.sets.get(name) or {}).get("size") or "").replace("x", "×")
    return [
        Row(sequence, point, scores, _loss(quiet, point, sequence), size)
        for point in points
        for sequence, scores in sorted(point.sequences.items())
    ]


def _loss(quiet: Point | None, point: Point, sequence: str) -> float | None:
    if quiet is None or point.is_float or (before := quiet.sequences.get(sequence)) is None:
        return None
    after = point.sequences[sequence].j_and_f
    return None if before.j_and_f is None or after is None else before.j_and_f - after
