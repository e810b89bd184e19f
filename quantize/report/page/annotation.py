"""Names beside marks, and the legend, of figures that matplotlib draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_ttvos.quantize.report.page.charts import Chart
from edge_ttvos.quantize.report.page.looks import MARKERS, PALETTE, QUIET, STYLES, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW, HANDLE = 84, 7  # of the legend: letters in a row, and what a line or mark takes of them
LETTER, LINE = 0.017, 0.06  # of a label, shares of a panel's width and height


def label(axes: Axes, chart: Chart) -> None:
    """Names beside marks, where they cover no other."""
    taken: list[tuple[float, float, float]] = []  # left, right and height, shares of the panel
    where = axes.transScale + axes.transLimits
    marks = [mark for series in chart.series for mark in series.marks]
    spots = [where.transform((mark.x, mark.y)) for mark in marks]
    for mark, (at, height) in zip(marks, spots, strict=True):
        if not mark.label:
            continue
        name = shortened(mark.label)
        long = LETTER * len(name)
        turned = at + long > 1
        left = at - long if turned else at
        if any(abs(h - height) < LINE and left < r and s < left + long for s, r, h in taken):
            continue
        above = [x for x, y in spots if abs(y - height - LINE / 2) < LINE / 2.5]
        if any(left < x < left + long for x in above):
            continue
        taken.append((left, left + long, height))
        axes.annotate(
            name,
            (mark.x, mark.y),
            xytext=(-5 if turned else 5, 5),
            textcoords="offset points",
            fontsize=7,
            ha="right" if turned else "left",
        )


def legend(axes: Axes, chart: Chart) -> None:
    """Names, and what a hollow mark means, below the chart."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=PALETTE[series.colour],
            marker=MARKERS[series.shape] if series.shape else "",
            ls=STYLES[series.dash] if series.dash else "",
            label=shortened(series.name),
        )
        for series in chart.series
    ]
    if chart.level is not None:
        handles.append(Line2D([], [], color=QUIET, ls="--", label=chart.level[1]))
    if any(mark.hollow for series in chart.series for mark in series.marks):
        hollow = Line2D([], [], color=QUIET, marker="o", ls="", markerfacecolor="white")
        hollow.set_label("hollow: simulated")
        handles.append(hollow)
    longest = max(len(str(handle.get_label())) for handle in handles)
    axes.legend(
        handles=handles,
        fontsize=7,
        ncols=max(1, min(3, ROW // (longest + HANDLE))),
        loc="upper center",
        bbox_to_anchor=(0.5, -0.18),
        frameon=False,
    )
