"""compare.json → compare.html: two models side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_ttvos.errors import QuantizationError
from edge_ttvos.files import write_bytes
from edge_ttvos.quantize.report.page.reading import check_plain, pick
from edge_ttvos.quantize.report.page.templating import check_installed, render

PAGE = "compare.html"
SIDES = ("a", "b")


@dataclass(frozen=True)
class Pair:
    """One point of both; ``difference`` is B's J&F less A's, ``spread`` its standard error."""

    id: str
    a: float | None = None
    b: float | None = None
    difference: float | None = None
    spread: float | None = None
    exceeds: bool = False
    sequences: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """The whole record."""

    a: Mapping[str, Any] = field(default_factory=dict)
    b: Mapping[str, Any] = field(default_factory=dict)
    points: tuple[Pair, ...] = ()
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True)
class Bar:
    """Where a difference and its spread lie, in percent of a track with zero in its middle."""

    left: float
    width: float
    low: float
    reach: float


def write_comparison(record: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """Write the page.

    Raises:
        QuantizationError: a record of another schema, or that does not fit it.
        OutputError: a library is missing, or the file cannot be written.
    """
    check_installed()
    comparison = _read(record)
    html = render(
        PAGE,
        comparison=comparison,
        names=_names(comparison),
        facts=_facts(comparison),
        bars=_bars(comparison.points),
        data={"charts": {}},
    )
    write_bytes(folder / PAGE, html.encode("utf-8", "backslashreplace"))
    return (folder / PAGE,)


def _read(record: Mapping[str, Any]) -> Comparison:
    check_plain(record, "compare.json")
    try:
        pairs = [pick(Pair, p, f"points[{n}]: ") for n, p in enumerate(record.get("points") or ())]
        return pick(Comparison, {**record, "points": pairs}, "")
    except (AttributeError, TypeError, ValueError) as error:
        raise QuantizationError(f"compare.json does not fit its schema: {error}") from error


def _names(comparison: Comparison) -> dict[str, str]:
    """What the two are called; the commit too where the models are called alike."""
    sides = {side: getattr(comparison, side) for side in SIDES}
    found = {side: _look_up(about, "name") or side.upper() for side, about in sides.items()}
    if found["a"] == found["b"]:
        commits = {side: _look_up(about, "commit")[:10] for side, about in sides.items()}
        return {side: f"{found[side]} {commits[side]}".strip() for side in SIDES}
    return found


def _look_up(about: Mapping[str, Any], key: str) -> str:
    """A model's or a protocol's value."""
    for table in (about.get("model"), about, about.get("protocol")):
        if isinstance(table, Mapping) and table.get(key) is not None:
            return str(table[key])
    return ""


def _facts(comparison: Comparison) -> dict[str, tuple[Any, Any]]:
    """Both sides' protocol and model, key by key."""
    a, b = (_flat(getattr(comparison, side)) for side in SIDES)
    return {key: (a.get(key), b.get(key)) for key in dict.fromkeys((*a, *b))}


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        flat |= _flat(value, f"{name}: ") if isinstance(value, Mapping) else {name: value}
    return flat


def _bars(points: tuple[Pair, ...]) -> dict[str, Bar]:
    """By point; the furthest end of all touches the edge."""
    known = {p.id: (p.difference, p.spread or 0.0) for p in points if p.difference is not None}
    most = max((abs(d) + spread for d, spread in known.values()), default=0.0) or 1.0

    def bar(difference: float, spread: float) -> Bar:
        at, half = 50 * difference / most, 50 * spread / most
        return Bar(50 + min(at, 0), abs(at), 50 + at - half, 2 * half)

    return {name: bar(*values) for name, values in known.items()}
