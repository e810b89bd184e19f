"""Track the sequences of a data set and score them: J&F of a model on an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import InputError
from edge_ttvos.evaluation.datasets import Dataset, Sequence
from edge_ttvos.evaluation.masks import write_mask
from edge_ttvos.evaluation.report import SequenceScore
from edge_ttvos.evaluation.score import score_folder
from edge_ttvos.firmware_bridge.latency import Latencies
from edge_ttvos.firmware_bridge.output import make_folder
from edge_ttvos.firmware_bridge.prompts import Box, Prompt
from edge_ttvos.firmware_bridge.sources.base import check_size
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker

Init = Literal["mask", "box"]


@dataclass(frozen=True)
class Evaluation:
    """A data set, how objects are given, and where predictions go (``<sequence>/*.png``)."""

    dataset: Dataset
    init: Init
    masks: Path


def evaluate(
    tracker: Tracker,
    evaluation: Evaluation,
    latencies: Latencies,
    progress: Callable[[str, float], None] = lambda name, share: None,
) -> Iterator[SequenceScore]:
    """Track and score one sequence after the other; each is finished before it is handed out.

    Args:
        tracker: with slots for the data set's largest sequence.
        evaluation: what to evaluate.
        latencies: every frame but each sequence's first is added.
        progress: called with the sequence and the share of all work done.

    Raises:
        DatasetError, MaskError, FrameError: the data cannot be used.
        CapacityError: a sequence has more objects than the tracker has slots.
        OutputError: predictions cannot be written.
    """
    count = len(evaluation.dataset)
    for index, sequence in enumerate(evaluation.dataset):

        def step(share: float, done: int = index, name: str = sequence.name) -> None:
            progress(name, (done + share) / count)

        folder = make_folder(evaluation.masks / sequence.name)
        try:
            track_sequence(tracker, sequence, evaluation.init, folder, latencies, step)
        except InputError as error:
            raise type(error)(f"sequence {sequence.name}: {error}") from error
        yield score_folder(sequence, folder)


def track_sequence(
    tracker: Tracker,
    sequence: Sequence,
    init: Init,
    folder: Path,
    latencies: Latencies,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Track one sequence's objects, each from the frame that shows it first, into ``folder``.

    Frames before any object's first are skipped, as the benchmarks do.
    """
    started = False
    size: tuple[int, int] | None = None
    for index, path in enumerate(sequence.frames):
        given = prompts(sequence.start_masks(path.stem), init)
        if not started and not given:
            continue
        image = read_image(path)
        height, width = image.shape[:2]
        size = size or (height, width)
        check_size(str(path), image, size)
        if started:
            result = tracker.step(image)
            latencies.add(result.timings)
            mask = result.mask
            for object_id, prompt in given.items():
                mask = tracker.add(object_id, prompt).mask
        else:
            mask = tracker.start(image, given).mask
            started = True
        write_mask(folder / f"{path.stem}.png", mask)
        progress((index + 1) / len(sequence.frames))


def prompts(masks: dict[int, NDArray[np.bool_]], init: Init) -> dict[int, Prompt]:
    """What the tracker is told of each object: its mask, or the mask's bounding box."""
    if init == "mask":
        return dict(masks)
    return {object_id: bounding_box(mask) for object_id, mask in masks.items()}


def bounding_box(mask: NDArray[np.bool_]) -> Box:
    """The smallest box around a mask (H, W) that is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return Box(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)
