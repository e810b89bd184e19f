"""The record's points and sensitivities as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_ttvos.files import write_bytes

POINTS, SENSITIVITY = "points.csv", "sensitivity.csv"

POINT_COLUMNS = (
    *("id", "set", "label", "method", "calibration", "axis", "weights", "activations", "state"),
    *("simulated", "J&F", "J", "F", "J&F_loss", "spread"),
    *("drift_first_quarter", "drift_last_quarter", "drift_change"),
    *("size_bytes", "mac_bits", "latency_p50_ms", "latency_p95_ms", "deployable", "seconds"),
)
ITEM_COLUMNS = ("item", "kind", "graph", "bits", "J&F_loss", "cosine", "sqnr_db", "macs")


def write_tables(record: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """Write points.csv and sensitivity.csv; unknown cells are empty.

    Raises:
        OutputError: they cannot be written.
    """
    rows = [_point(point) for point in record["points"]]
    _write(folder / POINTS, POINT_COLUMNS, rows)
    _write(folder / SENSITIVITY, ITEM_COLUMNS, record["sensitivity"])
    return folder / POINTS, folder / SENSITIVITY


def _point(point: Mapping[str, Any]) -> dict[str, Any]:
    drift, latency = point["drift"] or {}, point["latency_ms"] or {}
    return {
        **{key: point.get(key) for key in POINT_COLUMNS},
        **{axis: "float" if bits is None else bits for axis, bits in point["bits"].items()},
        **{f"drift_{key}": value for key, value in drift.items()},
        "latency_p50_ms": latency.get("p50"),
        "latency_p95_ms": latency.get("p95"),
        "deployable": " ".join(point["deployable"]),
    }


def _write(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_bytes(path, text.getvalue().encode())
