"""The picture that viewers see: drawn and encoded once for all of them, in a thread of its own.

A viewer asks for the next picture when it has shown the last one. A slow one thus skips pictures,
and neither the tracker nor another viewer ever waits for it.
"""

from __future__ import annotations

import asyncio
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from edge_ttvos.firmware_bridge.live.film import encode
from edge_ttvos.firmware_bridge.live.outcome import Image, Outcome
from edge_ttvos.firmware_bridge.live.outlet import Outlet
from edge_ttvos.firmware_bridge.live.status import Status

LONGEST = 960  # pixels of a preview's longer side
QUALITY = 80
HEARTBEAT = 1.0  # seconds after which viewers are told how things are, picture or not
LENGTH = struct.Struct("<I")


class Preview:
    """The last picture as a message for viewers: length of the JSON, the JSON, the JPEG.

    Args:
        status: goes with every picture.
    """

    def __init__(self, status: Status) -> None:
        self._status = status
        self._lock = threading.Lock()
        self._viewers: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._message = b""
        self._last: Outcome | None = None
        self._outlet = Outlet("preview", self._encode, 1)

    @property
    def viewers(self) -> int:
        """How many there are; without any, nothing is drawn or encoded."""
        return len(self._viewers)

    def show(self, outcome: Outcome) -> None:
        """The newest picture, from the loop's thread."""
        self._last = outcome
        if self._viewers:
            self._outlet.put(outcome)

    @contextmanager
    def viewer(self) -> Iterator[Viewer]:
        """One more viewer, in an asyncio task."""
        changed = asyncio.Event()
        with self._lock:
            self._viewers[changed] = asyncio.get_running_loop()
        if self._last is not None:
            self._outlet.put(self._last)
        try:
            yield Viewer(self, changed)
        finally:
            with self._lock:
                del self._viewers[changed]

    def latest(self) -> bytes:
        """The last message with a picture."""
        with self._lock:
            return self._message

    def state(self) -> bytes:
        """A message without a picture."""
        return _message(self._status, self._last, b"")

    def close(self) -> None:
        """Encode no more."""
        self._outlet.close(1.0)

    def _encode(self, outcome: Outcome) -> None:
        jpeg = encode(shrunk(outcome.drawn), QUALITY).tobytes()
        message = _message(self._status, outcome, jpeg)
        with self._lock:
            self._message = message
            for changed, loop in self._viewers.items():
                loop.call_soon_threadsafe(changed.set)


class Viewer:
    """One viewer's place in the row of pictures."""

    def __init__(self, preview: Preview, changed: asyncio.Event) -> None:
        self._preview, self._changed = preview, changed

    async def next(self) -> bytes:
        """The newest message that this viewer has not had, as soon as there is one."""
        try:
            await asyncio.wait_for(self._changed.wait(), HEARTBEAT)
        except asyncio.TimeoutError:
            return self._preview.state()
        self._changed.clear()
        return self._preview.latest()


def _message(status: Status, outcome: Outcome | None, jpeg: bytes) -> bytes:
    text = json.dumps(status.of(outcome), allow_nan=False).encode()
    return LENGTH.pack(len(text)) + text + jpeg


def shrunk(picture: Image) -> Image:
    """The picture, at most ``LONGEST`` long."""
    scale = LONGEST / max(picture.shape[:2])
    if scale >= 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
