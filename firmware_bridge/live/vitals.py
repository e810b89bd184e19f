"""Temperature and throttling, read now and then: only the firmware's own command may know."""

from __future__ import annotations

import threading
from typing import Any

from edge_ttvos.firmware_bridge.condition import Condition, sense

EVERY = 2.0  # seconds


class Vitals:
    """The machine's condition, as of some seconds ago."""

    def __init__(self) -> None:
        self._closing = threading.Event()
        self._last = Condition(None, None, None)
        self._thread = threading.Thread(target=self._run, name="vitals", daemon=True)
        self._thread.start()

    def now(self) -> dict[str, Any]:
        """As ``Condition.to_json``."""
        return self._last.to_json()

    def close(self) -> None:
        """Read no more."""
        self._closing.set()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._last = sense()
            self._closing.wait(EVERY)
