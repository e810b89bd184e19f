"""J and F of predictions against a data set's annotations.

The core takes arrays and gives numbers (``score_frame``, ``score_sequence``); only ``score_folder``
and what builds on it read files. A run that tracks and scores by turns collects ``SequenceScore``
and can make a ``Report`` of what is finished at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import DatasetError, MaskError
from edge_ttvos.evaluation.boundary import boundary_f
from edge_ttvos.evaluation.datasets.base import VOID, Dataset, Sequence, values_in
from edge_ttvos.evaluation.jaccard import jaccard
from edge_ttvos.evaluation.masks import Labels
from edge_ttvos.evaluation.report import ObjectScore, Report, SequenceScore

Prediction = Callable[[str], "Labels | None"]  # a frame's stem → labels, None where missing
Progress = Callable[[float], None]  # share done, 0…1


def score(
    dataset: Dataset,
    predictions: Path,
    protocol: Mapping[str, Any] | None = None,
    progress: Progress = lambda share: None,
) -> Report:
    """Score a folder of ``<sequence>/<frame>.png`` against all sequences of a data set.

    Args:
        dataset: from ``open_dataset``.
        predictions: folder with a folder for each sequence. Values are object ids; for
            ``davis2016`` any value above 0 is the object.
        protocol: what the report says about how the predictions were made.
        progress: called with the share done.

    Raises:
        DatasetError: a sequence's folder is missing (told before anything is scored), or the data
            set is not as expected.
        MaskError: a prediction or an annotation cannot be read, or they differ in size.
    """
    scores = tuple(score_each(dataset, predictions, progress))
    return Report(scores, {"dataset": dataset.kind, **(protocol or {})})


def score_each(
    dataset: Dataset, predictions: Path, progress: Progress = lambda share: None
) -> Iterator[SequenceScore]:
    """Like ``score``, one sequence at a time: what was given out stays if a later one fails."""
    require_predictions(dataset, predictions)
    for index, sequence in enumerate(dataset):

        def step(share: float, done: int = index) -> None:
            progress((done + share) / len(dataset))

        yield score_folder(sequence, predictions / sequence.name, step)


def score_folder(
    sequence: Sequence, folder: Path, progress: Progress = lambda share: None
) -> SequenceScore:
    """Score one sequence's folder of ``<frame>.png``; a file that is missing counts as empty.

    Raises:
        DatasetError: the folder is missing.
        MaskError: a prediction or an annotation cannot be read, or they differ in size.
    """
    _require_folder(folder)

    def read(stem: str) -> Labels | None:
        path = folder / f"{stem}.png"
        return sequence.read(path) if path.exists() else None

    return score_sequence(sequence, read, progress)


def score_sequence(
    sequence: Sequence, prediction: Prediction, progress: Progress = lambda share: None
) -> SequenceScore:
    """Score one sequence's predictions, wherever they come from.

    Args:
        sequence: its annotations are read as they are needed.
        prediction: called with the stem of each frame that counts, in order; returns object ids
            (H, W) uint8, or None where there is no prediction, which counts as empty.
        progress: called with the share done.

    Raises:
        MaskError: an annotation cannot be read, or a prediction has another size.
    """
    values: dict[int, dict[str, tuple[float, float]]] = {n: {} for n in sequence.objects}
    missing, strangers = [], set()
    frames = sequence.scored_frames
    for index, stem in enumerate(frames):
        annotation = sequence.read(sequence.annotations[stem])
        labels = prediction(stem)
        if labels is None:
            missing.append(f"{stem}.png")
            labels = np.zeros_like(annotation)
        _require_size(labels, annotation, f"{sequence.name}/{stem}.png")
        strangers.update(set(values_in(labels)) - set(sequence.objects))
        counted = [n for n in sequence.objects if stem in sequence.scored[n]]
        for number, pair in score_frame(labels, annotation, counted).items():
            values[number][stem] = pair
        progress((index + 1) / len(frames))
    objects = tuple(_object_score(number, pairs) for number, pairs in values.items())
    return SequenceScore(sequence.name, objects, tuple(missing), tuple(sorted(strangers)))


def score_frame(
    prediction: Labels, annotation: Labels, objects: Iterable[int]
) -> dict[int, tuple[float, float]]:
    """J and F, 0…1, of each object in one frame.

    Args:
        prediction: object ids (H, W) uint8; other values are background.
        annotation: object ids (H, W) uint8; pixels of 255 count for nothing.
        objects: ids to score.

    Raises:
        MaskError: the two differ in size.
    """
    void: NDArray[np.bool_] | None = annotation == VOID
    if not np.any(void):
        void = None
    pairs = {}
    for number in objects:
        predicted, annotated = prediction == number, annotation == number
        pairs[number] = (
            jaccard(predicted, annotated, void),
            boundary_f(predicted, annotated, void),
        )
    return pairs


def _object_score(number: int, pairs: Mapping[str, tuple[float, float]]) -> ObjectScore:
    figures = np.array(list(pairs.values()), np.float64).reshape(-1, 2)
    return ObjectScore(number, tuple(pairs), figures[:, 0], figures[:, 1])


def require_predictions(dataset: Dataset, predictions: Path) -> None:
    """Raise DatasetError unless each sequence has a folder among the predictions."""
    for name in dataset.names:
        _require_folder(predictions / name)


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise DatasetError(
            f"predictions of sequence {folder.name} are missing: expected {folder} with a PNG for "
            "each frame. Leave the sequence out with --sequences, or predict it."
        )


def _require_size(labels: Labels, annotation: Labels, name: str) -> None:
    if labels.shape != annotation.shape:
        raise MaskError(
            f"prediction {name} must be (H, W)={annotation.shape} like its annotation; "
            f"got {labels.shape}. Save predictions at the annotations' size."
        )
