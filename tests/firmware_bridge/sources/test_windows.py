from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.sources import Window, open_source


@given(
    length=st.integers(1, 20),
    start=st.integers(0, 25),
    end=st.none() | st.integers(0, 25),
    stride=st.integers(1, 6),
)
def test_a_window_reads_what_a_slice_reads_or_says_why_not(
    length: int, start: int, end: int | None, stride: int
) -> None:
    arrays = [np.full((2, 2, 3), i, np.uint8) for i in range(length)]
    fits = start < length and (end is None or start < end <= length)
    for source in (arrays, iter(arrays)):  # with and without a length known in advance
        if not fits:
            with pytest.raises(SourceError):
                list(open_source(source, start, end, stride))
            continue
        opened = open_source(source, start, end, stride)
        frames = list(opened)
        assert [int(f.image[0, 0, 0]) for f in frames] == list(range(length))[start:end:stride]
        assert [f.index for f in frames] == list(range(length))[start:end:stride]
        assert opened.length in (None, len(frames))


@pytest.mark.parametrize(
    ("start", "end", "stride", "what"),
    [
        (0, None, 0, "stride must be 1 or more; got 0"),
        (-1, None, 1, "start must be 0 or more"),
        (5, 5, 1, "end must be greater than start=5"),
    ],
)
def test_numbers_that_no_recording_could_serve_are_refused_at_once(
    start: int, end: int | None, stride: int, what: str
) -> None:
    with pytest.raises(SourceError, match=what):
        Window(start, end, stride)
