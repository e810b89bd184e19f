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
