"""DAVIS-2016: one object a sequence, any value above 0; the first and last frame do not count."""

from __future__ import annotations

from pathlib import Path

from edge_ttvos.evaluation.datasets.base import Dataset, Sequence, open_layout
from edge_ttvos.evaluation.datasets.layout import Files, find_layout

NAME = "davis2016"


def open_root(root: Path) -> Dataset:
    """Open a folder with ``JPEGImages/[480p/]`` and ``Annotations/[480p/]``."""
    return open_layout(NAME, find_layout(root), load)


def load(files: Files) -> Sequence:
    """One object, 1, given by the first frame; every frame must be annotated (DatasetError)."""
    files.require_annotations()
    stems = tuple(files.annotations)
    return Sequence(
        name=files.name,
        frames=files.frames,
        annotations=files.annotations,
        first={1: stems[0]},
        scored={1: stems[1:-1]},
        binary=True,
    )
