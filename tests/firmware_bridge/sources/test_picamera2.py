"""picamera2, by a simulator of its public interface. Not measured on a device."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_ttvos.errors import CameraSetupError, SourceError
from edge_ttvos.firmware_bridge.sources.camera import CameraOptions
from edge_ttvos.firmware_bridge.sources.cameras import open_camera


class Request:
    """A completed request: an array whose channels are R, G, B where the format is BGR888."""

    open = 0

    def __init__(self, size: tuple[int, int], number: int) -> None:
        width, height = size
        self._array = np.full((height, width, 3), (10, 20, number), np.uint8)
        type(self).open += 1

    def make_array(self, name: str) -> Any:
        assert name == "main"
        return self._array

    def get_metadata(self) -> dict[str, int]:
        return {"SensorTimestamp": time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 25_000_000}

    def release(self) -> None:
        type(self).open -= 1


class Picamera2:
    """The calls in the order that the manual asks for; the fourth picture never comes."""

    made: list[Picamera2]

    def __init__(self, camera_num: int = 0) -> None:
        if camera_num > 0:
            raise IndexError("list index out of range")
        self.log: list[str] = ["open"]
        self.made.append(self)

    def create_video_configuration(
        self, main: dict[str, Any], controls: dict[str, Any]
    ) -> dict[str, Any]:
        assert main["format"] == "BGR888"
        return {"main": main, "controls": controls}

    def configure(self, configuration: dict[str, Any]) -> None:
        self.configuration = configuration
        self.log.append("configure")

    def start(self) -> None:
        self.log.append("start")

    def capture_request(self) -> Request:
        self.log.append("capture")
        if self.log.count("capture") > 3:
            raise RuntimeError("Camera frontend has timed out!")
        return Request(self.configuration["main"]["size"], self.log.count("capture"))

    def stop(self) -> None:
        self.log.append("stop")

    def close(self) -> None:
        self.log.append("close")


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> type[Picamera2]:
    """In the place of the library."""
    Picamera2.made, Request.open = [], 0
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=Picamera2))
    return Picamera2


def test_pictures_and_when_they_were_taken(simulator: type[Picamera2]) -> None:
    camera = open_camera("picamera2", CameraOptions(size=(48, 64), fps=30))
    shots = iter(camera)

    taken = [next(shots) for _ in range(3)]

    age = time.monotonic_ns() - taken[-1].captured
    assert 25_000_000 <= age < 10 * 10**9
    assert taken[0].image.shape == (48, 64, 3)
    assert taken[2].image[0, 0].tolist() == [10, 20, 3]
    assert taken[2].image.flags.c_contiguous
    assert Request.open == 0
    assert simulator.made[0].configuration["controls"] == {"FrameRate": 30}
    with pytest.raises(SourceError, match="timed out"):
        next(shots)
    assert simulator.made[0].log[-2:] == ["stop", "close"]


def test_a_camera_that_is_not_there(simulator: type[Picamera2]) -> None:
    with pytest.raises(SourceError, match="is it plugged in"):
        next(iter(open_camera("picamera2:1", CameraOptions())))
    with pytest.raises(CameraSetupError, match="expected picamera2"):
        open_camera("picamera2:front", CameraOptions())
