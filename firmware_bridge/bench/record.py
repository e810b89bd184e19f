"""bench.json: what a benchmark found, ready to be written at any time."""

from __future__ import annotations

from typing import Any

from edge_ttvos.evaluation.report import Report
from edge_ttvos.firmware_bridge.bench import comparison, first_frame
from edge_ttvos.firmware_bridge.bench.config import PART
from edge_ttvos.firmware_bridge.bench.findings import Findings
from edge_ttvos.firmware_bridge.latency import MODEL_STAGES, Latencies
from edge_ttvos.firmware_bridge.protocol import protocol

GLUE = "all of the frame but " + ", ".join(MODEL_STAGES)


def bench_json(found: Findings, why: str | None) -> dict[str, Any]:
    """The content of bench.json.

    Args:
        found: so far.
        why: it is not complete; None: it is.
    """
    scored = found.reference.add_to(Report(tuple(found.scores), reason=why).to_json())
    counted = scored.pop("protocol")
    speed = found.latencies.to_json()
    speed["latency_ms"]["stages"] = found.latencies.stages_to_json()
    return {
        **{key: scored.pop(key) for key in ("schema", "complete", "reason") if key in scored},
        "throttled": found.watch.throttled,
        **speed,
        "glue": glue(found.latencies),
        "first_frame_ms": found.first.to_json(),
        "memory": {
            "arena_bytes": found.tracker.arena_bytes,
            **found.footprint.to_json(),
        },
        **scored,
        "objects": found.objects,
        "peers": _peers(found),
        "int8_slower": None if found.slower is None else found.slower.to_json(),
        "condition": found.watch.to_json(),
        "protocol": {**_protocol(found), **counted},
    }


def glue(latencies: Latencies) -> dict[str, float | None]:
    """Milliseconds a frame around the model, and their share of the frame in percent."""
    whole, model = latencies.mean(), latencies.mean(*MODEL_STAGES)
    if not whole or model is None:
        return {"ms": None, "percent": None}
    return {"ms": round(whole - model, 3), "percent": round(100 * (1 - model / whole), 2)}


def _peers(found: Findings) -> dict[str, Any]:
    measured = found.comparison.to_json() if found.comparison else {}
    return {**measured, **{name: {"left_out": why} for name, why in found.left_out.items()}}


def _protocol(found: Findings) -> dict[str, Any]:
    known = protocol(found.tracker)
    return {
        "dataset": PART,
        "init": "mask",
        **known,
        "timed": f"{known['timed']}; fps: frames by their summed time; glue: {GLUE}",
        "timed_first_frame": first_frame.TIMED,
        "timed_peers": comparison.TIMED,
        "frames_timed": found.latencies.frames,
    }
