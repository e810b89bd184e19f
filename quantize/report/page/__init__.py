"""The report as one HTML file that opens anywhere, and its figures as SVG and PNG.

    record ─ reading ─ charts, tables, words ─┬─ templates ─► report.html
                                              └─ drawing ───► figures/*.svg, *.png

A chart is described once (``charts.Chart``); the page's script and matplotlib both draw it.
"""

from edge_ttvos.quantize.report.page.comparison import write_comparison
from edge_ttvos.quantize.report.page.templating import check_installed
from edge_ttvos.quantize.report.page.writer import write

__all__ = ["check_installed", "write", "write_comparison"]
