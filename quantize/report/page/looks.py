"""Colours, marks and dashes of figures that matplotlib draws; the page has its own in style.css."""

from __future__ import annotations

from edge_ttvos.quantize.report.page.charts import Dash, Shape

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

LETTERS = 44  # of a name: longer ones would leave a figure no room


def shortened(name: str) -> str:
    """A name as figures show it: its middle is left out where it is long."""
    half = LETTERS // 2
    return name if len(name) <= LETTERS else f"{name[: half - 1]}…{name[-half:]}"
