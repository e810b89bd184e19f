"""Charts as SVG and PNG, through matplotlib; hollow marks are simulated."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_ttvos.files import write_bytes
from edge_ttvos.quantize.report.page.annotation import label, legend
from edge_ttvos.quantize.report.page.charts import Axis, Chart, Series
from edge_ttvos.quantize.report.page.looks import MARKERS, PALETTE, QUIET, STYLES, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = (4.6, 3.5)  # inches
DPI = 150
MANY = 24  # marks along a line: beyond, only some are drawn
DRAWN = 8
SETTINGS: dict[Any, Any] = {
    "text.parse_math": False,  # names may hold dollar signs
    "svg.hashsalt": "edge-ttvos",  # the same report gives the same file
    "axes.axisbelow": True,
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
    axes.set_title(shortened(chart.title), fontsize=10, loc="left")
    axes.set_xlabel(chart.x.label)
    axes.set_ylabel(chart.y.label)
    if not any(series.marks for series in chart.series):
        axes.text(0.5, 0.5, chart.empty, ha="center", transform=axes.transAxes, color=QUIET)
        axes.set(xticks=[], yticks=[])
        return
    axes.grid(alpha=0.25)
    if chart.level is not None:
        axes.axhline(chart.level[0], color=QUIET, ls="--", lw=1.2)
    for order, series in enumerate(chart.series):
        _series(axes, series, order)
    _scale_x(axes, chart.x)
    _scale_y(axes, chart.y)
    label(axes, chart)
    legend(axes, chart)


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
    if series.shape is not None:
        thin = series.dash is not None and len(x) > MANY
        step = -(-len(x) // DRAWN) if thin else 1
        for mark in series.marks[order % step :: step]:
            axes.plot(
                mark.x,
                mark.y,
                MARKERS[series.shape],
                markerfacecolor="white" if mark.hollow else colour,
                markeredgecolor=colour,
                zorder=3,
            )


def _scale_x(axes: Axes, axis: Axis) -> None:
    if axis.scale == "log":
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    elif axis.scale == "names":
        axes.set_xticks(range(len(axis.names)), [shortened(name) for name in axis.names])
        axes.set_xlim(-0.5, len(axis.names) - 0.5)
    else:
        axes.set_xlim(axis.low, axis.high)


def _scale_y(axes: Axes, axis: Axis) -> None:
    if axis.scale == "log":
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
    else:
        axes.set_ylim(axis.low, axis.high)
