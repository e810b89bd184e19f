"""Where the frames and annotations of a data set are: files and folders, not what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_ttvos.errors import DatasetError

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
RESOLUTION = "480p"


@dataclass(frozen=True)
class Files:
    """One sequence's files, in the order of their names.

    Attributes:
        name: of the sequence.
        frames: images.
        annotations: masks by their frame's stem.
    """

    name: str
    frames: tuple[Path, ...]
    annotations: Mapping[str, Path]

    def require_annotations(self) -> None:
        """Raise DatasetError unless every frame has its annotation."""
        for frame in self.frames:
            if frame.stem not in self.annotations:
                folder = next(iter(self.annotations.values())).parent
                raise DatasetError(
                    f"sequence {self.name} must have an annotation for each frame; "
                    f"{folder / frame.stem}.png is missing"
                )


@dataclass(frozen=True)
class Layout:
    """Two folders with a folder for each sequence.

    Attributes:
        frames: folder of the images.
        annotations: folder of the masks.
        only: set where the two folders are themselves one sequence, which then has this name.
    """

    frames: Path
    annotations: Path
    only: str | None = None

    def names(self) -> tuple[str, ...]:
        """All sequences that have both frames and annotations, sorted."""
        if self.only is not None:
            candidates = [self.only]
        else:
            candidates = sorted(f.name for f in self.frames.iterdir() if f.is_dir())
        return tuple(name for name in candidates if not self._lacking(name))

    def files(self, name: str) -> Files:
        """One sequence's files.

        Raises:
            DatasetError: there are none, two frames share a stem, or an annotation has no frame.
        """
        self.require(name)
        frames = _images(self._folder(self.frames, name))
        masks = {path.stem: path for path in _masks(self._folder(self.annotations, name))}
        stems = {frame.stem for frame in frames}
        if len(stems) < len(frames):
            raise DatasetError(f"sequence {name} has frames that differ only in their ending")
        for stem, path in masks.items():
            if stem not in stems:
                raise DatasetError(
                    f"sequence {name} lacks frame {stem}: {path} annotates it, but "
                    f"{self._folder(self.frames, name)} has no such image"
                )
        return Files(name, frames, masks)

    def require(self, name: str) -> None:
        """Raise DatasetError, naming what lacks, unless a sequence has frames and annotations."""
        if lacking := self._lacking(name):
            raise DatasetError(
                f"sequence {name} is missing: {lacking}. Expected images in "
                f"{self._folder(self.frames, name)} and PNG masks in "
                f"{self._folder(self.annotations, name)}; check --root and --sequences."
            )

    def _lacking(self, name: str) -> str:
        if self.only not in (None, name):
            return f"{self.frames.parent} holds one sequence only, {self.only}"
        if not _images(self._folder(self.frames, name)):
            return "it has no frames"
        return "" if _masks(self._folder(self.annotations, name)) else "it has no annotations"

    def _folder(self, parent: Path, name: str) -> Path:
        return parent if self.only is not None else parent / name


def find_layout(root: Path) -> Layout:
    """The layout ``JPEGImages/[480p/]<sequence>`` and ``Annotations/[480p/]<sequence>``.

    Raises:
        DatasetError: either folder is not there.
    """
    return Layout(_part(root, "JPEGImages"), _part(root, "Annotations"))


def _part(root: Path, name: str) -> Path:
    for folder in (root / name / RESOLUTION, root / name):
        if folder.is_dir():
            return folder
    raise DatasetError(
        f"{root} has no {name}/ folder: expected JPEGImages/[{RESOLUTION}/]<sequence>/*.jpg and "
        f"Annotations/[{RESOLUTION}/]<sequence>/*.png; check --root"
    )


def _images(folder: Path) -> tuple[Path, ...]:
    return _listed(folder, IMAGES)


def _masks(folder: Path) -> tuple[Path, ...]:
    return _listed(folder, (".png",))


def _listed(folder: Path, endings: tuple[str, ...]) -> tuple[Path, ...]:
    if not folder.is_dir():
        return ()
    found = (f for f in folder.iterdir() if f.suffix.lower() in endings and f.name[0] != ".")
    return tuple(sorted(found))
