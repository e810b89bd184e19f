"""report.json as typed records: what is missing or unknown is None, what is new is left aside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from edge_ttvos.errors import QuantizationError
from edge_ttvos.records import build, shortened

SCHEMA = 1

Read = TypeVar("Read")


@dataclass(frozen=True)
class Scores:
    """One sequence's scores at one point, in percent; J by frame number."""

    j_and_f: float | None = field(default=None, metadata={"key": "J&F"})
    j: float | None = field(default=None, metadata={"key": "J"})
    f: float | None = field(default=None, metadata={"key": "F"})
    j_by_frame: tuple[float | None, ...] = field(default=(), metadata={"key": "J_by_frame"})
    frames: tuple[int, ...] = ()


@dataclass(frozen=True)
class Drift:
    """J(float) − J(point) in the first and the last quarter of the frames: positive is worse."""

    first_quarter: float | None = None
    last_quarter: float | None = None
    change: float | None = None


@dataclass(frozen=True)
class Latency:
    """Milliseconds a frame, where it was measured."""

    p50: float
    p95: float | None = None
    engine: str = ""
    threads: int | None = None


@dataclass(frozen=True)
class Point:
    """One way to quantize, and what it scores."""

    id: str
    set: str
    label: str
    axis: str | None = None
    bits: Mapping[str, int | None] = field(default_factory=dict)
    method: str = "ptq"
    calibration: str | None = None
    simulated: bool = True
    deployable: tuple[str, ...] = ()
    j_and_f: float | None = field(default=None, metadata={"key": "J&F"})
    j: float | None = field(default=None, metadata={"key": "J"})
    f: float | None = field(default=None, metadata={"key": "F"})
    loss: float | None = field(default=None, metadata={"key": "J&F_loss"})
    spread: float | None = None
    sequences: Mapping[str, Scores] = field(default_factory=dict)
    drift: Drift | None = None
    size_bytes: float | None = None
    mac_bits: float | None = None
    latency: Latency | None = field(default=None, metadata={"key": "latency_ms"})
    recipe: str = ""

    @property
    def is_float(self) -> bool:
        """Whether nothing is quantized."""
        return self.method == "float"


@dataclass(frozen=True)
class Sensitive:
    """What one layer or state buffer loses when it alone is quantized."""

    item: str
    kind: str = "layer"
    graph: str = ""
    bits: int | None = None
    loss: float | None = field(default=None, metadata={"key": "J&F_loss"})
    cosine: float | None = None
    sqnr_db: float | None = None
    macs: float | None = None


@dataclass(frozen=True)
class Kept:
    """A layer that stays finer than the rest."""

    layer: str
    kept_as: str = field(default="", metadata={"key": "as"})


@dataclass(frozen=True)
class Mixed:
    """The fewest layers kept finer that hold a drop in J&F."""

    max_drop: float | None = None
    loss: float | None = field(default=None, metadata={"key": "J&F_loss"})
    kept: tuple[Kept, ...] = ()
    recipe: str = ""
    tried: int | None = None
    reached: bool = False
    simulated: bool = False
    sequences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stall:
    """The running average at one precision of the state, by number of updates."""

    state_bits: int | None = None
    stalls: bool = False
    stall_update: int | None = None
    moved: tuple[float | None, ...] = ()
    distance: tuple[float | None, ...] = ()
    loss: float | None = field(default=None, metadata={"key": "J&F_loss"})


@dataclass(frozen=True)
class Worth:
    """Points of J&F that each gains."""

    rolled_out: float | None = None
    float_template: float | None = None
    qat: float | None = None
    words: str = ""


@dataclass(frozen=True)
class Strip:
    """Paths of pictures of one frame, relative to the report's folder."""

    point: str
    sequence: str
    frame: int | None = None
    j_float: float | None = field(default=None, metadata={"key": "J_float"})
    j_point: float | None = field(default=None, metadata={"key": "J_point"})
    with_float: str | None = field(default=None, metadata={"key": "float"})
    low: str | None = None
    frame_image: str | None = None


@dataclass(frozen=True)
class Report:
    """The whole record."""

    complete: bool = False
    reason: str | None = None
    protocol: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    workers: int | None = None
    sets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    points: tuple[Point, ...] = ()
    sensitivity: tuple[Sensitive, ...] = ()
    sensitivity_protocol: Mapping[str, Any] = field(default_factory=dict)
    mixed: Mixed | None = None
    stall: tuple[Stall, ...] = ()
    stall_words: str = ""
    worth: Worth | None = None
    strips: tuple[Strip, ...] = ()

    def of_set(self, name: str) -> tuple[Point, ...]:
        """The points of a set, float first."""
        mine = [point for point in self.points if point.set == name]
        return tuple(sorted(mine, key=lambda point: not point.is_float))

    @property
    def set_names(self) -> tuple[str, ...]:
        """Sets that have points, the named points first: they are the ones to choose from."""
        return tuple(sorted({p.set for p in self.points}, key=lambda name: (name != "named", name)))


def check_plain(record: Mapping[str, Any], what: str) -> None:
    """That a record is of this schema and plain JSON, without NaN.

    Raises:
        QuantizationError: it is not.
    """
    if record.get("schema") != SCHEMA:
        raise QuantizationError(
            f"{what} must have schema {SCHEMA}; got {shortened(record.get('schema'))}. "
            "Make the report anew with this version."
        )
    try:
        json.dumps(record, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise QuantizationError(f"{what} must be JSON with null for unknown: {error}") from error


def read(record: Mapping[str, Any]) -> Report:
    """report.json, typed.

    Raises:
        QuantizationError: another schema, NaN, or a value of another kind than the schema's.
    """
    check_plain(record, "report.json")
    parts = {name: record[name] for name in record if record[name] is not None}
    if "why" in parts:  # as older reports say it
        parts.setdefault("reason", parts["why"])
    try:
        parts["points"] = [_point(table, n) for n, table in enumerate(parts.get("points", ()))]
        for name, kind in (("sensitivity", Sensitive), ("stall", Stall), ("strips", Strip)):
            parts[name] = [
                pick(kind, table, f"{name}[{n}]: ") for n, table in enumerate(parts.get(name, ()))
            ]
        if "worth" in parts:
            parts["worth"] = pick(Worth, parts["worth"], "worth: ")
        if "mixed" in parts:
            kept = [pick(Kept, table, "mixed: ") for table in parts["mixed"].get("kept") or ()]
            parts["mixed"] = pick(Mixed, {**parts["mixed"], "kept": kept}, "mixed: ")
        return pick(Report, parts, "")
    except (AttributeError, TypeError, ValueError) as error:
        raise QuantizationError(f"report.json does not fit its schema: {error}") from error


def _point(table: Mapping[str, Any], number: int) -> Point:
    where = f"points[{number}]: "
    scores = (table.get("sequences") or {}).items()
    nested: dict[str, Any] = {"sequences": {name: pick(Scores, s, where) for name, s in scores}}
    for key, kind in (("drift", Drift), ("latency_ms", Latency)):
        if table.get(key) is not None:
            nested[key] = pick(kind, table[key], where)
    return pick(Point, {**table, **nested}, where)


def pick(kind: type[Read], table: Mapping[str, Any], where: str) -> Read:
    """A record of the keys that it knows; null stands for its default.

    Raises:
        ValueError: a missing key, or a value of another kind.
    """
    known = {str(f.metadata.get("key", f.name)) for f in fields(kind)}  # type: ignore[arg-type]
    held = {key: value for key, value in table.items() if key in known and value is not None}
    return build(kind, held, where)
