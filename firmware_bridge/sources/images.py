"""Image files in the order given, one a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from edge_ttvos.errors import FrameError
from edge_ttvos.evaluation.masks import UNREADABLE
from edge_ttvos.firmware_bridge.sources.base import Frame, Source, Window, check_size

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")

_DEEP = ("I", "F")  # first letters of Pillow's modes with more than 8 bits a channel


class ImagesSource(Source):
    """Images by path; a frame's name is its file's stem.

    Args:
        name: for people.
        paths: the files, in order.
        window: which of them to yield.

    Raises:
        SourceError: the window is out of range.
        FrameError: the window's first image cannot be read.
    """

    def __init__(self, name: str, paths: Sequence[Path], window: Window) -> None:
        window.check(name, len(paths))
        self.name = name
        self._frames = [(index, paths[index]) for index in window.indices(len(paths))]
        height, width = read_image(self._frames[0][1]).shape[:2]
        self.size = (height, width)
        self.length = len(self._frames)
        self.fps = None

    def __iter__(self) -> Iterator[Frame]:
        for index, path in self._frames:
            image = read_image(path)
            check_size(str(path), image, self.size)
            yield Frame(index, path.stem, image)


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read a photograph (H, W, 3) RGB uint8, upright as its EXIF tag says; transparency is dropped.

    Raises:
        FrameError: the file is missing, damaged, cut short, no image, or has 16 bits a channel.
    """
    try:
        with Image.open(path) as image:
            image.load()
            mode, upright = image.mode, ImageOps.exif_transpose(image)
    except UNREADABLE as error:
        raise FrameError(
            f"{path} cannot be read as an image: {_first_line(error)}. Replace the file, or leave "
            "it out with start and end."
        ) from error
    if mode.startswith(_DEEP):
        raise FrameError(f"{path} must have 8 bits a channel; got Pillow mode {mode}. Convert it.")
    return np.array(upright.convert("RGB"), np.uint8)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
