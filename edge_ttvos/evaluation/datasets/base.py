"""What every data set comes down to: sequences with frames, annotations and frames that count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import DatasetError
from edge_ttvos.evaluation.datasets.layout import Files, Layout
from edge_ttvos.evaluation.masks import Labels, read_mask

VOID = 255  # value of annotated pixels that count for nothing


@dataclass(frozen=True)
class Sequence:
    """One sequence. A frame is called by its file's stem, such as ``00005``.

    Attributes:
        name: of the sequence.
        frames: images in order.
        annotations: mask file of each annotated frame, in order.
        first: the frame whose annotation gives each object, ids ascending.
        scored: the frames that count for each object, in order; none where nothing is known.
        binary: any value above 0 in a mask is object 1 and there are no void pixels.
    """

    name: str
    frames: tuple[Path, ...]
    annotations: Mapping[str, Path]
    first: Mapping[int, str]
    scored: Mapping[int, tuple[str, ...]]
    binary: bool = False

    @property
    def objects(self) -> tuple[int, ...]:
        """Ids, ascending."""
        return tuple(self.first)

    @property
    def scored_frames(self) -> tuple[str, ...]:
        """Frames that count for at least one object, in order."""
        wanted = {stem for stems in self.scored.values() for stem in stems}
        return tuple(stem for stem in self.annotations if stem in wanted)

    def read(self, path: Path) -> Labels:
        """Read an annotation or a prediction of this sequence: object ids (H, W) uint8.

        Raises:
            MaskError: the file cannot be read as a mask.
        """
        return read_labels(path, self.binary)

    def start_masks(self, stem: str) -> dict[int, NDArray[np.bool_]]:
        """Masks (H, W) bool of the objects that start at a frame, by id; empty if none does.

        Raises:
            DatasetError: the annotation does not show an object that should start there.
            MaskError: the annotation cannot be read.
        """
        starting = [number for number, first in self.first.items() if first == stem]
        if not starting:
            return {}
        labels = self.read(self.annotations[stem])
        masks = {number: labels == number for number in starting}
        for number, mask in masks.items():
            if not mask.any():
                raise DatasetError(
                    f"{self.annotations[stem]} must show object {number}, which starts there; "
                    f"got values {list(values_in(labels))}"
                )
        return masks


Loader = Callable[[Files], Sequence]


@dataclass(frozen=True)
class Dataset:
    """Sequences by name, loaded when asked for.

    Attributes:
        kind: what ``--dataset`` called it.
        layout: where its files are.
        names: of the sequences, in the order they are evaluated.
        loader: turns a sequence's files into a sequence.
    """

    kind: str
    layout: Layout
    names: tuple[str, ...]
    loader: Loader

    def load(self, name: str) -> Sequence:
        """Load one sequence.

        Raises:
            DatasetError: its frames and annotations do not fit together.
            MaskError: an annotation that had to be read cannot be.
        """
        return self.loader(self.layout.files(name))

    def __iter__(self) -> Iterator[Sequence]:
        return (self.load(name) for name in self.names)

    def __len__(self) -> int:
        return len(self.names)

    def select(self, names: Iterable[str]) -> Dataset:
        """The same data set with these sequences only, in this order, each once.

        Raises:
            DatasetError: a sequence has no frames or no annotations, or no name is given.
        """
        chosen = tuple(dict.fromkeys(names))
        if not chosen:
            raise DatasetError("expected at least one sequence name; got none")
        for name in chosen:
            self.layout.require(name)
        return replace(self, names=chosen)


def open_layout(kind: str, layout: Layout, loader: Loader) -> Dataset:
    """A data set of all the sequences that a layout holds.

    Raises:
        DatasetError: it holds none.
    """
    names = layout.names()
    if not names:
        raise DatasetError(
            f"{layout.frames.parent} holds no sequence: expected images in {layout.frames} and PNG "
            f"masks in {layout.annotations}, a folder of one name for each sequence in both"
        )
    return Dataset(kind, layout, names, loader)


def read_labels(path: Path, binary: bool) -> Labels:
    """Object ids (H, W) uint8 of a mask; if ``binary``, 1 wherever the file's value is not 0."""
    values = read_mask(path)
    return (values > 0).astype(np.uint8) if binary else values


def values_in(labels: Labels) -> tuple[int, ...]:
    """Values above 0 that occur in labels (H, W) uint8, ascending."""
    return tuple(int(value) for value in np.flatnonzero(np.bincount(labels.ravel())) if value)


def object_ids(labels: Labels) -> tuple[int, ...]:
    """Ids that occur in labels (H, W) uint8, ascending, without background and void."""
    return tuple(value for value in values_in(labels) if value != VOID)


def first_seen(annotations: Mapping[str, Path]) -> dict[int, str]:
    """The frame that shows each object first, by id ascending; reads every annotation."""
    first: dict[int, str] = {}
    for stem, path in annotations.items():
        for number in object_ids(read_mask(path)):
            first.setdefault(number, stem)
    return dict(sorted(first.items()))


def after_first(
    first: Mapping[int, str], annotations: Mapping[str, Path]
) -> dict[int, tuple[str, ...]]:
    """The annotated frames after each object's first, the last one kept."""
    stems = tuple(annotations)
    return {number: stems[stems.index(stem) + 1 :] for number, stem in first.items()}
