"""What ``report`` shows of its record, and its other half: two reports side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.host import host_modules
from edge_ttvos.firmware_bridge.output import prepare_folder

RECORD = "report.json"
COMPARISON = ("compare.json", "compare.html")

LIBRARY = (
    *("network.checkpoint", "quantize.recipe"),
    *(f"quantize.report.{n}" for n in ("order", "plan", "study", "pool", "store", "bench", "run")),
    *(f"quantize.report.{n}" for n in ("assembly", "tables", "compare", "page")),
)


def host_library() -> dict[str, Any]:
    """The host's part, by name.

    Raises:
        EngineError: it is not installed.
    """
    return dict(zip(LIBRARY, host_modules("a report", *LIBRARY, extra="host,report"), strict=True))


def compare(a: Path, b: Path, out: Path, overwrite: bool, show: Screen) -> None:
    """Two reports side by side; leaves compare.json and compare.html in ``out``."""
    parts = host_library()
    comparing = parts["quantize.report.compare"]
    result = comparing.compare(comparing.read_report(a), comparing.read_report(b))
    prepare_folder(out, COMPARISON, overwrite, keep=(a / RECORD, b / RECORD))
    parts["quantize.report.page"].write_comparison(result, out)
    show.result(result, out / COMPARISON[0])
    rows = [
        (p["id"], *(f"{p[key]:.2f}" for key in ("a", "b", "difference", "spread")), _mark(p))
        for p in result["points"]
    ]
    show.table("J&F, percent", ("point", "A", "B", "B − A", "spread", "exceeds it"), rows)
    show.say(result["words"])


def show_points(record: dict[str, Any], show: Screen) -> None:
    """The points, and the answers in words."""
    rows = []
    for point in record["points"]:
        loss, spread, latency = point["J&F_loss"], point["spread"], point["latency_ms"]
        rows.append(
            (
                point["id"],
                f"{point['J&F']:.1f}",
                "—" if loss is None else f"{loss:.2f}",
                "—" if spread is None else f"{spread:.2f}",
                f"{point['size_bytes'] / 1e6:.2f}",
                "—" if latency is None else f"{latency['p50']:.1f}",
                "simulated" if point["simulated"] else "measured",
            )
        )
    columns = ("point", "J&F", "lost", "spread", "MB", "ms", "")
    show.table("accuracy against bit width", columns, rows)
    for words in (record["stall_words"], record["worth"]["words"], _mixed_words(record["mixed"])):
        if words:
            show.say(words)


def _mixed_words(mixed: dict[str, Any] | None) -> str:
    if mixed is None:
        return ""
    kept, drop = len(mixed["kept"]), mixed["max_drop"]
    if not mixed["reached"]:
        return f"No mixed recipe from {mixed['base']} holds a drop of {drop:g} points of J&F."
    layers = "no layer" if not kept else f"{kept} layer{'s' if kept > 1 else ''}"
    return (
        f"Mixed precision: from {mixed['base']}, {layers} must stay exact to lose at most {drop:g} "
        f"points of J&F ({mixed['J&F_loss']:.2f} on the sequences set aside)."
    )


def _mark(point: dict[str, Any]) -> str:
    return "yes" if point["exceeds"] else "no"
