"""A report as the rows of a table: plain data, whoever draws it."""

from __future__ import annotations

from dataclasses import dataclass

from edge_ttvos.evaluation.report import ObjectScore, Report, SequenceScore, j_and_f
from edge_ttvos.evaluation.statistics import Statistics

COLUMNS = ("sequence", "J&F", "J", "J recall", "J decay", "F", "F recall", "F decay")
ALL = "all"


@dataclass(frozen=True)
class Row:
    """One line: a label and seven figures in percent, in the order of ``COLUMNS``.

    Attributes:
        label: a sequence, ``sequence/object`` or ``all``.
        figures: None where undefined.
    """

    label: str
    figures: tuple[float | None, ...]

    def cells(self) -> tuple[str, ...]:
        """The line as text: one decimal, a dash where undefined."""
        return (self.label, *("—" if f is None else f"{f:.1f}" for f in self.figures))


def table_rows(report: Report) -> tuple[Row, ...]:
    """A row for each sequence and, if it has several objects, one for each; last, all objects."""
    rows = [row for sequence in report.sequences for row in _sequence_rows(sequence)]
    return (*rows, _row(ALL, report))


def _sequence_rows(sequence: SequenceScore) -> list[Row]:
    rows = [_row(sequence.name, sequence)]
    if len(sequence.objects) > 1:
        rows += [_row(f"{sequence.name}/{o.number}", o) for o in sequence.objects]
    return rows


def _row(label: str, part: ObjectScore | SequenceScore | Report) -> Row:
    j, f = part.j, part.f
    return Row(label, (j_and_f(j, f), *_three(j), *_three(f)))


def _three(part: Statistics | None) -> tuple[float | None, float | None, float | None]:
    if part is None:
        return None, None, None
    figures = part.percent()
    return figures["mean"], figures["recall"], figures["decay"]
