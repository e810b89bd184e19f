"""A Raspberry Pi's camera through picamera2, which comes from apt and knows libcamera.

Taken is a picture when its first row was exposed (``SensorTimestamp``, CLOCK_BOOTTIME).

Source: the Picamera2 manual, datasheets.raspberrypi.com/camera/picamera2-manual.pdf.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from edge_ttvos.errors import CameraSetupError, SourceError
from edge_ttvos.firmware_bridge.sources.camera import Camera, CameraOptions, Shot, to_monotonic

SIZE = (480, 640)  # height and width where none is asked for
ORDER = "BGR888"  # picamera2's name of arrays whose channels are R, G, B
SYSTEM = Path("/usr/lib/python3/dist-packages/picamera2")
MISSING = "picamera2 is not installed; type: sudo apt install -y python3-picamera2"
HIDDEN = (
    "picamera2 is installed for the system's Python, but this virtual environment does not see "
    "it: make the environment anew with: python3 -m venv --system-site-packages FOLDER"
)


class PiCamera(Camera):
    """A camera by its number.

    Args:
        source: ``picamera2``, or ``picamera2:1`` for the second.
        options: ``size`` and ``fps`` are asked for.

    Raises:
        CameraSetupError: picamera2 is missing, hidden or broken, or there is no such number.
    """

    sensor = True

    def __init__(self, source: str, options: CameraOptions) -> None:
        self.name = source
        self._options = options
        self._library = load_library()
        number = source.partition(":")[2] or "0"
        if not number.isdecimal():
            raise CameraSetupError(f"{source}: expected picamera2 or picamera2:N")
        self._number = int(number)

    def __iter__(self) -> Iterator[Shot]:
        try:
            camera = self._library.Picamera2(self._number)
        except (RuntimeError, IndexError) as error:
            raise SourceError(
                f"{self.name} cannot be opened: {error}; is it plugged in?"
            ) from error
        try:
            camera.configure(self._configuration(camera))
            camera.start()
            while True:
                yield take(camera)
        except RuntimeError as error:
            raise SourceError(f"{self.name} failed: {error}") from error
        finally:
            camera.stop()
            camera.close()

    def _configuration(self, camera: Any) -> Any:
        height, width = self._options.size or SIZE
        rate = {} if self._options.fps is None else {"FrameRate": self._options.fps}
        main = {"size": (width, height), "format": ORDER}
        return camera.create_video_configuration(main=main, controls=rate)


def take(camera: Any) -> Shot:
    """The next picture, and when its first row was exposed."""
    request = camera.capture_request()
    try:
        image = np.ascontiguousarray(request.make_array("main")[..., :3], np.uint8)
        stamp = request.get_metadata().get("SensorTimestamp")
    finally:
        request.release()
    captured = time.monotonic_ns() if stamp is None else to_monotonic(stamp, time.CLOCK_BOOTTIME)
    return Shot(captured, image)


def load_library() -> Any:
    """The module ``picamera2``.

    Raises:
        CameraSetupError: it is missing, hidden or broken.
    """
    try:
        return import_module("picamera2")
    except ModuleNotFoundError as error:
        if error.name != "picamera2":
            raise CameraSetupError(f"picamera2 needs {error.name}, which is missing") from error
        raise CameraSetupError(HIDDEN if SYSTEM.is_dir() else MISSING) from error
    except (ImportError, ValueError) as error:  # ValueError: built for another numpy
        raise CameraSetupError(
            f"picamera2 is installed but cannot be loaded: {error}. Built for NumPy 1? Type: "
            "pip install 'numpy<2'"
        ) from error
