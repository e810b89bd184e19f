"""Memory for pictures and masks: a few rooms, used over and over. Why: docs/adr/0024."""

from __future__ import annotations

import mmap
from collections import deque

import numpy as np
from numpy.typing import NDArray

MOST = 8  # received, waiting, followed, last, shown by page and window; some to spare
LEAST = 4  # with neither page nor window
BUDGET = 32 << 20  # bytes: large pictures have fewer rooms, though not fewer than that

Bytes = NDArray[np.uint8]


class Rooms:
    """Hands out arrays of bytes; one that nobody holds any more is used again.

    All rooms are there, page by page, from the first call on. When they are all taken, a recording
    that waits for the disk holds dozens, a further array is a mapping of its own, which goes back
    to the system when it is let go. Whoever asks is one thread; any thread may let go.

    Args:
        most: rooms.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most, self._length = most, 0
        self._free: deque[Bytes] = deque()

    def take(self, length: int) -> Bytes:
        """An array (length,) uint8 of anything. Another length than before makes rooms anew."""
        if length != self._length:
            self._length = length
            count = min(self._most, max(LEAST, BUDGET // length))
            self._free = deque(np.full(length, 1, np.uint8) for _ in range(count))
        try:
            room = self._free.pop()
        except IndexError:
            return np.frombuffer(mmap.mmap(-1, length), np.uint8)
        return np.asarray(_Lease(room, self._free))


class _Lease:
    """What every view of a room refers to in the end; the room is free once it is gone."""

    def __init__(self, room: Bytes, free: deque[Bytes]) -> None:
        self.__array_interface__ = room.__array_interface__
        self._room, self._free = room, free

    def __del__(self) -> None:
        self._free.append(self._room)
