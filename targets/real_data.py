"""What a data folder adds to a deployment: real clips to compare on, and the float model's J&F."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from edge_ttvos.data.material import HELD_OUT, SEQUENCES
from edge_ttvos.evaluation.datasets import Dataset, Sequence, open_dataset
from edge_ttvos.evaluation.report import Report, j_and_f
from edge_ttvos.firmware_bridge.bundle.manifest import FloatScores, SequenceFigures
from edge_ttvos.firmware_bridge.evaluate import Evaluation, evaluate
from edge_ttvos.firmware_bridge.latency import Latencies
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.network.engine import TorchEngine
from edge_ttvos.targets.clip import Clip

EVALUATION = "davis2016"  # kind of the data set, and its folder's name
CLIPS = HELD_OUT[2:4]  # training sequences set aside; nothing is chosen or calibrated on them here
FRAMES = 20  # of each


def real_clips(root: Path) -> tuple[Clip, ...]:
    """The beginnings of two training sequences of a data folder.

    Raises:
        DatasetError: the training part is missing or laid out otherwise.
    """
    dataset = open_dataset(EVALUATION, root / SEQUENCES, CLIPS)
    return tuple(_clip(sequence) for sequence in dataset)


def _clip(sequence: Sequence) -> Clip:
    paths = sequence.frames[:FRAMES]
    (mask,) = sequence.start_masks(paths[0].stem).values()
    return Clip(sequence.name, tuple(read_image(path) for path in paths), mask)


def evaluation_part(root: Path) -> Dataset:
    """The sequences that a deployment is scored on.

    Raises:
        DatasetError: there is no such part.
    """
    return open_dataset(EVALUATION, root / EVALUATION)


def float_scores(
    checkpoint: Checkpoint,
    size: tuple[int, int] | None,
    dataset: Dataset,
    listen: Callable[[str, float], None],
) -> FloatScores:
    """J&F of the network in PyTorch, float32, at one size, by sequence.

    Raises:
        DatasetError, MaskError, FrameError: the data cannot be used.
    """
    tracker = Tracker(TorchEngine(checkpoint, size), max_objects=1)
    with closing(tracker), tempfile.TemporaryDirectory() as masks:
        task = Evaluation(dataset, "mask", Path(masks))
        done = tuple(
            evaluate(
                tracker,
                task,
                Latencies(),
                lambda name, share: listen(f"J&F of the float model: {name}", share),
            )
        )
    report = Report(done)
    figures = {
        score.name: SequenceFigures(
            j_and_f(score.j, score.f),
            None if score.j is None else 100 * score.j.mean,
            None if score.f is None else 100 * score.f.mean,
        )
        for score in done
    }
    return FloatScores(EVALUATION, figures, j_and_f(report.j, report.f))
