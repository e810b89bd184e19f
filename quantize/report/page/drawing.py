"""Charts as SVG and PNG, through matplotlib; hollow marks are simulated."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge_ttvos.files import write_bytes
from edge_ttvos.quantize.report.page.charts import Axis, Chart, Dash, Series, Shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design", 2008: told apart with any kind of colour vision.
PALETTE = ("#1b1f24", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
QUIET = "#8a929c"  # of what is only compared with
MARKERS: dict[Shape, str] = {
    "circle": "o",
    "square": "s",
    "triangle": "^",
    "diamond": "D",
    "cross": "X",
    "plus": "P",
}
STYLES: dict[Dash, str] = {"solid": "-", "dashed": "--", "dotted": ":", "dashdot": "-."}

PANEL = (4.6, 3.5)  # inches
DPI = 150
MANY = 24  # marks of a series: beyond, only some are drawn
DRAWN = 8
SETTINGS = {
    "text.parse_math": False,  # names may hold dollar signs
    "svg.hashsalt": "edge-ttvos",  # the same report gives the same file
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
}


@contextmanager
def settings() -> Iterator[None]:
    """Of all figures; a name in a script that the font lacks is drawn as boxes, silently."""
    from matplotlib import rc_context

    with rc_context(SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def draw(charts: Sequence[Chart], folder: Path, name: str, columns: int) -> tuple[Path, ...]:
    """Draw charts side by side.

    Raises:
        OutputError: a file cannot be written.
    """
    rows = -(-len(charts) // columns)
    with settings():
        figure = new_figure(PANEL[0] * columns, PANEL[1] * rows)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in grid[len(charts) :]:
            axes.set_axis_off()
        for axes, chart in zip(grid, charts, strict=False):
            _panel(axes, chart)
        return save(figure, folder, name)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, folder: Path, name: str) -> tuple[Path, ...]:
    """Write both files, each whole or not at all.

    Raises:
        OutputError: a file cannot be written.
    """
    paths = []
    for kind, about in (("svg", {"Date": None}), ("png", {})):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=about)
        write_bytes(folder / f"{name}.{kind}", buffer.getvalue())
        paths.append(folder / f"{name}.{kind}")
    return tuple(paths)


def _panel(axes: Axes, chart: Chart) -> None:
    axes.set_title(chart.title, fontsize=10, loc="left")
    axes.set_xlabel(chart.x.label)
    axes.set_ylabel(chart.y.label)
    if not any(series.marks for series in chart.series):
        axes.text(0.5, 0.5, chart.empty, ha="center", transform=axes.transAxes, color=QUIET)
        axes.set(xticks=[], yticks=[])
        return
    axes.grid(alpha=0.25)
    if chart.level is not None:
        axes.axhline(chart.level[0], color=QUIET, ls="--", lw=1.2, label=chart.level[1])
    for order, series in enumerate(chart.series):
        _series(axes, series, order)
    _scale(axes, chart.x, "x")
    _scale(axes, chart.y, "y")
    _legend(axes, chart)


def _series(axes: Axes, series: Series, order: int) -> None:
    """Line, whiskers and marks; with many marks, some of them."""
    colour = PALETTE[series.colour]
    x, y = [mark.x for mark in series.marks], [mark.y for mark in series.marks]
    if series.dash is not None:
        steps = "steps-post" if series.stairs else "default"
        ls = STYLES[series.dash]
        axes.plot(x, y, ls=ls, color=colour, lw=1.4, drawstyle=steps, alpha=0.9)
    for mark in series.marks:
        if mark.spread is not None:
            axes.errorbar(mark.x, mark.y, mark.spread, color=colour, lw=1, capsize=3, alpha=0.7)
        if mark.label:
            axes.annotate(
                mark.label, (mark.x, mark.y), (5, 5), textcoords="offset points", fontsize=7
            )
    if series.shape is not None:
        step = -(-len(x) // DRAWN) if len(x) > MANY else 1
        for mark in series.marks[order % step :: step]:
            axes.plot(
                mark.x,
                mark.y,
                MARKERS[series.shape],
                markerfacecolor="white" if mark.hollow else colour,
                markeredgecolor=colour,
                zorder=3,
            )


def _scale(axes: Axes, axis: Axis, which: str) -> None:
    if axis.scale == "log":
        axes.set(**{f"{which}scale": "log"})  # type: ignore[arg-type]
        return
    if axis.scale == "names":
        axes.set_xticks(range(len(axis.names)), list(axis.names))
        axes.set_xlim(-0.5, len(axis.names) - 0.5)
    limits = {
        key: end for key, end in (("left", axis.low), ("right", axis.high)) if end is not None
    }
    if which == "x" and limits:
        axes.set_xlim(**limits)
    if which == "y" and limits:
        low, high = axis.low, axis.high
        axes.set_ylim(bottom=low, top=None if high is None else high * 1.02)


def _legend(axes: Axes, chart: Chart) -> None:
    """Names, and what a hollow mark means, below the chart."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=PALETTE[series.colour],
            marker=MARKERS[series.shape] if series.shape else "",
            ls=STYLES[series.dash] if series.dash else "",
            label=series.name,
        )
        for series in chart.series
    ]
    if chart.level is not None:
        handles.append(Line2D([], [], color=QUIET, ls="--", label=chart.level[1]))
    if any(mark.hollow for series in chart.series for mark in series.marks):
        looks = {"markerfacecolor": "white", "markeredgecolor": QUIET, "ls": ""}
        handles.append(Line2D([], [], marker="o", label="hollow: simulated", **looks))
    names = [str(handle.get_label()) for handle in handles]
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.18), "frameon": False}
    axes.legend(handles, names, fontsize=7, ncols=min(3, len(handles)), **below)
