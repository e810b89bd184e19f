"""The protocol object that every result carries: what ran where, and what was timed."""

from __future__ import annotations

from typing import Any

from edge_ttvos.firmware_bridge.tracker import Tracker

from edge_ttvos import origin

TIMED = (
    "from the RGB frame in memory to its mask at the frame's size, first frame left out; reading "
    "frames, writing masks and drawing not counted; model: encode, embed and decode alone"
)


def protocol(tracker: Tracker, frame_size: tuple[int, int] | None = None) -> dict[str, Any]:
    """Protocol of a run; ``frame_size`` (H, W) where all frames have one."""
    model, info = tracker.model, tracker.engine.info
    return {
        "resolution": f"{model.frame.height}x{model.frame.width}",
        "frames": None if frame_size is None else f"{frame_size[0]}x{frame_size[1]}",
        "objects": len(tracker.objects),
        "max_objects": len(tracker.memory.slots),
        "threads": info.threads,
        "engine": info.name,
        "engine_version": info.version,
        "device": info.device,
        "timed": TIMED,
        "arena_bytes": tracker.memory.arena.nbytes,
        "edge_ttvos": origin.version(),
        "commit": origin.commit(),
        "seed": None,
        "model": model.name,
        "precision": model.precision,
        "sha256": model.sha256,
    }
