"""The report in words that need no explanation, and four figures."""

from __future__ import annotations

from dataclasses import dataclass

from edge_ttvos.quantize.report.page.curves import along, base_of
from edge_ttvos.quantize.report.page.reading import Point, Report
from edge_ttvos.quantize.report.page.stall import in_order
from edge_ttvos.quantize.report.page.wording import AXES, UNKNOWN, number, set_title, size

NEAR = 1.0  # points of J&F that count as kept
EVEN = 0.05  # points that one decimal doesn't show


@dataclass(frozen=True)
class Tile:
    """A figure, what it is, and what stands below it."""

    title: str
    figure: str
    note: str
    simulated: bool = False


@dataclass(frozen=True)
class Summary:
    """What stands at the top."""

    headline: str
    tiles: tuple[Tile, ...]
    answers: tuple[Tile, ...]
    sentences: tuple[str, ...]


def summarize(report: Report) -> Summary:
    """Of the named points, or of the axes where there are none."""
    name = next(iter(report.set_names), "named")
    points = report.of_set(name)
    quiet = next((point for point in points if point.is_float), None)
    eight = eight_bits(points)
    return Summary(
        _headline(eight),
        (_accuracy(quiet, eight), _cost(eight), _bytes(quiet, eight), _time(quiet, eight)),
        tuple(answer for axis in AXES if (answer := _answer(report, axis))),
        tuple(s for s in (_where(report, name, eight), _stall(report), _simulated(report)) if s),
    )


def eight_bits(points: tuple[Point, ...]) -> Point | None:
    """The plain 8-bit point, not trained, calibrated rolled out if both are there."""
    plain = [point for point in points if point.method == "ptq"]
    rolled_out = [point for point in plain if point.calibration != "independent"]
    return base_of(rolled_out) or base_of(plain)


def _headline(eight: Point | None) -> str:
    if eight is None or eight.loss is None:
        return "How many bits does this tracker need?"
    error = (eight.spread or 0) / max(1, len(eight.sequences)) ** 0.5  # standard, of the mean
    if abs(eight.loss) < max(EVEN, error):
        return "Eight bits cost nothing measurable"
    if eight.loss < 0:
        return f"Eight bits score {number(-eight.loss)} points of J&F above float32"
    return f"Eight bits cost {number(eight.loss)} points of J&F"


def _accuracy(quiet: Point | None, eight: Point | None) -> Tile:
    return Tile(
        "Accuracy with 8 bits",
        number(eight.j_and_f if eight else None),
        f"J&F in percent; float32 has {number(quiet.j_and_f if quiet else None)}",
        bool(eight and eight.simulated),
    )


def _cost(eight: Point | None) -> Tile:
    loss, spread = (eight.loss, eight.spread) if eight else (None, None)
    return Tile(
        "Lost to rounding",
        number(loss),
        f"points of J&F, ± {number(spread)} from sequence to sequence",
        bool(eight and eight.simulated),
    )


def _bytes(quiet: Point | None, eight: Point | None) -> Tile:
    ours, full = (p.size_bytes if p else None for p in (eight, quiet))
    share = f": {number(100 * ours / full, 0)} % of it" if ours and full else ""
    return Tile("Size of the weights", size(ours), f"float32 takes {size(full)}{share}")


def _time(quiet: Point | None, eight: Point | None) -> Tile:
    """With a ratio only of what the same engine with as many threads took."""
    ours, full = (p.latency if p else None for p in (eight, quiet))
    if eight is None or ours is None:
        return Tile("Time for a frame", UNKNOWN, "not measured in this report")
    threads = "" if ours.threads is None else f", {ours.threads} threads"
    note = f"p50, {ours.engine}{threads}"
    if full is not None:
        alike = (full.engine, full.threads) == (ours.engine, ours.threads)
        times = f", {full.p50 / ours.p50:.1f} times as long" if ours.p50 else ""
        note += f"; float32 {number(full.p50)} ms"
        note += times if alike else f" ({full.engine}: not comparable)"
    return Tile("Time for a frame", f"{number(ours.p50)} ms", note)


def _where(report: Report, name: str, eight: Point | None) -> str:
    if eight is None:
        return "There is no 8-bit point yet."
    return f"The figures above: {set_title(report, name)}, {eight.label}."


def _answer(report: Report, axis: str) -> Tile | None:
    """How few bits keep the score of the most that were tried, and what the next step down costs.

    Only with the base among them: what a few chosen points lack is not known to be needed.
    """
    points = [point for point in along(report, axis) if point.loss is not None]
    if len(points) < 2 or base_of(points) is None:
        return None
    kept = widest = points[-1]
    fewer = "fewer were not tried"
    for point in reversed(points[:-1]):
        lost = (point.loss or 0) - (widest.loss or 0)
        if lost > NEAR:
            fewer = f"{_width(point, axis)} {_lose(lost)}"
            break
        kept = point
    note = f"against {_width(widest, axis)}"
    if kept is not widest:
        note = f"{_lose((kept.loss or 0) - (widest.loss or 0))} {note}; {fewer}"
    else:
        note = f"{fewer} {note}"
    title = f"{AXES[axis]} need{'s' if axis == 'state' else ''}"
    return Tile(title, _width(kept, axis), note, kept.simulated)


def _width(point: Point, axis: str) -> str:
    return _state(point.bits.get(axis))


def _lose(points: float) -> str:
    if abs(points) < EVEN:
        return "lose nothing"
    return f"{'lose' if points > 0 else 'gain'} {number(abs(points))} points"


def _stall(report: Report) -> str:
    """From how many bits on the state keeps moving."""
    rows = in_order(report.stall)
    stalled = [stall for stall in rows if stall.stalls]
    moving = [_state(stall.state_bits) for stall in rows if not stall.stalls]
    if not rows:
        return ""
    keeps = f"it keeps moving with {', '.join(moving)}" if moving else "none keeps moving"
    if not stalled:
        return f"The state's running average stalls at no precision that was tried: {keeps}."
    told = ", ".join(f"{_state(stall.state_bits)} {_when(stall.stall_update)}" for stall in stalled)
    lost = [stall.loss for stall in stalled if stall.loss is not None]
    cost = f" The most that a stall costs: {number(max(lost))} points of J&F." if lost else ""
    return f"The state's running average stalls with {told}; {keeps}.{cost}"


def _when(update: int | None) -> str:
    if update is None:
        return "at some time"
    return "at once" if update <= 1 else f"after {update} updates"


def _state(bits: int | None) -> str:
    return "float" if bits is None else f"{bits} bits"


def _simulated(report: Report) -> str:
    count = sum(point.simulated for point in report.points)
    if not report.points:
        return "No point is finished yet."
    if not count:
        return "Every point was scored by the engine that runs it."
    return (
        f"{count} of {len(report.points)} points are simulated: computed with the codes' own "
        "arithmetic, but run by no engine. They are marked wherever they appear."
    )
