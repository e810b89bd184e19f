"""The protocol object that every result carries: what ran where, and what was timed."""

from __future__ import annotations

from typing import Any

from edge_ttvos import origin
from edge_ttvos.firmware_bridge.tracker import Tracker

TIMED = (
    "from the RGB frame in memory to its mask at the frame's size, first frame left out; reading "
    "frames, writing masks and drawing not counted; model: encode, embed and decode alone"
)


KEYS = (  # every result says these, null where it does not know or they do not apply
    "resolution",
    "frames",
    "objects",
    "threads",
    "engine",
    "engine_version",
    "device",
    "timed",
    "seed",
    "model",
    "precision",
    "sha256",
)


def bare_protocol(**facts: Any) -> dict[str, Any]:
    """A protocol of these facts, this edge-ttvos, and null for all else."""
    code = {"edge_ttvos": origin.version(), "commit": origin.commit()}
    return {**dict.fromkeys(KEYS), **code, **facts}


def protocol(tracker: Tracker, frame_size: tuple[int, int] | None = None) -> dict[str, Any]:
    """Protocol of a run; ``frame_size`` (H, W) where all frames have one."""
    model, info = tracker.model, tracker.engine.info
    return bare_protocol(
        resolution=f"{model.frame.height}x{model.frame.width}",
        frames=None if frame_size is None else f"{frame_size[0]}x{frame_size[1]}",
        objects=len(tracker.objects),
        max_objects=len(tracker.memory.slots),
        threads=info.threads,
        engine=info.name,
        engine_version=info.version,
        device=info.device,
        timed=TIMED,
        arena_bytes=tracker.arena_bytes,
        model=model.name,
        precision=model.precision,
        sha256=model.sha256,
    )
