"""Numbers and names as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_ttvos.quantize.report.page.reading import Point, Report

UNKNOWN = "—"
MINUS = "−"
METHODS = {
    "float": "float32",
    "ptq": "after training",
    "qat": "trained with rounding",
    "mixed": "mixed precision",
}
AXES = {"weights": "Weights", "activations": "Activations", "state": "State"}
KEPT_AS = {"w16": "16 bits", "float": "float32"}
SETS = {"axes": "One axis at a time", "named": "Named points", "grid": "The grid"}


def number(value: float | None, digits: int = 1) -> str:
    """With so many decimals; a dash where unknown."""
    if value is None:
        return UNKNOWN
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and float(text.replace(",", "")) != 0 else text


def signed(value: float | None, digits: int = 1) -> str:
    """The same with its sign, none for zero."""
    text = number(value, digits)
    zero = value is None or float(f"{value:.{digits}f}") <= 0
    return text if zero else f"+{text}"


def size(count: float | None) -> str:
    """Bytes."""
    if count is None:
        return UNKNOWN
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def duration(seconds: float | None) -> str:
    """Hours and minutes."""
    if seconds is None:
        return UNKNOWN
    minutes = round(seconds / 60)
    if minutes == 0:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def bits(count: int | None) -> str:
    """Of one kind of value."""
    return "float" if count is None else str(count)


def set_title(report: Report, name: str) -> str:
    """A set with its size and number of sequences."""
    about: Mapping[str, Any] = report.sets.get(name) or {}
    sequences = about.get("sequences") or ()
    parts = [SETS.get(name, name)]
    if about.get("size"):
        parts.append(str(about["size"]).replace("x", "×"))
    if sequences:
        parts.append(f"{len(sequences)} sequences" if len(sequences) > 1 else str(sequences[0]))
    return ", ".join(parts)


def name_of(point: Point) -> str:
    """A label that tells a point from the others of its set."""
    if point.is_float:
        return "float32"
    if point.method == "ptq":
        alone = point.calibration == "independent"
        return f"{point.label}, independent frames" if alone else point.label
    return f"{point.label}, {point.method}" if point.method != "qat" else f"{point.label}, QAT"


def about(point: Point) -> tuple[str, ...]:
    """What is said of a point that is pointed at."""
    lines = [
        f"J&F {number(point.j_and_f)} · J {number(point.j)} · F {number(point.f)}",
        *loss_line(point),
        f"{size(point.size_bytes)} · {bit_operations(point)} · {speed(point)}",
        "simulated: no engine ran it" if point.simulated else "scored by the engine that runs it",
    ]
    if point.deployable:
        lines.append(f"runs on {', '.join(point.deployable)}")
    return tuple(lines)


def brief(recipe: str) -> str:
    """A recipe's own keys, without its tables: what fits beside a mark."""
    return recipe.split("\n[", 1)[0].strip()


def loss_line(point: Point) -> tuple[str, ...]:
    """What it loses against float, with the spread over sequences."""
    if point.loss is None:
        return ()
    spread = "" if point.spread is None else f" ± {number(point.spread)} over sequences"
    return (f"loses {number(point.loss)} points{spread}",)


def bit_operations(point: Point) -> str:
    """MACs × bits × bits, 10⁹."""
    unknown = point.mac_bits is None
    return f"{UNKNOWN} GBOP" if unknown else f"{number((point.mac_bits or 0) / 1e9, 0)} GBOP"


def speed(point: Point) -> str:
    """Latency with who measured it."""
    if (took := point.latency) is None:
        return "speed not measured"
    threads = "" if took.threads is None else f", {took.threads} threads"
    return f"{number(took.p50)} ms ({took.engine or 'engine unknown'}{threads})"
