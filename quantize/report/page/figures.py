"""Which figures a report has: the charts of the page, for slides and papers."""

from __future__ import annotations

from pathlib import Path

from edge_ttvos.quantize.report.page.curves import curves
from edge_ttvos.quantize.report.page.drawing import draw, new_figure, save, settings
from edge_ttvos.quantize.report.page.drift import drift_charts
from edge_ttvos.quantize.report.page.looks import PALETTE, shortened
from edge_ttvos.quantize.report.page.pareto import pareto
from edge_ttvos.quantize.report.page.reading import Report, Sensitive
from edge_ttvos.quantize.report.page.stall import stall_charts

FOLDER = "figures"
TOP = 25  # of the sensitivity bars
STATE = "state"
COLOURS = {"layer": PALETTE[1], STATE: PALETTE[2]}
HATCH = "////"  # on state buffers, so that they are told apart in grey too


def write_figures(report: Report, folder: Path) -> tuple[Path, ...]:
    """Draw all figures into ``folder/figures``.

    Raises:
        OutputError: a file cannot be written.
    """
    out = folder / FOLDER
    out.mkdir(exist_ok=True)
    paths: list[Path] = []
    for name in report.set_names:
        paths += draw(pareto(report, name), out, f"pareto-{name}", 2)
    paths += draw(curves(report), out, "bits", 3)
    panels = drift_charts(report)
    paths += draw(panels, out, "drift", min(3, len(panels)))
    paths += draw(stall_charts(report), out, "stall", 2)
    paths += _sensitivity(report.sensitivity[:TOP], out)
    return tuple(paths)


def _sensitivity(items: tuple[Sensitive, ...], folder: Path) -> tuple[Path, ...]:
    """Bars, worst on top."""
    with settings():
        figure = new_figure(7.5, 1.4 + 0.22 * max(len(items), 4))
        axes = figure.subplots()
        losses = [item.loss or 0.0 for item in items]
        bars = axes.barh(range(len(items)), losses, height=0.7, edgecolor="white")
        for bar, item in zip(bars, items, strict=True):
            state = item.kind == STATE
            bar.set(facecolor=COLOURS.get(item.kind, PALETTE[0]), hatch=HATCH if state else None)
        axes.set_yticks(range(len(items)), [shortened(item.item) for item in items], fontsize=7)
        axes.invert_yaxis()
        axes.margins(y=0.02)
        axes.set_axisbelow(True)
        axes.set_xlabel("points of J&F lost when it alone is quantized (hatched: state)")
        axes.grid(axis="x", alpha=0.25)
        if not items:
            axes.set(xticks=[])
            words = "Sensitivity was not measured."
            axes.text(0.5, 0.5, words, ha="center", transform=axes.transAxes)
        return save(figure, folder, "sensitivity")
