"""Frames that are arrays already: a list, a stacked array, a generator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import FrameError, SourceError
from edge_ttvos.firmware_bridge.sources.base import Frame, Source, Window, check_size


class ArraySource(Source):
    """Arrays (H, W, 3) RGB uint8, handed on without a copy.

    Args:
        arrays: anything that yields such arrays; an iterator is read one frame ahead at most.
        window: which of them to yield.
        fps: frames a second of the whole, if known.

    Raises:
        FrameError: the first array is no frame.
        SourceError: there are no arrays, or not enough for the window.
    """

    def __init__(
        self,
        arrays: Iterable[NDArray[np.uint8]],
        window: Window = Window(),  # noqa: B008 - frozen
        fps: float | None = None,
    ) -> None:
        self.name = "arrays"
        self._window = window
        first, self._arrays = _peek(arrays)
        _check_frame(0, first)
        self.size = (first.shape[0], first.shape[1])
        self.length = None
        if isinstance(arrays, Sized):
            window.check(self.name, len(arrays))
            self.length = window.count(len(arrays))
        self.fps = None if fps is None else fps / window.stride

    def __iter__(self) -> Iterator[Frame]:
        count = 0
        for array in islice(self._arrays, self._window.end):
            _check_frame(count, array)
            check_size(f"frame {count}", array, self.size)
            if self._window.wants(count):
                yield Frame(count, f"{count:05d}", array)
            count += 1
        self._window.check(self.name, count)


def _peek(
    arrays: Iterable[NDArray[np.uint8]],
) -> tuple[NDArray[np.uint8], Iterable[NDArray[np.uint8]]]:
    """The first array, and all of them again."""
    iterator = iter(arrays)
    try:
        first = next(iterator)
    except StopIteration:
        raise SourceError("expected at least one frame; got none") from None
    return first, chain([first], iterator) if iterator is arrays else arrays


def _check_frame(index: int, array: object) -> None:
    if not isinstance(array, np.ndarray):
        got = type(array).__name__
    elif array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        got = f"shape {array.shape} of {array.dtype}"
    else:
        return
    raise FrameError(f"frame {index} must be an array (H, W, 3) of uint8, RGB; got {got}")
