"""The bundle and its peers over the same sequences by turns: speed, masks' J&F, boxes' overlap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.evaluation import datasets
from edge_ttvos.evaluation.masks import Labels
from edge_ttvos.evaluation.report import Report, SequenceScore, j_and_f
from edge_ttvos.evaluation.score import score_sequence
from edge_ttvos.firmware_bridge.bench.turns import (
    RULE,
    Contestant,
    Image,
    Outcome,
    Series,
    take_turns,
)
from edge_ttvos.firmware_bridge.evaluate import bounding_box
from edge_ttvos.firmware_bridge.prompts import Box
from edge_ttvos.firmware_bridge.sources.images import read_image

OURS = "ours"

TIMED = (
    f"whole frames, {RULE}; box IoU in percent with the box around the annotated mask, frames "
    "without one left out, a lost object counts 0; trackers of masks begin with the mask, trackers "
    "of boxes with its bounding box"
)


@dataclass
class Entry:
    """What a contestant came to so far."""

    facts: Mapping[str, Any]
    series: Series = field(default_factory=Series)
    overlaps: list[float] = field(default_factory=list)
    scores: list[SequenceScore] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        report = Report(tuple(self.scores))
        return {
            **self.facts,
            **self.series.to_json(),
            "J&F": j_and_f(report.j, report.f),
            "box_iou": 100 * float(np.mean(self.overlaps)) if self.overlaps else None,
        }


class Comparison:
    """Runs the contestants; ``to_json`` at any time.

    Args:
        contestants: the first is ours; others are told how many times as fast it is.
    """

    def __init__(self, contestants: Sequence[Contestant]) -> None:
        self._contestants = contestants
        self.entries = {c.name: Entry(c.facts) for c in contestants}

    def run(
        self, sequence: datasets.Sequence, between: Callable[[int], None] = lambda done: None
    ) -> None:
        """All of them over one sequence of one object.

        Raises:
            DatasetError, MaskError, FrameError: the sequence cannot be used.
            EngineError: a contestant fails.
        """
        first = sequence.frames[0]
        image, masks = read_image(first), sequence.start_masks(first.stem)
        tracks = []
        for contestant in self._contestants:
            contestant.start(image, masks[1])
            tracks.append(_Track(contestant, [path.stem for path in sequence.frames[1:]]))
        series = [self.entries[c.name].series for c in self._contestants]
        take_turns([track.step for track in tracks], series, sequence.frames[1:], between)
        boxes = annotated_boxes(sequence)
        for track in tracks:
            entry = self.entries[track.contestant.name]
            entry.overlaps += [overlap(track.boxes[stem], box) for stem, box in boxes.items()]
            if track.masks:
                entry.scores.append(score_sequence(sequence, partial(_unpacked, track.masks)))

    def to_json(self) -> dict[str, Any]:
        """By contestant; ``ratio``: how many times as fast ours is."""
        records = {name: entry.to_json() for name, entry in self.entries.items()}
        ours = records[next(iter(records))]["fps"]
        for name, record in records.items():
            if name != OURS:
                theirs = record["fps"]
                record["ratio"] = {key: _ratio(ours[key], theirs[key]) for key in ours}
        return records


class _Track:
    """One contestant's way through one sequence; masks are packed eight pixels to a byte."""

    def __init__(self, contestant: Contestant, stems: Sequence[str]) -> None:
        self.contestant = contestant
        self.boxes: dict[str, Box | None] = {}
        self.masks: dict[str, tuple[NDArray[np.uint8], tuple[int, ...]]] = {}
        self._stems = iter(stems)

    def step(self, image: Image) -> Mapping[str, float]:
        outcome: Outcome = self.contestant.step(image)
        stem = next(self._stems)
        self.boxes[stem] = outcome.box
        if outcome.mask is not None:
            self.masks[stem] = (np.packbits(outcome.mask > 0), outcome.mask.shape)
        return outcome.timings


def annotated_boxes(sequence: datasets.Sequence) -> dict[str, Box]:
    """The box around object 1 in each frame that counts and shows it."""
    boxes = {}
    for stem in sequence.scored[1]:
        mask = sequence.read(sequence.annotations[stem]) == 1
        if mask.any():
            boxes[stem] = bounding_box(mask)
    return boxes


def overlap(box: Box | None, other: Box) -> float:
    """Intersection over union of two boxes, 0…1; 0 where there is none."""
    if box is None:
        return 0.0
    width = min(box.x + box.width, other.x + other.width) - max(box.x, other.x)
    height = min(box.y + box.height, other.y + other.height) - max(box.y, other.y)
    both = max(width, 0.0) * max(height, 0.0)
    return both / (box.width * box.height + other.width * other.height - both)


def _unpacked(
    masks: Mapping[str, tuple[NDArray[np.uint8], tuple[int, ...]]], stem: str
) -> Labels | None:
    if stem not in masks:
        return None
    bits, (height, width) = masks[stem]
    return np.unpackbits(bits, count=height * width).reshape(height, width)


def _ratio(ours: float | None, theirs: float | None) -> float | None:
    return round(ours / theirs, 3) if ours and theirs else None
