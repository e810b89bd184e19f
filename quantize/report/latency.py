"""Milliseconds a frame of what engines run, measured alone, one point after the other."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from edge_ttvos.firmware_bridge.latency import Latencies
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.quantize.report.engines import RUNNER, deployed
from edge_ttvos.quantize.report.scoring import Score, model_of
from edge_ttvos.quantize.report.study import Study
from edge_ttvos.quantize.report.task import Result

WARM, TIMED = 5, 60  # frames; a short clip is played again from its start


@dataclass(frozen=True)
class Latency:
    """A deployable point in LiteRT.

    Attributes:
        study: gives the clip.
        score: of the point.
        threads: of LiteRT.
    """

    study: Study
    score: Score
    threads: int

    @property
    def name(self) -> str:
        """By the point."""
        return f"parts/latency-{self.score.point.id}"

    @property
    def cost(self) -> float:
        """Seconds; writing the float graphs takes most of it."""
        return 30.0 if self.score.point.recipe is None else 8.0

    def identity(self) -> dict[str, Any]:
        """The point, threads, frames."""
        return {"score": self.score.identity(), "threads": self.threads, "timed": TIMED}

    def run(self) -> Result:
        """``p50`` and ``p95`` in milliseconds, engine and threads."""
        part = self.study.part(self.score.point.set)
        clip = next(iter(self.study.scored(part.sequences[:1])))
        frames = [read_image(path) for path in clip.frames[: WARM + TIMED]]
        latencies = Latencies()
        with deployed(model_of(self.score), part.size, self.threads) as engine:
            tracker = Tracker(engine, max_objects=1)
            tracker.start(frames[0], clip.start_masks(clip.frames[0].stem))
            playing = itertools.islice(itertools.cycle(frames[1:]), WARM + TIMED)
            for index, frame in enumerate(playing):
                result = tracker.step(frame)
                if index >= WARM:
                    latencies.add(result.timings)
        measured = latencies.to_json()["latency_ms"]
        return {
            "p50": measured["p50"],
            "p95": measured["p95"],
            "engine": RUNNER,
            "threads": self.threads,
        }
