from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_ttvos.errors import FrameError, SourceError
from edge_ttvos.firmware_bridge.sources import ArraySource, Window, open_source

Image = NDArray[np.uint8]


def frames(count: int, read: list[int]) -> Iterator[Image]:
    for index in range(count):
        read.append(index)
        yield np.full((4, 6, 3), index, np.uint8)


def test_a_stacked_array_is_a_source_with_a_length() -> None:
    with open_source(np.zeros((5, 4, 6, 3), np.uint8), stride=2) as source:
        assert (source.size, source.length) == ((4, 6), 3)
        assert [f.name for f in source] == ["00000", "00002", "00004"]
        assert len(list(source)) == 3, "a second pass reads the same"


def test_an_iterator_is_read_as_it_is_asked_for_and_never_ahead() -> None:
    read: list[int] = []
    source = open_source(frames(1000, read), end=100)
    assert source.length is None
    for frame in source:
        assert len(read) == frame.index + 1
    assert len(read) == 100


def test_an_iterator_that_ends_before_the_end_that_was_asked_for() -> None:
    source = iter(open_source(frames(7, []), end=9))
    assert [next(source).index for _ in range(7)] == list(range(7))
    with pytest.raises(SourceError, match=r"has 7 frames; got end=9"):
        next(source)


def test_a_frame_of_another_size_names_both_sizes() -> None:
    arrays = [np.zeros((4, 6, 3), np.uint8), np.zeros((4, 8, 3), np.uint8)]
    with pytest.raises(FrameError, match=r"frame 1 is 8×4, the first frame 6×4"):
        list(open_source(arrays))


@pytest.mark.parametrize(
    "array", [np.zeros((4, 6), np.uint8), np.zeros((4, 6, 3)), np.zeros((4, 6, 4), np.uint8), "no"]
)
def test_what_is_no_frame_is_refused(array: object) -> None:
    with pytest.raises(FrameError, match=r"frame 0 must be an array \(H, W, 3\) of uint8"):
        ArraySource([array], Window())  # type: ignore[list-item]


def test_no_frames_at_all() -> None:
    with pytest.raises(SourceError, match="got none"):
        open_source(iter([]))


def test_fps_follows_the_stride() -> None:
    arrays = np.zeros((9, 4, 6, 3), np.uint8)
    assert ArraySource(arrays, Window(stride=3), fps=30).fps == 10
    assert ArraySource(arrays).fps is None
