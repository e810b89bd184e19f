"""Live video object segmentation on small boards.

    from edge_ttvos import Tracker

    tracker = Tracker.open("default")
    tracker.start(first_frame, mask)        # RGB uint8 (H, W, 3), uint8 (H, W)
    result = tracker.step(next_frame)       # result.mask: uint8 (H, W) of object ids

Nothing heavy is imported until a name is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_ttvos.firmware_bridge.prompts import Box
    from edge_ttvos.firmware_bridge.tracker import ObjectState, Result, Tracker

__all__ = ["Box", "ObjectState", "Result", "Tracker"]

_HOME = {
    "Box": "edge_ttvos.firmware_bridge.prompts",
    "ObjectState": "edge_ttvos.firmware_bridge.tracker",
    "Result": "edge_ttvos.firmware_bridge.tracker",
    "Tracker": "edge_ttvos.firmware_bridge.tracker",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
