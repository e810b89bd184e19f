"""Any folder of frames and masks: one sequence, or a folder for each sequence.

    root/frames/*.jpg  root/masks/*.png                        one sequence, named like root
    root/frames/<sequence>/*.jpg  root/masks/<sequence>/*.png  many

``images`` or ``JPEGImages`` may stand for ``frames``, ``annotations`` or ``Annotations`` for
``masks``. A mask belongs to the frame of its stem; not every frame needs one. Values are object ids
and 255 is void, unless a sequence's masks hold 0 and 255 alone: then 255 is its only object.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_ttvos.errors import DatasetError
from edge_ttvos.evaluation.datasets.base import (
    VOID,
    Dataset,
    Sequence,
    after_first,
    first_seen,
    open_layout,
)
from edge_ttvos.evaluation.datasets.layout import Files, Layout
from edge_ttvos.evaluation.masks import read_mask

NAME = "folder"
FRAMES = ("frames", "images", "JPEGImages")
MASKS = ("masks", "annotations", "Annotations")


def open_root(root: Path) -> Dataset:
    """Open a folder of frames and masks.

    Raises:
        DatasetError: it has no folder of frames or none of masks, or they hold nothing.
    """
    frames, masks = _part(root, FRAMES), _part(root, MASKS)
    many = any(entry.is_dir() for entry in frames.iterdir())
    only = None if many else root.resolve().name or NAME
    return open_layout(NAME, Layout(frames, masks, only), load)


def load(files: Files) -> Sequence:
    """A sequence whose objects start where the masks first show them.

    Raises:
        DatasetError: the masks show no object.
        MaskError: a mask cannot be read.
    """
    first = first_seen(files.annotations)
    binary = not first
    if binary:
        first = _first_white(files)
    return Sequence(
        name=files.name,
        frames=files.frames,
        annotations=files.annotations,
        first=first,
        scored=after_first(first, files.annotations),
        binary=binary,
    )


def _first_white(files: Files) -> dict[int, str]:
    for stem, path in files.annotations.items():
        if np.any(read_mask(path) == VOID):
            return {1: stem}
    raise DatasetError(f"sequence {files.name} shows no object: all its masks are 0")


def _part(root: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (root / name).is_dir():
            return root / name
    raise DatasetError(f"{root} has no {names[0]}/ folder ({', '.join(names[1:])} would do too)")
