"""How fast a run was, in words that also say what was counted."""

from __future__ import annotations

from typing import Any

from edge_ttvos.cli.console import Screen
from edge_ttvos.firmware_bridge.tracker import Tracker


def show_model(show: Screen, tracker: Tracker) -> None:
    """With ``-v``: what is going to run."""
    model, info = tracker.model, tracker.engine.info
    arena = tracker.arena_bytes / 2**20
    show.say(
        f"model {model.name} ({model.precision}, sha256 {model.sha256}) "
        f"at {model.frame.height}x{model.frame.width} on {info.name} {info.version}, "
        f"threads: {info.threads}, {info.device}; "
        f"arena {arena:.1f} MiB for {len(tracker.memory.slots)} objects",
        verbosity=1,
    )


def show_speed(show: Screen, record: dict[str, Any]) -> None:
    """Frames per second of a result's JSON; with ``-v``, milliseconds by stage too."""
    fps, latency, protocol = record["fps"], record["latency_ms"], record["protocol"]
    if fps["end_to_end"] is None:
        show.say("no speed: only frames after the first are timed, and there were none")
        return
    show.say(
        f"{fps['end_to_end']} frames/s end to end, {fps['model']} model only, "
        f"at {protocol['resolution']} ({protocol['engine']}, threads: {protocol['threads']}); "
        f"{protocol['timed']}"
    )
    if show.verbosity > 0:
        rows = [(name, f"{value:.3f}") for name, value in latency["stages"].items()]
        rows += [(f"frame, {p}", f"{latency[p]:.3f}") for p in ("p50", "p95", "p99")]
        show.table("milliseconds a frame", ("stage", "ms"), rows)
