"""Pictures, sessions and loops on the simulator that keeps every mask where it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.session import Session
from edge_ttvos.firmware_bridge.live.slot import Slot
from edge_ttvos.firmware_bridge.sources.camera import Shot
from edge_ttvos.firmware_bridge.tracker import Tracker

SIZE = (48, 80)

Image = NDArray[np.uint8]
Push = Callable[..., None]


@pytest.fixture
def slot() -> Slot:
    """Empty."""
    return Slot()


@pytest.fixture
def live(open_still: Callable[..., Tracker], slot: Slot, tmp_path: Path) -> Live:
    """A loop whose turns the test takes."""
    return Live(Session(open_still()), slot, tmp_path / "recordings")


@pytest.fixture
def push(slot: Slot) -> Push:
    """Put pictures into the slot; each is of another grey."""

    def put(count: int = 1, size: tuple[int, int] = SIZE) -> None:
        for _ in range(count):
            number = slot.counts.received
            grey = np.full((*size, 3), 20 + number % 200, np.uint8)
            slot.put(Shot(1_000_000 * number, grey))

    return put
