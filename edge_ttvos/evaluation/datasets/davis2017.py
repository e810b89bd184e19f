"""DAVIS-2017: the objects of the first annotation, 255 is void; first and last do not count."""

from __future__ import annotations

from pathlib import Path

from edge_ttvos.errors import DatasetError
from edge_ttvos.evaluation.datasets.base import Dataset, Sequence, object_ids, open_layout
from edge_ttvos.evaluation.datasets.layout import Files, find_layout
from edge_ttvos.evaluation.masks import read_mask

NAME = "davis2017"


def open_root(root: Path) -> Dataset:
    """Open a folder with ``JPEGImages/[480p/]`` and ``Annotations/[480p/]``."""
    return open_layout(NAME, find_layout(root), load)


def load(files: Files) -> Sequence:
    """The ids of the first annotation are the objects, as in the benchmark: later ones are not.

    Raises:
        DatasetError: a frame has no annotation, or the first one shows no object.
        MaskError: the first annotation cannot be read.
    """
    files.require_annotations()
    stems = tuple(files.annotations)
    objects = object_ids(read_mask(files.annotations[stems[0]]))
    if not objects:
        raise DatasetError(
            f"{files.annotations[stems[0]]} must show the sequence's objects as values 1…254; got "
            "none. For masks of 0 and 255 use --dataset davis2016."
        )
    return Sequence(
        name=files.name,
        frames=files.frames,
        annotations=files.annotations,
        first=dict.fromkeys(objects, stems[0]),
        scored=dict.fromkeys(objects, stems[1:-1]),
    )
