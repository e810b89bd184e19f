"""What each measure is worth in points of J&F: of pairs of points that differ in it alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_ttvos.quantize.report.study import BASE

Row = dict[str, Any]

KINDS = {
    "rolled_out": "calibration on rolled-out states, against frames that start anew",
    "float_template": "a float template, against one of 8 bits",
    "qat": "quantization-aware training, against none",
}


def worth(points: Sequence[Row]) -> Row:
    """``rolled_out``, ``float_template``, ``qat`` (null where a point is lacking) and ``words``."""
    pairs = {name: find(name, points) for name in KINDS}
    gains = {name: None if pair is None else gain(*pair) for name, pair in pairs.items()}
    words = [_words(name, pairs[name], gains[name]) for name in KINDS]
    return {
        **{name: None if found is None else round(found[0], 3) for name, found in gains.items()},
        "words": " ".join(word for word in words if word),
    }


def find(name: str, points: Sequence[Row]) -> tuple[Row, Row] | None:
    """The point with a measure and the one without; at the full size, or else on the axes."""
    for set_ in ("named", "axes"):
        here = {row["id"]: row for row in points if row["set"] == set_}
        ours, without = f"{set_}/{BASE}", ""
        if name == "rolled_out":
            without = f"{ours}-independent"
        elif name == "float_template":
            without = f"{set_}/w8a8s8"
        else:
            trained = [row for row in here.values() if row["method"] == "qat"]
            ours = next((r["id"] for r in trained if f"{set_}/{r['label']}" in here), "")
            without = f"{set_}/{here[ours]['label']}" if ours else ""
        if ours in here and without in here:
            return here[ours], here[without]
    return None


def gain(ours: Row, without: Row) -> tuple[float, float]:
    """Points of J&F, and the standard error of its mean over sequences."""
    apart = differences(ours, without)
    error = float(np.std(apart, ddof=1) / np.sqrt(len(apart))) if len(apart) > 1 else 0.0
    return ours["J&F"] - without["J&F"], error


def differences(a: Row, b: Row) -> list[float]:
    """J&F of a less that of b, by the sequences of both."""
    both = [name for name in a["sequences"] if name in b["sequences"]]
    pairs = [(a["sequences"][name]["J&F"], b["sequences"][name]["J&F"]) for name in both]
    return [ours - theirs for ours, theirs in pairs if None not in (ours, theirs)]


def _words(name: str, pair: tuple[Row, Row] | None, found: tuple[float, float] | None) -> str:
    if pair is None or found is None:
        return ""
    value, error = found
    count = len(differences(*pair))
    what = KINDS[name][0].upper() + KINDS[name][1:]
    verdict = "" if abs(value) > error else ", which is within the spread"
    return (
        f"{what}: {value:+.2f} points of J&F ({pair[0]['id']}, {count} sequences, standard error "
        f"{error:.2f}{verdict})."
    )
