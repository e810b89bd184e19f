"""A folder of images, one a frame, in natural order of their names."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.sources.base import Window
from edge_ttvos.firmware_bridge.sources.images import SUFFIXES, ImagesSource
from edge_ttvos.firmware_bridge.sources.numbering import check_numbering, natural_key


class FolderSource(ImagesSource):
    """The images of a folder; other files, hidden files and folders in it are ignored.

    Args:
        folder: its path.
        window: which of the images to yield; it counts files, not the numbers in their names.

    Raises:
        SourceError: no folder, no images, a gap in the window's numbering, or two images whose
            names differ in the suffix alone.
        FrameError: the window's first image cannot be read.
    """

    def __init__(self, folder: Path, window: Window = Window()) -> None:  # noqa: B008 - frozen
        paths = _images(folder)
        window.check(str(folder), len(paths))
        inside = paths[window.start : window.end]
        check_numbering(str(folder), [path.stem for path in inside])
        super().__init__(folder.resolve().name, paths, window)


def _images(folder: Path) -> list[Path]:
    try:
        entries = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise SourceError(f"{folder} cannot be read as a folder: {error.strerror}") from error
    paths = [path for path in entries if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not paths:
        raise SourceError(
            f"{folder} holds no images: expected {', '.join(SUFFIXES)} files, one a frame; "
            f"got {len(entries)} other entries"
        )
    paths.sort(key=lambda path: (natural_key(path.stem), path.suffix))
    for before, after in pairwise(paths):
        if before.stem == after.stem:
            raise SourceError(
                f"{folder} holds {before.name} and {after.name}, which would share one result "
                f"file: expected one image for each name. Remove one of them."
            )
    return paths
