"""Where a frame's time goes, and a run's latencies in constant memory, however long it is."""

from __future__ import annotations

import math
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


class Histogram:
    """Milliseconds in bins of constant number; percentiles to 1 %."""

    def __init__(self) -> None:
        self.count = 0
        self._bins = np.zeros(BINS, np.int64)

    def add(self, milliseconds: float) -> None:
        """One more."""
        self.count += 1
        self._bins[_bin(milliseconds)] += 1

    def percentile(self, share: float) -> float | None:
        """Milliseconds that ``share`` (0…1) of them stay within; None where there are none."""
        if not self.count:
            return None
        index = int(np.searchsorted(np.cumsum(self._bins), share * self.count))
        return float(SMALLEST * GROWTH ** (index + 0.5)) if index else 0.0


class Latencies:
    """Frames' timings: totals by stage, and percentiles to 1 % of each stage and the whole."""

    def __init__(self) -> None:
        self.frames = 0
        self._stages = dict.fromkeys(STAGES, 0.0)
        self._whole = Histogram()
        self._parts = {stage: Histogram() for stage in STAGES}

    def add(self, timings: Mapping[str, float]) -> None:
        """One frame's milliseconds by stage."""
        self.frames += 1
        for stage in STAGES:
            self._stages[stage] += timings[stage]
            self._parts[stage].add(timings[stage])
        self._whole.add(sum(timings.values()))

    def percentile(self, share: float, stage: str | None = None) -> float | None:
        """Milliseconds that ``share`` (0…1) of the frames stay within, whole or in one stage.

        None without frames.
        """
        return (self._whole if stage is None else self._parts[stage]).percentile(share)

    def mean(self, *stages: str) -> float | None:
        """Mean milliseconds a frame of these stages, or of the whole frame; None without frames."""
        total = sum(self._stages[stage] for stage in stages or STAGES)
        return total / self.frames if self.frames else None

    def to_json(self) -> dict[str, Any]:
        """``fps`` over the whole run (frames by their summed time) and ``latency_ms``."""
        means = {stage: _rounded(self.mean(stage)) for stage in STAGES}
        return {
            "fps": {
                "end_to_end": _rate(self.mean()),
                "model": _rate(self.mean(*MODEL_STAGES)),
            },
            "latency_ms": {**self._percentiles(None), "stages": means},
        }

    def stages_to_json(self) -> dict[str, dict[str, float | None]]:
        """Mean and percentiles in milliseconds by stage."""
        return {
            stage: {"mean": _rounded(self.mean(stage)), **self._percentiles(stage)}
            for stage in STAGES
        }

    def _percentiles(self, stage: str | None) -> dict[str, float | None]:
        return {f"p{p}": _rounded(self.percentile(p / 100, stage)) for p in (50, 95, 99)}


def _bin(milliseconds: float) -> int:
    if milliseconds <= SMALLEST:
        return 0
    return min(int(math.log(milliseconds / SMALLEST) / math.log(GROWTH)), BINS - 1)


def _rate(milliseconds: float | None) -> float | None:
    return round(1e3 / milliseconds, 2) if milliseconds else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
