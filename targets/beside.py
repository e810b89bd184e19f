"""Bundles by turns on the machine that deploys; and INT8 beside its float32 network there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge_ttvos.firmware_bridge.bench.operators import Slower, explain_slower
from edge_ttvos.firmware_bridge.engines import open_engine
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.latency import MODEL_STAGES
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.targets.clip import reference_clip

ROUNDS = 3  # times that every bundle follows the clip

Bundles = Mapping[str, Path]  # by engine
Times = Mapping[str, float]  # likewise: median milliseconds of the model's stages in a frame


@dataclass(frozen=True)
class Beside:
    """A quantized model against its float32 network in the same engines.

    Attributes:
        float_ms: of float32; empty for a float model.
        left_out: why an engine's float32 was not measured.
        slower: engines in which INT8 takes longer, and on what.
        faster: engine whose float32 is faster than the INT8 that is deployed; None: INT8 is.
        command: makes that bundle instead.
    """

    float_ms: Times = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    slower: tuple[Slower, ...] = ()
    faster: str | None = None
    command: str | None = None

    def told(self) -> list[str]:
        """Lines for people."""
        left = self.left_out.items()
        lines = [f"float32 in {engine} was not measured: {why}" for engine, why in left]
        lines += [str(slower) for slower in self.slower]
        if self.faster is not None:
            lines.append(
                f"float32 in {self.faster} is the faster here: {self.float_ms[self.faster]:.1f} "
                f"ms. To have that instead: {self.command}"
            )
        return lines

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "model_ms": dict(self.float_ms),
            "left_out": dict(self.left_out),
            "int8_slower": [slower.to_json() for slower in self.slower],
            "faster": self.faster,
            "command": self.command,
        }


def measure(bundles: Bundles, floats: Bundles, options: EngineOptions) -> tuple[Times, Times]:
    """Both kinds on the reference clip, by turns, so that all see the same machine.

    One alone is not measured: there is nothing to choose.

    Raises:
        BundleError, EngineError: a bundle cannot be opened.
    """
    entries = [*bundles.items(), *floats.items()]
    if len(entries) < 2:
        return {}, {}
    clip = reference_clip()
    times: list[list[float]] = [[] for _ in entries]
    with ExitStack() as stack:
        trackers = []
        for engine, folder in entries:
            opened = open_engine(str(folder), engine, options)
            trackers.append(stack.enter_context(closing(Tracker(opened, max_objects=1))))
        for _ in range(ROUNDS):
            for tracker, own in zip(trackers, times, strict=True):
                tracker.start(clip.frames[0], [clip.given])
                for frame in clip.frames[1:]:
                    timings = tracker.step(frame).timings
                    own.append(sum(timings[stage] for stage in MODEL_STAGES))
    medians = [round(float(np.median(own)), 3) for own in times]
    count = len(bundles)
    return (
        dict(zip(bundles, medians[:count], strict=True)),
        dict(zip(floats, medians[count:], strict=True)),
    )


def compare(
    bundles: Bundles, floats: Bundles, times: tuple[Times, Times], options: EngineOptions
) -> Beside:
    """INT8 against float32, without what would be typed.

    Args:
        bundles: INT8.
        floats: float32; of the same engines, or of some of them.
        times: of both.
        options: size and threads of the measurement.

    Raises:
        BundleError, EngineError: a bundle cannot be opened for its profile.
    """
    int8_ms, float_ms = times
    slower = []
    for engine, plain in floats.items():
        both = str(bundles[engine]), str(plain)
        found = explain_slower(engine, (int8_ms[engine], float_ms[engine]), both, options)
        if found is not None:
            slower.append(found)
    quickest = min(float_ms, key=float_ms.__getitem__, default=None)
    faster = quickest is not None and float_ms[quickest] < min(int8_ms.values())
    return Beside(float_ms, slower=tuple(slower), faster=quickest if faster else None)
