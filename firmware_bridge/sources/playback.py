"""A video file or a folder of images, played like a camera. Taken is a frame when it is shown.

What is wrong with a recording stays wrong: playing it anew from its beginning does not help.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from edge_ttvos.errors import CameraSetupError, InputError
from edge_ttvos.firmware_bridge.sources import open_source
from edge_ttvos.firmware_bridge.sources.camera import Camera, CameraOptions, Shot

FPS = 25.0  # of folders, and of videos that do not say


class Playback(Camera):
    """Frames at the recording's own speed, once or over and over.

    Args:
        path: as ``open_source`` takes it.
        options: ``size`` does not apply.

    Raises:
        CameraSetupError: there is nothing that can be played.
    """

    def __init__(self, path: str, options: CameraOptions) -> None:
        try:
            self._source = open_source(path)
        except InputError as error:
            raise CameraSetupError(str(error)) from error
        self.name = self._source.name
        self._options = options
        self._period = 1e9 / (options.fps or self._source.fps or FPS)  # nanoseconds

    def __iter__(self) -> Iterator[Shot]:
        try:
            yield from self._once()
            while self._options.loop:
                yield from self._once()
        except InputError as error:
            raise CameraSetupError(str(error)) from error

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def _once(self) -> Iterator[Shot]:
        """Whoever takes the frames may hold them up; never do they come faster than they should."""
        due = 0.0
        for frame in self._source:
            time.sleep(max(0.0, due - time.monotonic_ns()) / 1e9)
            now = time.monotonic_ns()
            due = (due if now - due < self._period else now) + self._period
            yield Shot(now, frame.image)
