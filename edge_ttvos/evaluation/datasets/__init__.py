"""Data sets to evaluate on, by the name that ``--dataset`` takes.

One file a data set; each says how a sequence's objects, their first frames and the frames that
count follow from the files. ``layout`` finds the files, ``base`` is what all others work with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from edge_ttvos.errors import DatasetError
from edge_ttvos.evaluation.datasets import davis2016, davis2017, folder, youtube_vos
from edge_ttvos.evaluation.datasets.base import VOID, Dataset, Sequence
from edge_ttvos.evaluation.datasets.selection import parse_sequences

__all__ = ["DATASETS", "VOID", "Dataset", "Sequence", "open_dataset", "parse_sequences"]

Opener = Callable[[Path], Dataset]

DATASETS: dict[str, Opener] = {
    davis2016.NAME: davis2016.open_root,
    davis2017.NAME: davis2017.open_root,
    youtube_vos.NAME: youtube_vos.open_root,
    folder.NAME: folder.open_root,
}


def open_dataset(kind: str, root: Path, sequences: Iterable[str] | None = None) -> Dataset:
    """Find a data set's sequences; nothing but folders and meta.json is read until one is loaded.

    Args:
        kind: a key of ``DATASETS``.
        root: the data set's folder.
        sequences: names to keep, in this order; by default all with frames and annotations.

    Raises:
        DatasetError: the kind is unknown, the folder is not laid out like it, a named sequence has
            no frames or no annotations, or there is nothing left.
    """
    if kind not in DATASETS:
        raise DatasetError(f"data set must be one of {', '.join(DATASETS)}; got {kind!r}")
    dataset = DATASETS[kind](Path(root))
    return dataset if sequences is None else dataset.select(sequences)
