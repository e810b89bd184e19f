"""One point → its J&F, J and F, by sequence and by frame."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_ttvos.errors import DatasetError
from edge_ttvos.evaluation.datasets import Dataset
from edge_ttvos.evaluation.report import Report, SequenceScore, j_and_f
from edge_ttvos.firmware_bridge.engines.base import Engine
from edge_ttvos.firmware_bridge.evaluate import Evaluation, evaluate
from edge_ttvos.firmware_bridge.latency import Latencies
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.quantize.model import QuantizedModel, load_quantized
from edge_ttvos.quantize.recipe import as_toml
from edge_ttvos.quantize.report.costs import mac_bits, size_bytes
from edge_ttvos.quantize.report.engines import Model, opened
from edge_ttvos.quantize.report.points import Point
from edge_ttvos.quantize.report.study import Study, facts
from edge_ttvos.quantize.report.task import Result
from edge_ttvos.quantize.report.workshop import checkpoint_of, graphs_of, make_model
from edge_ttvos.quantize.scheme import Scheme

FLOAT_COST, SIMULATED_COST, DEPLOYED_COST = 0.7, 1.1, 0.3  # microseconds a pixel, one core
FRAMES = 70  # of a sequence, about


@dataclass(frozen=True)
class Score:
    """A point to be scored.

    Attributes:
        study: gives model, data and the point's part.
        point: what to score.
        scheme: its scales; None for float and for models that bring theirs.
    """

    study: Study
    point: Point
    scheme: Scheme | None

    @property
    def name(self) -> str:
        """By the point."""
        return f"points/{self.point.id}"

    @property
    def cost(self) -> float:
        """Seconds."""
        part = self.study.part(self.point.set)
        if self.point.recipe is None:
            pace = FLOAT_COST
        else:
            pace = SIMULATED_COST if self.point.simulated else DEPLOYED_COST
        return len(part.sequences) * FRAMES * part.size[0] * part.size[1] * pace * 1e-6

    def identity(self) -> dict[str, Any]:
        """The point's recipe, scales, size and sequences."""
        point, part = self.point, self.study.part(self.point.set)
        return {
            "id": point.id,
            "recipe": None if point.recipe is None else facts(point.recipe),
            "model": None if point.model is None else load_quantized(point.model).sha256,
            "size": part.size,
            "sequences": part.sequences,
        }

    def run(self) -> Result:
        """J&F, J, F and what the point costs; see ``record`` for what is made of it."""
        part, model = self.study.part(self.point.set), model_of(self)
        scheme = model.scheme if isinstance(model, QuantizedModel) else None
        graphs, recipe = graphs_of(self.study, part.size), self.point.recipe
        dataset = self.study.scored(part.sequences)
        with opened(model, part.size, self.point.simulated) as engine:
            info, scores = engine.info, follow(engine, dataset)
        return {
            "engine": info.name,
            "engine_version": info.version,
            **numbers(scores, dataset),
            "size_bytes": size_bytes(graphs, recipe),
            "mac_bits": mac_bits(graphs, recipe, scheme),
            "recipe": "" if recipe is None else as_toml(recipe),
        }


def model_of(task: Score) -> Model:
    """The float model, one that was quantized before, or one made of recipe and scales."""
    point, part = task.point, task.study.part(task.point.set)
    if point.recipe is None:
        return checkpoint_of(task.study)
    if point.model is not None:
        return load_quantized(point.model)
    assert task.scheme is not None
    return make_model(task.study, point.recipe, task.scheme, part.size)


def follow(engine: Engine, dataset: Dataset) -> Report:
    """Track and score all sequences with the one tracker; the masks are not kept."""
    tracker = Tracker(engine, max_objects=1)  # whoever opened the engine closes it
    with tempfile.TemporaryDirectory() as masks:
        task = Evaluation(dataset, "mask", Path(masks))
        return Report(tuple(evaluate(tracker, task, Latencies())))


def numbers(report: Report, dataset: Dataset) -> dict[str, Any]:
    """``J&F``, ``J``, ``F`` in percent, of all and by sequence; J by frame."""
    sequences = {score.name: _sequence(score, dataset) for score in report.sequences}
    return {**_means(tuple(sequences.values())), "sequences": sequences}


def _means(parts: Sequence[dict[str, Any]]) -> dict[str, float]:
    counted = [part for part in parts if part["J&F"] is not None]
    if not counted:
        raise DatasetError("no frame of these sequences counts: give sequences of three or more")
    return {k: round(float(np.mean([p[k] for p in counted])), 4) for k in ("J&F", "J", "F")}


def _sequence(score: SequenceScore, dataset: Dataset) -> dict[str, Any]:
    (object_,) = score.objects  # of DAVIS-2016
    order = [path.stem for path in dataset.load(score.name).frames]
    j, f = object_.j, object_.f
    both = j_and_f(j, f)
    return {
        "J&F": None if both is None else round(both, 4),
        "J": None if j is None else round(100 * j.mean, 4),
        "F": None if f is None else round(100 * f.mean, 4),
        "J_by_frame": [round(100 * float(value), 2) for value in object_.j_frames],
        "frames": [order.index(stem) for stem in object_.frames],
    }
