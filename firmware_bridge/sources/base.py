"""What every source of frames offers: the size up front, then the frames one by one.

A source knows the whole recording and yields the part that a ``Window`` selects. It can be iterated
again from the start, unless it wraps an iterator. At most two frames are in memory at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import FrameError, SourceError

Image = NDArray[np.uint8]
AnySource = TypeVar("AnySource", bound="Source")


@dataclass(frozen=True)
class Frame:
    """One frame of a recording.

    Attributes:
        index: its place in the whole recording, from 0, whatever part of it is read.
        name: stem for files about this frame: the image file's own, else the index as 00000.
        image: (H, W, 3) RGB uint8.
    """

    index: int
    name: str
    image: Image


@dataclass(frozen=True)
class Window:
    """Which frames of a recording to read, like a slice of non-negative numbers.

    Attributes:
        start: first frame, from 0.
        end: the frame before which to stop; None reads to the last.
        stride: read every stride-th frame.

    Raises:
        SourceError: a number is out of range, or nothing is left to read.
    """

    start: int = 0
    end: int | None = None
    stride: int = 1

    def __post_init__(self) -> None:
        if self.stride < 1:
            raise SourceError(f"stride must be 1 or more; got {self.stride}")
        if self.start < 0:
            raise SourceError(f"start must be 0 or more, counted in frames; got {self.start}")
        if self.end is not None and self.end <= self.start:
            raise SourceError(
                f"end must be greater than start={self.start}, for the end is not read itself; "
                f"got {self.end}"
            )

    def check(self, name: str, length: int) -> None:
        """Raise a SourceError if a recording of ``length`` frames does not hold the window."""
        if self.start >= length:
            raise SourceError(
                f"{name} has {length} frames, 0…{length - 1}; got start={self.start}. "
                "Choose an earlier start."
            )
        if self.end is not None and self.end > length:
            raise SourceError(
                f"{name} has {length} frames; got end={self.end}. Leave end out to read all."
            )

    def count(self, length: int) -> int:
        """Frames that the window selects of a recording of ``length`` frames."""
        return len(self.indices(length))

    def indices(self, length: int) -> range:
        """Their indices."""
        return range(self.start, length if self.end is None else self.end, self.stride)

    def wants(self, index: int) -> bool:
        """Whether a frame at or before the end is one of the selected."""
        return index >= self.start and (index - self.start) % self.stride == 0

    def is_over(self, index: int) -> bool:
        """Whether this frame and all after it are behind the end."""
        return self.end is not None and index >= self.end


class Source(ABC):
    """Frames in order, all of one size, from anywhere. Use it in a ``with`` statement.

    Attributes:
        name: for people, and for the results' records.
        size: height and width in pixels, as shown (rotation applied).
        length: number of frames that will be yielded; None if that shows only at the end.
        fps: frames a second of what is yielded, at normal speed; None if unknown.
    """

    name: str
    size: tuple[int, int]
    length: int | None
    fps: float | None

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames.

        Raises:
            FrameError: a frame cannot be read or has another size; those before it were yielded.
            SourceError: the recording ended too early.
        """

    def close(self) -> None:  # noqa: B027 - most sources hold nothing between frames
        """Let go of files and devices."""

    def __enter__(self: AnySource) -> AnySource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def check_size(what: str, image: Image, size: tuple[int, int]) -> None:
    """Raise a FrameError that names both sizes if a frame differs from the first.

    Args:
        what: the frame, as a sentence's subject.
        image: (H, W, 3).
        size: height and width of the first frame.
    """
    height, width = image.shape[:2]
    if (height, width) != size:
        raise FrameError(
            f"{what} is {width}×{height}, the first frame {size[1]}×{size[0]} (width×height): "
            "all frames must be of one size. Resize them, or track the parts one by one."
        )
