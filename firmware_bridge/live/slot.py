"""Where the newest picture waits for the tracker. Older ones are dropped, and counted."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from edge_ttvos.firmware_bridge.sources.camera import Shot


@dataclass(frozen=True)
class Counts:
    """What became of the pictures: always ``received == processed + dropped + in_flight``."""

    received: int = 0
    processed: int = 0
    dropped: int = 0
    in_flight: int = 0


@dataclass(frozen=True)
class Numbered:
    """A picture and its place among all that were received, from 0."""

    number: int
    shot: Shot


class Slot:
    """Room for one picture between the thread that receives them and the one that uses them.

    Who takes a picture settles it: ``processed`` or ``drop``.

    Args:
        keep_all: ``put`` waits until there is room instead of dropping: no camera can, files can.
    """

    def __init__(self, keep_all: bool = False) -> None:
        self.keep_all = keep_all
        self._changed = threading.Condition()
        self._waiting: Numbered | None = None
        self._closed = False
        self._received = self._processed = self._dropped = self._taken = 0

    def put(self, shot: Shot) -> None:
        """The newest picture; one that still waits is dropped."""
        with self._changed:
            if self.keep_all:
                self._changed.wait_for(lambda: self._waiting is None or self._closed)
            if self._waiting is not None:
                self._dropped += 1
            self._waiting = Numbered(self._received, shot)
            self._received += 1
            self._changed.notify_all()

    def take(self, timeout: float) -> Numbered | None:
        """The newest picture, or None if none comes within ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None, timeout)
            taken, self._waiting = self._waiting, None
            if taken is not None:
                self._taken += 1
                self._changed.notify_all()
            return taken

    def processed(self) -> None:
        """A picture that was taken has its mask."""
        with self._changed:
            self._settle()
            self._processed += 1

    def drop(self) -> None:
        """A picture that was taken gets none."""
        with self._changed:
            self._settle()
            self._dropped += 1

    def close(self) -> None:
        """Let go whoever waits for room."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def counts(self) -> Counts:
        """All at one moment."""
        with self._changed:
            in_flight = self._taken + (self._waiting is not None)
            return Counts(self._received, self._processed, self._dropped, in_flight)

    def _settle(self) -> None:
        if not self._taken:
            raise RuntimeError("a picture was settled that nobody took")
        self._taken -= 1
