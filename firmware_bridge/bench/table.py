"""bench.json as tables for people; a throttled run says so in every title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_ttvos.firmware_bridge.bench.config import Listener

MIB = 2**20
PEER_COLUMNS = ("", "frames/s", "ours ÷ this", "model only", "J&F", "box IoU")

Row = tuple[str, ...]


def title(record: Mapping[str, Any]) -> str:
    """What was measured, where; THROTTLED first where the machine was held back."""
    p = record["protocol"]
    causes = ", ".join(record["condition"]["throttled_by"])
    mark = f"THROTTLED ({causes}): " if record["throttled"] else ""
    return (
        f"{mark}{p['model']} ({p['precision']}) at {p['resolution']} on {p['engine']} "
        f"{p['engine_version']}, threads: {p['threads']}, {p['device']}"
    )


def show(record: Mapping[str, Any], listener: Listener) -> None:
    """All tables, and what was counted."""
    name = title(record)
    listener.table(name, ("", "", "unit"), summary(record))
    listener.table("milliseconds a frame", ("stage", "mean", "p50", "p95", "p99"), stages(record))
    columns = ("sequence", "J&F", "float", "loss")
    listener.table("J&F, percent", columns, accuracy(record), total=True)
    if record["peers"]:
        listener.table(f"{name}: beside others, by turns", PEER_COLUMNS, peers(record))
    for peer, entry in record["peers"].items():
        if "left_out" in entry:
            listener.say(f"{peer} was left out: {entry['left_out']}")
    missing = record["float"]["missing"]
    if record["float"]["source"] and missing:
        listener.say(f"no float figures for {', '.join(missing)}: the loss is over the others")
    listener.say(f"timed: {record['protocol']['timed']}")
    listener.say(f"first frame: {record['protocol']['timed_first_frame']}", verbosity=1)
    if record["peers"]:
        listener.say(f"beside others: {record['protocol']['timed_peers']}", verbosity=1)
    if record["throttled"]:
        listener.say("THROTTLED: the machine was held back, these are not its own figures")


def summary(record: Mapping[str, Any]) -> list[Row]:
    """The figures that people ask for first."""
    fps, latency, memory = record["fps"], record["latency_ms"], record["memory"]
    objects, during = record["objects"] or {}, record["condition"]["during"]
    clock, heat = during["clock_mhz"] or {}, during["temperature_c"] or {}
    return [
        ("end to end", _text(fps["end_to_end"], 2), "frames/s"),
        ("model only", _text(fps["model"], 2), "frames/s"),
        *((f"frame, {p}", _text(latency[p]), "ms") for p in ("p50", "p95", "p99")),
        ("glue", _text(record["glue"]["ms"], 2), "ms"),
        ("glue", _text(record["glue"]["percent"]), "% of the frame"),
        ("each further object", _text(objects.get("further_object_percent")), "% of the first"),
        ("first frame: open", _text(record["first_frame_ms"]["open"]), "ms"),
        ("first frame: start", _text(record["first_frame_ms"]["start"]), "ms"),
        ("arena", _text(memory["arena_bytes"], scale=MIB), "MiB"),
        ("peak memory (RSS)", _text(memory["peak_rss_bytes"], scale=MIB), "MiB"),
        ("J&F", _text(record["J&F"], 2), "%"),
        ("loss against float", _text(record["J&F_loss"], 2), "%"),
        ("clock, least", _text(clock.get("min"), 0), "MHz"),
        ("temperature, most", _text(heat.get("max")), "°C"),
        ("throttled", _yes(record["throttled"]), ""),
    ]


def stages(record: Mapping[str, Any]) -> list[Row]:
    """Milliseconds by stage, and of the whole frame."""
    rows = [
        (stage, *(_text(ms[key], 3) for key in ("mean", "p50", "p95", "p99")))
        for stage, ms in record["latency_ms"]["stages"].items()
    ]
    fps = record["fps"]["end_to_end"]
    whole = (record["latency_ms"][key] for key in ("p50", "p95", "p99"))
    return [*rows, ("frame", _text(1e3 / fps if fps else None, 3), *(_text(ms, 3) for ms in whole))]


def accuracy(record: Mapping[str, Any]) -> list[Row]:
    """J&F, the float model's and the loss by sequence; last, all."""
    parts = {**record["sequences"], "all": record}
    keys = ("J&F", "J&F_float", "J&F_loss")
    return [(name, *(_text(part[key], 2) for key in keys)) for name, part in parts.items()]


def peers(record: Mapping[str, Any]) -> list[Row]:
    """Who ran beside it."""
    rows: list[Row] = []
    for name, entry in record["peers"].items():
        if "left_out" in entry:
            continue
        ratio = entry.get("ratio", {})
        rows.append(
            (
                f"{name} ({entry['engine']} {entry['engine_version']})",
                _text(entry["fps"]["end_to_end"], 2),
                _text(ratio.get("end_to_end"), 2),
                _text(ratio.get("model"), 2),
                _text(entry["J&F"]),
                _text(entry["box_iou"]),
            )
        )
    return rows


def _text(value: float | None, digits: int = 1, scale: float = 1) -> str:
    return "—" if value is None else f"{value / scale:.{digits}f}"


def _yes(value: bool | None) -> str:
    return "—" if value is None else ("YES" if value else "no")
