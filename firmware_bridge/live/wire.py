"""How pictures come from the capture process: messages on a pipe.

    kind      1 byte   F picture, E error (try again), X error (do not), D done
    captured  8 bytes  nanoseconds of CLOCK_MONOTONIC, which is one clock for all processes
    height    4 bytes  of a picture, else 0
    width     4 bytes  of a picture, else 0
    length    4 bytes  of what follows: RGB rows, or text in UTF-8

Integers are little-endian. Both ends are of one installation, so there is no version.
"""

from __future__ import annotations

import os
import select
import struct
import time
from dataclasses import dataclass
from enum import Enum

import numpy as np

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.live.rooms import Rooms
from edge_ttvos.firmware_bridge.sources.camera import Shot

HEADER = struct.Struct("<cQIII")
CUT_OFF = "the capture process ended in the middle of a picture"
LARGEST = 1 << 28  # bytes of a message; more is no message


class Kind(bytes, Enum):
    """What a message is."""

    PICTURE = b"F"
    ERROR = b"E"
    FATAL = b"X"
    DONE = b"D"


@dataclass(frozen=True)
class Note:
    """A message without a picture."""

    kind: Kind
    text: str


def send_shot(pipe: int, shot: Shot) -> None:
    """Write a picture; waits while the other end does not read.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    height, width = shot.image.shape[:2]
    _send(pipe, HEADER.pack(Kind.PICTURE, shot.captured, height, width, shot.image.nbytes))
    _send(pipe, np.ascontiguousarray(shot.image).data.cast("B"))


def send_note(pipe: int, kind: Kind, text: str) -> None:
    """Write a message without a picture."""
    data = text.encode()
    _send(pipe, HEADER.pack(kind, time.monotonic_ns(), 0, 0, len(data)) + data)


def receive(pipe: int, timeout: float, rooms: Rooms) -> Shot | Note | None:
    """Read the next message; None where the pipe has ended.

    Args:
        pipe: to read from.
        timeout: seconds for the whole message.
        rooms: for pictures.

    Raises:
        TimeoutError: it did not come in time.
        SourceError: the pipe ended in the middle of a message, or holds something else.
    """
    deadline = time.monotonic() + timeout
    header = bytearray(HEADER.size)
    if not _fill(pipe, memoryview(header), deadline):
        return None
    mark, captured, height, width, length = HEADER.unpack(header)
    kind = next((kind for kind in Kind if kind.value == mark), None)
    picture = kind is Kind.PICTURE
    if kind is None or length > LARGEST or (picture and height * width * 3 != length):
        raise SourceError("the capture process sent something that is no message")
    data = rooms.take(length) if picture else np.empty(length, np.uint8)
    if length and not _fill(pipe, data.data, deadline):
        raise SourceError(CUT_OFF)
    if picture:
        return Shot(captured, data.reshape(height, width, 3))
    return Note(kind, data.tobytes().decode(errors="replace"))


def _send(pipe: int, data: bytes | memoryview) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _fill(pipe: int, room: memoryview, deadline: float) -> bool:
    """Fill ``room``; False where the pipe ended before anything came."""
    filled = 0
    while filled < len(room):
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        count = os.readv(pipe, [room[filled:]])
        if not count and filled:
            raise SourceError(CUT_OFF)
        if not count:
            return False
        filled += count
    return True
