"""Where a frame's time goes, and a run's latencies in constant memory, however long it is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

STAGES = ("prepare", "encode", "embed", "template", "decode", "aggregate", "mask")
MODEL_STAGES = ("encode", "embed", "decode")

SMALLEST = 1e-3  # milliseconds
GROWTH = 1.01  # from one bin to the next
BINS = 2100  # up to 20 minutes


class Stopwatch:
    """Milliseconds by stage, of one frame."""

    def __init__(self) -> None:
        self.milliseconds = dict.fromkeys(STAGES, 0.0)
        self._since = 0.0

    def start(self) -> None:
        """A new frame."""
        for stage in STAGES:
            self.milliseconds[stage] = 0.0
        self._since = time.perf_counter()

    def lap(self, stage: str) -> None:
        """What has passed since the last call belongs to ``stage``."""
        now = time.perf_counter()
        self.milliseconds[stage] += 1e3 * (now - self._since)
        self._since = now


class Latencies:
    """Frames' timings: totals by stage, and percentiles to 1 % of the whole frame's time."""

    def __init__(self) -> None:
        self.frames = 0
        self._stages = dict.fromkeys(STAGES, 0.0)
        self._bins = np.zeros(BINS, np.int64)

    def add(self, timings: Mapping[str, float]) -> None:
        """One frame's milliseconds by stage."""
        self.frames += 1
        for stage in STAGES:
            self._stages[stage] += timings[stage]
        total = max(sum(timings.values()), SMALLEST)
        index = int(np.log(total / SMALLEST) / np.log(GROWTH))
        self._bins[min(index, BINS - 1)] += 1

    def percentile(self, share: float) -> float | None:
        """Milliseconds that ``share`` (0…1) of the frames stay within; None without frames."""
        if not self.frames:
            return None
        index = int(np.searchsorted(np.cumsum(self._bins), share * self.frames))
        return float(SMALLEST * GROWTH ** (index + 0.5))

    def to_json(self) -> dict[str, Any]:
        """``fps`` over the whole run (frames by their summed time) and ``latency_ms``."""
        whole = sum(self._stages.values())
        model = sum(self._stages[stage] for stage in MODEL_STAGES)
        count = self.frames
        return {
            "fps": {
                "end_to_end": round(1e3 * count / whole, 2) if whole else None,
                "model": round(1e3 * count / model, 2) if model else None,
            },
            "latency_ms": {
                **{f"p{p}": _rounded(self.percentile(p / 100)) for p in (50, 95, 99)},
                "stages": {
                    stage: _rounded(total / count if count else None)
                    for stage, total in self._stages.items()
                },
            },
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
