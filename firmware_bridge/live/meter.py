"""How fast it goes: pictures a second and latency, of the last seconds and of the whole run."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from edge_ttvos.firmware_bridge.latency import Histogram
from edge_ttvos.firmware_bridge.live.outcome import Outcome
from edge_ttvos.firmware_bridge.live.slot import Counts

WINDOW = 5.0  # seconds
MOST = 600  # pictures remembered, however fast they come
SHARES = (50, 95, 99)  # percent


class Meter:
    """Counts outcomes.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recent: deque[tuple[float, float | None]] = deque(maxlen=MOST)  # when, latency
        self._whole = Histogram()
        self._begin = clock()
        self._frames = 0

    def add(self, outcome: Outcome) -> None:
        """One more; latencies of late ones are their pointing person's, and do not count."""
        latency = None if outcome.late else outcome.latency_ms
        self._recent.append((self._clock(), latency))
        self._frames += 1
        if latency is not None:
            self._whole.add(latency)

    def now(self) -> dict[str, Any]:
        """``fps`` and ``latency_ms`` of the last ``WINDOW`` seconds; null without pictures."""
        since = self._clock() - WINDOW
        recent = [(when, latency) for when, latency in list(self._recent) if when >= since]
        times = [latency for _, latency in recent if latency is not None]
        marks = np.percentile(times, SHARES).round(1).tolist() if times else [None] * len(SHARES)
        return {
            "fps": _rate(recent),
            "latency_ms": {f"p{share}": mark for share, mark in zip(SHARES, marks, strict=True)},
        }

    def whole(self, counts: Counts) -> dict[str, Any]:
        """Of the whole run; latency to 1 %."""
        marks = {f"p{share}": _rounded(self._whole.percentile(share / 100)) for share in SHARES}
        seconds = self._clock() - self._begin
        return {
            "seconds": round(seconds, 1),
            "fps": round(self._frames / seconds, 2) if seconds else None,
            "latency_ms": marks,
            "frames": vars(counts),
        }


def _rate(recent: list[tuple[float, float | None]]) -> float | None:
    """Pictures by the time between the first and the last of them."""
    if len(recent) < 2:
        return None
    seconds = recent[-1][0] - recent[0][0]
    return round((len(recent) - 1) / seconds, 1) if seconds else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
