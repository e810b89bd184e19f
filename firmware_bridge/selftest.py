"""A bundle tests itself: it follows its golden clip and compares with the expected masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import EngineError
from edge_ttvos.evaluation.jaccard import jaccard
from edge_ttvos.evaluation.masks import read_mask
from edge_ttvos.firmware_bridge.bundle.manifest import Graph
from edge_ttvos.firmware_bridge.bundle.reader import Bundle, open_bundle
from edge_ttvos.firmware_bridge.engines import open_engine, runner_of
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker

LEAST = 0.98  # J of every mask with the expected one; engines and processors round differently


@dataclass(frozen=True, eq=False)
class GoldenRun:
    """The golden clip followed at one size.

    Attributes:
        size: of the graph.
        engine: name and version.
        overlaps: J with the expected mask, of every frame after the first.
        masks: (frames, H, W) uint8, what was found.
        probabilities: (frames, h, w) float32, of the graph's size without padding.
    """

    size: tuple[int, int]
    engine: str
    overlaps: tuple[float, ...]
    masks: NDArray[np.uint8]
    probabilities: NDArray[np.float32]

    @property
    def ok(self) -> bool:
        """Whether every mask is close enough to the expected one."""
        return bool(min(self.overlaps) >= LEAST)

    def to_json(self) -> dict[str, Any]:
        """In short."""
        return {
            "size": list(self.size),
            "engine": self.engine,
            "ok": self.ok,
            "J_min": round(float(min(self.overlaps)), 5),
            "J_mean": round(float(np.mean(self.overlaps)), 5),
            "frames": len(self.overlaps),
        }


def selftest(path: Path, threads: int | None = None) -> list[GoldenRun]:
    """Follow the golden clip at every size of a bundle.

    Raises:
        BundleError: it is no sound bundle.
        EngineError: its engine is not installed or does not load it.
    """
    with open_bundle(path) as bundle:
        return [_run(path, bundle, graph, threads) for graph in bundle.manifest.graphs]


def _run(path: Path, bundle: Bundle, graph: Graph, threads: int | None) -> GoldenRun:
    options = EngineOptions(graph.size, threads)
    engine = open_engine(str(path), runner_of(bundle.manifest.engine), options)
    tracker = Tracker(engine, max_objects=1)
    try:
        frames = [read_image(bundle.folder / name) for name in graph.golden.frames]
        expected = [read_mask(bundle.folder / name) for name in graph.golden.masks]
        tracker.start(frames[0], expected[0])
        masks: list[NDArray[np.uint8]] = []
        planes: list[NDArray[np.float32]] = []
        for frame in frames[1:]:
            result = tracker.step(frame)
            masks.append(result.mask.copy())
            planes.extend(plane.copy() for plane in result.probabilities.values())
    finally:
        tracker.close()
    pairs = zip(masks, expected[1:], strict=True)
    overlaps = tuple(jaccard(mask > 0, wanted > 0) for mask, wanted in pairs)
    info = engine.info
    name = f"{info.name} {info.version}"
    return GoldenRun(graph.size, name, overlaps, np.stack(masks), np.stack(planes))


def require(runs: list[GoldenRun]) -> None:
    """Raises:
    EngineError: a golden clip was followed in another way than expected.
    """
    for run in runs:
        if not run.ok:
            raise EngineError(
                f"self-test failed at {run.size[0]}x{run.size[1]}: {run.engine} follows the golden "
                f"clip with J {min(run.overlaps):.3f} to the expected masks, at least {LEAST} is "
                "needed. Install an engine version that the manifest names, or deploy again"
            )
