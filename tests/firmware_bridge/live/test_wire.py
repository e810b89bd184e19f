"""Messages between the capture process and the tracker's, and what becomes of broken ones."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.live.rooms import Rooms
from edge_ttvos.firmware_bridge.live.wire import (
    HEADER,
    Kind,
    Note,
    receive,
    send_note,
    send_shot,
)
from edge_ttvos.firmware_bridge.sources.camera import Shot


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The reading and the writing end; tests may close the latter."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    with suppress(OSError):
        os.close(writing)


def test_a_picture_larger_than_the_pipe_arrives(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    image = np.random.default_rng(0).integers(0, 256, (300, 401, 3)).astype(np.uint8)
    sender = threading.Thread(target=send_shot, args=(writing, Shot(12345, image)))
    sender.start()

    got = receive(reading, 10, Rooms())
    sender.join()

    assert isinstance(got, Shot)
    assert got.captured == 12345
    assert (got.image == image).all()


def test_a_note_arrives(pipe: tuple[int, int]) -> None:
    send_note(pipe[1], Kind.FATAL, "type: sudo …")

    assert receive(pipe[0], 10, Rooms()) == Note(Kind.FATAL, "type: sudo …")


def test_the_end_is_none(pipe: tuple[int, int]) -> None:
    os.close(pipe[1])

    assert receive(pipe[0], 10, Rooms()) is None


def test_silence_is_a_timeout(pipe: tuple[int, int]) -> None:
    with pytest.raises(TimeoutError):
        receive(pipe[0], 0.01, Rooms())


@pytest.mark.parametrize("sent", [5, HEADER.size, HEADER.size + 7])
def test_half_a_message_is_an_error(pipe: tuple[int, int], sent: int) -> None:
    whole = HEADER.pack(Kind.PICTURE.value, 1, 2, 2, 12) + bytes(12)
    os.write(pipe[1], whole[:sent])
    os.close(pipe[1])

    with pytest.raises(SourceError, match="in the middle of a picture"):
        receive(pipe[0], 10, Rooms())


@pytest.mark.parametrize(
    "header",
    [
        HEADER.pack(Kind.PICTURE.value, 1, 2, 2, 13),
        HEADER.pack(Kind.DONE.value, 1, 0, 0, (1 << 28) + 1),
        HEADER.pack(b"Z", 1, 0, 0, 0),
    ],
)
def test_what_is_no_message_is_refused(pipe: tuple[int, int], header: bytes) -> None:
    os.write(pipe[1], header)

    with pytest.raises(SourceError, match="no message"):
        receive(pipe[0], 10, Rooms())
