"""report.json: what the tasks gave, compared with float; nothing here computes a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edge_ttvos.evaluation.statistics import quarter_edges
from edge_ttvos.quantize.report.scoring import Score
from edge_ttvos.quantize.report.task import Result

Row = dict[str, Any]


def measured(scores: Mapping[str, tuple[Score, Result]]) -> list[Row]:
    """Points of the record that are finished, without latency; float first in each set."""
    rows = [_row(score, kept) for score, kept in scores.values()]
    floats = {row["set"]: row for row in rows if row["method"] == "float"}
    for row in rows:
        against = floats.get(row["set"])
        row |= compared(row, against if row["method"] != "float" else None)
    order = {"axes": 0, "named": 1, "grid": 2}
    return sorted(rows, key=lambda row: (order[row["set"]], row["method"] != "float"))


def _row(score: Score, kept: Result) -> Row:
    point, recipe = score.point, score.point.recipe
    bits: dict[str, int | None] = {"weights": None, "activations": None, "state": None}
    if recipe is not None:
        bits = {
            "weights": recipe.weights,
            "activations": recipe.activations,
            "state": recipe.state,
        }
    return {
        "id": point.id,
        "set": point.set,
        "label": point.label,
        "axis": point.axis,
        "bits": bits,
        "method": point.method,
        "calibration": point.calibration,
        "simulated": point.simulated,
        "deployable": list(point.deployable),
        **kept["result"],
        "latency_ms": None,
        "seconds": kept["seconds"],
        "commit": kept["commit"],
    }


def compared(row: Row, exact: Row | None) -> Row:
    """``J&F_loss``, ``spread`` and ``drift`` of a point against float on the same sequences."""
    if exact is None:
        return {"J&F_loss": None, "spread": None, "drift": None}
    names = [name for name in row["sequences"] if name in exact["sequences"]]
    pairs = [(exact["sequences"][name], row["sequences"][name]) for name in names]
    losses = [a["J&F"] - b["J&F"] for a, b in pairs if a["J&F"] is not None]
    drifts = [_drift(a["J_by_frame"], b["J_by_frame"]) for a, b in pairs if a["J_by_frame"]]
    first, last = (round(float(np.mean(side)), 3) for side in zip(*drifts, strict=True))
    return {
        "J&F_loss": round(exact["J&F"] - row["J&F"], 3),
        "spread": round(float(np.std(losses)), 3),
        "drift": {
            "first_quarter": first,
            "last_quarter": last,
            "change": round(last - first, 3),
        },
    }


def _drift(exact: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Mean J(float) − J(point) over the first and the last quarter, with the benchmark's edges."""
    gap = np.asarray(exact) - np.asarray(other)
    edges = quarter_edges(len(gap))
    first, last = gap[edges[0] : edges[1] + 1], gap[edges[-2] : edges[-1] + 1]
    return float(first.mean()), float(last.mean())
