"""Where the running average stops moving: what an update moves, and how far the template is off."""

from __future__ import annotations

from collections.abc import Sequence

from edge_ttvos.quantize.report.page.charts import TEXT, Axis, Chart, Mark, Series, style
from edge_ttvos.quantize.report.page.reading import Report, Stall

STALLED = 1.0  # percent of the entries: fewer that change are a stall
LEAST = 0.01  # percent: fewer are drawn as so many, for want of a logarithm of none
UPDATES = "update (log scale)"


def stall_charts(report: Report) -> tuple[Chart, Chart]:
    """Share of entries that an update moves, and distance to the float template."""
    ordered = in_order(report.stall)
    moved = [
        _series(n, stall, [_percent(value) for value in stall.moved], "moves", " %", LEAST)
        for n, stall in enumerate(ordered)
        if stall.moved
    ]
    distance = [
        _series(n, stall, list(stall.distance), "off by", "")
        for n, stall in enumerate(ordered)
        if stall.state_bits is not None and any(stall.distance)
    ]
    return (
        Chart(
            "stall-moved",
            "Template entries that an update changes",
            Axis(UPDATES, "log"),
            Axis(f"% of entries (log scale; {LEAST:g} or less: at the bottom)", "log"),
            tuple(moved),
            (STALLED, f"below {STALLED:.0f} %: stalled") if moved else None,
        ),
        Chart(
            "stall-distance",
            "Distance to the float template",
            Axis(UPDATES, "log"),
            Axis("relative distance (log scale)", "log"),
            tuple(distance),
        ),
    )


def in_order(stalls: Sequence[Stall]) -> tuple[Stall, ...]:
    """Fewest bits first, float last."""
    return tuple(sorted(stalls, key=lambda s: (s.state_bits is None, s.state_bits or 0)))


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _series(
    order: int,
    stall: Stall,
    values: list[float | None],
    what: str,
    unit: str,
    least: float = 0.0,
) -> Series:
    name = "float" if stall.state_bits is None else f"{stall.state_bits} bits"
    colour, shape, dash = style(order)
    if stall.state_bits is None:
        colour, dash = TEXT, "solid"
    marks = tuple(
        Mark(
            update,
            max(value, least),
            f"state {name}",
            (f"update {update}: {what} {value:.3g}{unit}",),
        )
        for update, value in enumerate(values, start=1)
        if value is not None
    )
    return Series(name, marks, colour, shape, dash)
