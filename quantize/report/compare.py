"""Two reports side by side, and which of their differences exceed the spread."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_ttvos.errors import InputError
from edge_ttvos.firmware_bridge.protocol import bare_protocol
from edge_ttvos.quantize.report.worth import differences, gain

FILE = "report.json"
NEEDED = ("protocol", "model", "sets", "points")


def read_report(folder: Path) -> dict[str, Any]:
    """The report.json of a folder.

    Raises:
        InputError: there is none, or it is no report of this schema.
    """
    path = folder / FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder} holds no readable {FILE} ({error}): give the --out folder of "
            "`edge-ttvos report`"
        ) from error
    if not isinstance(record, dict) or record.get("schema") != 1:
        raise InputError(f"{path} must be a report of schema 1; make it again with this version")
    if lacking := [key for key in NEEDED if key not in record]:
        raise InputError(f"{path} lacks {', '.join(lacking)}: the report failed before it began")
    return record


def compare(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """compare.json: every point of both, on the sequences of both.

    ``spread`` is the standard error of the mean difference over sequences; a difference exceeds it
    where it is more than twice as large.

    Raises:
        InputError: the two have no point in common, or were made at different sizes.
    """
    for name, part in a["sets"].items():
        if (other := b["sets"].get(name, part)["size"]) != part["size"]:
            raise InputError(
                f"the reports' {name} points were scored at {part['size']} and at {other}: what "
                "differs in size says nothing of the models. Make both with the same sizes"
            )
    ours, theirs = ({point["id"]: point for point in record["points"]} for record in (a, b))
    common = [name for name in ours if name in theirs and differences(theirs[name], ours[name])]
    if not common:
        raise InputError(
            "the two reports have no point in common with a sequence in common: make both with the "
            "same --bits, --sequences and sizes"
        )
    points = [_row(name, ours[name], theirs[name]) for name in common]
    return {
        "schema": 1,
        "complete": True,
        "protocol": bare_protocol(),
        "a": {"model": a["model"], "protocol": a["protocol"]},
        "b": {"model": b["model"], "protocol": b["protocol"]},
        "points": points,
        "only_a": [name for name in ours if name not in common],
        "only_b": [name for name in theirs if name not in common],
        "words": _words(points),
    }


def _row(name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    _, error = gain(dict(theirs), dict(ours))
    both = [key for key in ours["sequences"] if key in theirs["sequences"]]
    apart = differences(dict(theirs), dict(ours))
    difference = sum(apart) / len(apart)
    return {
        "id": name,
        "a": ours["J&F"],
        "b": theirs["J&F"],
        "difference": round(difference, 3),
        "spread": round(error, 3),
        # a single sequence has no spread; what rounding hides is no difference
        "exceeds": len(apart) > 1 and abs(difference) > max(2 * error, 0.005),
        "sequences": {
            key: {"a": ours["sequences"][key]["J&F"], "b": theirs["sequences"][key]["J&F"]}
            for key in both
        },
    }


def _words(points: list[dict[str, Any]]) -> str:
    told = [point for point in points if point["exceeds"]]
    if not told:
        return (
            f"None of {len(points)} differences exceeds twice its standard error over sequences: "
            "the two cannot be told apart."
        )
    worst = max(told, key=lambda point: abs(point["difference"]))
    better = "B" if worst["difference"] > 0 else "A"
    return (
        f"{len(told)} of {len(points)} differences exceed twice their standard error over "
        f"sequences; the greatest is {worst['id']}, where {better} is better by "
        f"{abs(worst['difference']):.2f} points of J&F."
    )
