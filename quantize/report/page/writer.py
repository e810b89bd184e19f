"""report.json and its strips → report.html and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_ttvos.files import write_bytes
from edge_ttvos.quantize.report.page.charts import Chart
from edge_ttvos.quantize.report.page.curves import curves
from edge_ttvos.quantize.report.page.drift import drift
from edge_ttvos.quantize.report.page.embedding import picture
from edge_ttvos.quantize.report.page.figures import TOP, write_figures
from edge_ttvos.quantize.report.page.pareto import pareto
from edge_ttvos.quantize.report.page.reading import Report, Strip, read
from edge_ttvos.quantize.report.page.stall import in_order, stall_charts
from edge_ttvos.quantize.report.page.summary import eight_bits, summarize
from edge_ttvos.quantize.report.page.tables import sequence_rows
from edge_ttvos.quantize.report.page.templating import check_installed, render

PAGE = "report.html"


def write(record: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """Write the page and its figures.

    Args:
        record: report.json; an unfinished one too.
        folder: of the report; the pictures that ``strips`` names lie below it.

    Returns:
        The page, then the figures.

    Raises:
        QuantizationError: a record of another schema, or that does not fit it.
        OutputError: a library is missing, or a file cannot be written.
    """
    check_installed()
    report = read(record)
    html = html_of(report, folder)
    figures = write_figures(report, folder)
    write_bytes(folder / PAGE, html.encode("utf-8", "backslashreplace"))
    return (folder / PAGE, *figures)


def html_of(report: Report, folder: Path) -> str:
    """The page, with the pictures that lie in the folder."""
    fronts = {name: pareto(report, name) for name in report.set_names}
    bits, stall = curves(report), stall_charts(report)
    charts = [*(chart for pair in fronts.values() for chart in pair), *bits, *stall]
    return render(
        PAGE,
        report=report,
        summary=summarize(report),
        charts={"pareto": fronts, "bits": bits, "stall": stall},
        top=TOP,
        stalls=in_order(report.stall),
        chosen=_chosen(report),
        rows=sequence_rows(report),
        by_id={point.id: point for point in report.points},
        strips=[_strip(strip, folder) for strip in report.strips],
        data={"charts": chart_table(charts), "drift": drift(report)},
    )


def chart_table(charts: list[Chart]) -> dict[str, Any]:
    """Charts by name, as plain data for the page's script."""
    return {chart.name: asdict(chart) for chart in charts}


def _chosen(report: Report) -> str | None:
    """The point whose sequences are listed first."""
    for name in report.set_names:
        points = report.of_set(name)
        if points:
            return (eight_bits(points) or points[0]).id
    return None


def _strip(strip: Strip, folder: Path) -> dict[str, Any]:
    """With its pictures."""
    pictures = {
        key: picture(folder, getattr(strip, key)) for key in ("frame_image", "with_float", "low")
    }
    return {"about": strip, **pictures}
