"""Whether the tracker of a bundle leaves a board enough of its memory."""

from __future__ import annotations

from collections.abc import Iterable

from edge_ttvos.contracts import ModelSpec
from edge_ttvos.firmware_bridge.state import Memory
from edge_ttvos.firmware_bridge.tracker import DEFAULT_MAX_OBJECTS
from edge_ttvos.targets.base import Target
from edge_ttvos.targets.bundle_writer import size_name
from edge_ttvos.targets.constraints import DOES_NOT_MAP, Finding

MIB = 2**20


def over_budget(target: Target, models: Iterable[ModelSpec]) -> list[Finding]:
    """Sizes whose arena, with all of its slots, takes more than the board has to spare."""
    found = []
    for model in models:
        taken, allowed = Memory(model, DEFAULT_MAX_OBJECTS).arena.nbytes, target.memory.arena_bytes
        if taken > allowed:
            message = (
                f"an arena of {taken / MIB:.1f} MiB for {DEFAULT_MAX_OBJECTS} objects, where "
                f"{target.name} has {allowed / MIB:.0f} ({target.memory.reason}). Follow fewer "
                "objects (--max-objects) or deploy a smaller --size"
            )
            found.append(Finding(size_name(model), None, "", DOES_NOT_MAP, message))
    return found
