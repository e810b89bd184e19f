"""What every live source offers: pictures as they come, each with the moment it was taken.

A camera knows neither its size nor its end beforehand; both may change on the way. It runs in a
process of its own (ADR 16), so it may block, hang or crash without asking anybody.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.sources.base import Image

FROZEN_SECONDS = 5.0
PLAIN = 8  # levels between the darkest and the brightest value of a picture that shows nothing


@dataclass(frozen=True)
class Shot:
    """One picture of a camera.

    Attributes:
        captured: when it was taken, nanoseconds of CLOCK_MONOTONIC; each camera says how it knows.
        image: (H, W, 3) RGB uint8.
    """

    captured: int
    image: Image


@dataclass(frozen=True)
class CameraOptions:
    """What is asked of a camera; what it cannot do, it does as well as it can.

    Attributes:
        size: height and width in pixels; None leaves it to the camera.
        fps: frames a second; None leaves it to the camera.
        loop: files begin anew at their end.
    """

    size: tuple[int, int] | None = None
    fps: float | None = None
    loop: bool = False


class Camera(ABC):
    """A source of pictures in real time.

    Attributes:
        name: for people.
        sensor: whether its pictures come straight from a sensor, whose noise makes no two alike.
    """

    name: str
    sensor = False

    @abstractmethod
    def __iter__(self) -> Iterator[Shot]:
        """Yield pictures; the end means that there will be no more.

        Raises:
            SourceError: the camera is gone; trying again later may help.
            CameraSetupError: trying again does not help.
        """

    def close(self) -> None:  # noqa: B027 - most hold nothing that the process's end does not free
        """Let go of devices and child processes."""


def awake(camera: Camera, seconds: float = FROZEN_SECONDS) -> Iterator[Shot]:
    """A camera's pictures, until they stop changing.

    Args:
        camera: only a sensor's pictures are compared; files and streams may well stand still.
        seconds: how long the same picture may come again and again.

    Raises:
        SourceError: the camera is frozen.
    """
    since: Shot | None = None
    for shot in camera:
        if since is None or not camera.sensor or not _alike(since.image, shot.image):
            since = shot
        elif shot.captured - since.captured > seconds * 1e9:
            raise SourceError(
                f"{camera.name} is frozen: the same picture, to the last bit, for {seconds:g} s"
            )
        yield shot


def to_monotonic(stamp: int, clock: int) -> int:
    """A time stamp of another clock, in nanoseconds of CLOCK_MONOTONIC.

    Args:
        stamp: nanoseconds.
        clock: the clock's number, such as ``time.CLOCK_BOOTTIME``.
    """
    return stamp + time.monotonic_ns() - time.clock_gettime_ns(clock)


def plausible(stamp: int, now: int, longest: float = 10.0) -> bool:
    """Whether a time stamp can be a picture's: not in the future, not ``longest`` seconds old."""
    return 0 <= now - stamp <= longest * 1e9


def _alike(first: Image, second: Image) -> bool:
    """Equal to the last bit; not so under a lens cap, where noise is lost in compression."""
    same = first.shape == second.shape and bool((first == second).all())
    return same and int(np.ptp(first)) > PLAIN
