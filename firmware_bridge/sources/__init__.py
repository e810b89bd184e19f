"""Frames from anywhere, behind one interface: folders, video files, arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.sources.arrays import ArraySource
from edge_ttvos.firmware_bridge.sources.base import Frame, Source, Window
from edge_ttvos.firmware_bridge.sources.folder import FolderSource
from edge_ttvos.firmware_bridge.sources.images import SUFFIXES, ImagesSource
from edge_ttvos.firmware_bridge.sources.video import VideoSource

__all__ = [
    "ArraySource",
    "FolderSource",
    "Frame",
    "ImagesSource",
    "Source",
    "VideoSource",
    "Window",
    "open_source",
]


def open_source(
    source: str | Path | Sequence[Path] | Iterable[NDArray[np.uint8]],
    start: int = 0,
    end: int | None = None,
    stride: int = 1,
) -> Source:
    """Open a folder of images, a list of image files, a video file, or anything that yields arrays.

    Args:
        source: a path, a sequence of paths, or arrays (H, W, 3) RGB uint8.
        start: first frame to read, from 0.
        end: the frame before which to stop; None reads to the last.
        stride: read every stride-th frame.

    Raises:
        SourceError: nothing there, no frames, a gap in a folder's numbering, or out of range.
        FrameError: the first frame cannot be read.
    """
    window = Window(start, end, stride)
    if isinstance(source, str | Path):
        return _open_path(Path(source), window)
    if isinstance(source, Sequence) and source and isinstance(source[0], str | Path):
        paths = [Path(str(path)) for path in source]
        return ImagesSource(paths[0].resolve().parent.name, paths, window)
    return ArraySource(cast(Iterable[NDArray[np.uint8]], source), window)


def _open_path(path: Path, window: Window) -> Source:
    if path.is_dir():
        return FolderSource(path, window)
    if not path.exists():
        raise SourceError(f"{path} does not exist: expected a video file or a folder of images")
    if path.suffix.lower() in SUFFIXES:
        raise SourceError(
            f"{path} is a single image: expected a video file or a folder of images. "
            "To track through the images beside it, give their folder."
        )
    return VideoSource(path, window)
