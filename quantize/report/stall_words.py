"""The stall's rows of the record and their words: at what precision, after how many, what cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edge_ttvos.quantize.report.points import STATE
from edge_ttvos.quantize.report.stall import STILL, stalls_after

Row = dict[str, Any]


def stall_rows(result: Mapping[str, Any], points: Sequence[Row]) -> list[Row]:
    """One a precision, fewest bits first; J&F lost against the same model with a float template."""
    scores = {p["bits"]["state"]: p["J&F"] for p in points if _is_plain(p)}
    rows = []
    for bits in STATE:
        traces = result["templates"]["float" if bits is None else str(bits)]
        after = stalls_after(traces["moved"])
        known = bits in scores and None in scores
        rows.append(
            {
                "state_bits": bits,
                "stalls": after is not None,
                "stall_update": after,
                **traces,
                "J&F_loss": round(scores[None] - scores[bits], 3) if known else None,
            }
        )
    return rows


def _is_plain(point: Row) -> bool:
    """On the axis of state, its float end included."""
    bits = point["bits"]
    eight = (bits["weights"], bits["activations"]) == (8, 8)
    return eight and point["set"] == "axes" and point["method"] == "ptq"


def stall_words(rows: Sequence[Row], steps: Sequence[float]) -> str:
    """The answer in plain sentences."""
    if not rows:
        return ""
    updates = max(len(row["moved"]) for row in rows)
    coded = [row for row in rows if row["state_bits"] is not None]
    said = [_sentence(row, updates) for row in coded]
    typical = sorted(steps)[len(steps) // 2] if steps else 0.0
    (exact,) = (row for row in rows if row["state_bits"] is None)
    alive = float(np.mean(exact["moved"])) if exact["moved"] else 0.0
    return (
        f"{_verdict(coded)} {' '.join(said)} An update goes {100 * typical:.1f} % of the way to "
        f"the frame's news (median); where the template is float it changes {alive:.0%} of the "
        "entries, the others stay as they are. Stalled means: from there on, fewer than "
        f"{STILL:.0%} of all entries change by an update."
    )


def _verdict(rows: Sequence[Row]) -> str:
    still = [row for row in rows if row["stalls"]]
    if not still:
        return "The running average stalls at no precision that was tried."
    most = max(row["state_bits"] for row in still)
    known = [row["J&F_loss"] for row in still if row["J&F_loss"] is not None]
    cost = f", which costs at most {max(known):.2f} points of J&F" if known else ""
    return f"The running average stalls at {most} bits and fewer{cost}."


def _sentence(row: Row, updates: int) -> str:
    bits, after = row["state_bits"], row["stall_update"]
    if after is None:
        last = row["moved"][-1] if row["moved"] else 0.0
        begun = f"With {bits} bits the average does not stall within {updates} updates"
        begun += f" (the last still moves {last:.0%} of the entries)"
    elif after <= 1:
        begun = f"With {bits} bits the average stalls from the first update on"
    else:
        begun = f"With {bits} bits the average stalls after {after} updates"
    gap = f"it ends {100 * row['distance'][-1]:.1f} % away from the float template"
    loss = row["J&F_loss"]
    cost = "" if loss is None else f", and costs {loss:.2f} points of J&F"
    return f"{begun}; {gap}{cost}."
