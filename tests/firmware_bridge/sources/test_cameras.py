"""Live sources: what a text means, and the messages of cameras that cannot be had."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from edge_ttvos.errors import CameraSetupError, SourceError
from edge_ttvos.firmware_bridge.sources import picamera2
from edge_ttvos.firmware_bridge.sources.camera import (
    Camera,
    CameraOptions,
    Shot,
    awake,
    plausible,
    to_monotonic,
)
from edge_ttvos.firmware_bridge.sources.cameras import is_recording, open_camera
from edge_ttvos.firmware_bridge.sources.gstreamer import GStreamerCamera
from edge_ttvos.firmware_bridge.sources.playback import Playback
from edge_ttvos.firmware_bridge.sources.stream import StreamCamera, without_password
from edge_ttvos.firmware_bridge.sources.v4l2 import V4l2Camera, device_of, request

OPTIONS = CameraOptions()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A folder of five pictures, each of another grey."""
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in range(5):
        Image.new("RGB", (8, 6), (40 * number,) * 3).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("v4l2:0", V4l2Camera),
        ("rtsp://10.0.0.7/stream", StreamCamera),
        ("http://10.0.0.7:8080/video", StreamCamera),
    ],
)
def test_what_a_text_means(source: str, kind: type[Camera]) -> None:
    assert isinstance(open_camera(source, OPTIONS), kind)
    assert not is_recording(source)


def test_a_path_is_a_recording(clip: Path) -> None:
    assert isinstance(open_camera(str(clip), OPTIONS), Playback)
    assert is_recording(str(clip))
    assert is_recording("no/such/file.mp4")
    assert is_recording("./picamera2")
    assert not is_recording("picamera2")


def test_a_path_that_leads_nowhere_is_not_tried_again() -> None:
    with pytest.raises(CameraSetupError, match="does not exist"):
        open_camera("no/such/file.mp4", OPTIONS)


def test_a_folder_is_played_over_and_over(clip: Path) -> None:
    camera = Playback(str(clip), CameraOptions(loop=True, fps=1000))

    shots = iter(camera)
    greys = [next(shots).image[0, 0, 0] for _ in range(11)]

    assert greys == [0, 40, 80, 120, 160] * 2 + [0]


@pytest.mark.parametrize("loop", [False, True])
def test_a_folder_with_a_bad_picture_is_not_played_again(clip: Path, loop: bool) -> None:
    (clip / "3.png").write_bytes(b"no picture")
    shots = iter(Playback(str(clip), CameraOptions(fps=1000, loop=loop)))

    assert [next(shots).image[0, 0, 0] for _ in range(3)] == [0, 40, 80]
    with pytest.raises(CameraSetupError, match=r"3\.png cannot be read"):
        next(shots)


def test_a_video_that_is_cut_short_is_not_played_again(tmp_path: Path) -> None:
    video = tmp_path / "cut.mkv"
    with av.open(str(video), "w") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number in range(30):
            picture = np.random.default_rng(number).integers(0, 256, (48, 64, 3)).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    os.truncate(video, video.stat().st_size // 2)
    shots = iter(Playback(str(video), CameraOptions(fps=1000)))

    with pytest.raises(CameraSetupError, match="ended early"):
        assert len(list(shots)) < 30


def test_a_recording_is_played_at_its_speed(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [5_000_000_000]
    monkeypatch.setattr(time, "monotonic_ns", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda s: now.__setitem__(0, now[0] + round(s * 1e9)))

    captured = []
    for shot in Playback(str(clip), CameraOptions(fps=10)):
        captured.append(shot.captured)
        now[0] += 250_000_000 if len(captured) == 3 else 0  # held up

    assert np.diff(captured).tolist() == [100_000_000, 100_000_000, 250_000_000, 100_000_000]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rtsp://me:secret@10.0.0.7:554/a@b", "rtsp://10.0.0.7:554/a@b"),
        ("rtsp://me:my sec!ret@host", "rtsp://host"),
        ("clip.mp4", "clip.mp4"),
        ("gstreamer:v4l2src ! jpegdec", "gstreamer:v4l2src ! jpegdec"),
        (
            "gstreamer:rtspsrc location=rtsp://me:secret@host/ latency=0 ! decodebin",
            "gstreamer:rtspsrc location=rtsp://host/ latency=0 ! decodebin",
        ),
        (
            'gstreamer:rtspsrc location="RTSPT://me:sec!ret@host/" ! decodebin',
            'gstreamer:rtspsrc location="RTSPT://host/" ! decodebin',
        ),
        (
            "gstreamer:rtspsrc user-id=me user-pw=secret location=rtsp://host/",
            "gstreamer:rtspsrc user-id=me user-pw=… location=rtsp://host/",
        ),
        ('gstreamer:srtsrc passphrase = "se cret" ! x', "gstreamer:srtsrc passphrase = … ! x"),
    ],
)
def test_passwords_are_not_shown(source: str, shown: str) -> None:
    assert without_password(source) == shown


def test_v4l2_devices() -> None:
    assert device_of("v4l2:2") == Path("/dev/video2")
    assert device_of("v4l2:/dev/v4l/by-id/usb-cam") == Path("/dev/v4l/by-id/usb-cam")
    with pytest.raises(CameraSetupError, match="expected v4l2:N"):
        device_of("v4l2:front")
    with pytest.raises(SourceError, match=r"there is no /dev/video251.*plugged in"):
        next(iter(V4l2Camera("v4l2:251", OPTIONS)))


def test_v4l2_is_asked_for_what_is_wanted() -> None:
    wanted = request("mjpeg", CameraOptions(size=(720, 1280), fps=30))

    assert wanted == {"input_format": "mjpeg", "video_size": "1280x720", "framerate": "30"}


def test_gstreamer_needs_its_program_and_a_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CameraSetupError, match=r"type: sudo apt install gstreamer1\.0-tools"):
        GStreamerCamera("gstreamer:videotestsrc", OPTIONS)
    with pytest.raises(CameraSetupError, match="expected a pipeline"):
        GStreamerCamera("gstreamer:", OPTIONS)


def test_picamera2_missing_or_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    monkeypatch.setattr(picamera2, "SYSTEM", tmp_path / "no")
    with pytest.raises(CameraSetupError, match="apt install -y python3-picamera2"):
        open_camera("picamera2", OPTIONS)

    monkeypatch.setattr(picamera2, "SYSTEM", tmp_path)
    with pytest.raises(CameraSetupError, match="--system-site-packages"):
        open_camera("picamera2", OPTIONS)


def test_picamera2_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "picamera2.py").write_text("raise ValueError('numpy.dtype size changed')")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(CameraSetupError, match=r"numpy\.dtype size changed.*numpy<2"):
        open_camera("picamera2", OPTIONS)


class Sensor(Camera):
    """A simulator: shows the pictures that it is given, ten a second."""

    name, sensor = "simulated", True

    def __init__(self, greys: list[int]) -> None:
        self._greys = greys

    def __iter__(self) -> Iterator[Shot]:
        for number, grey in enumerate(self._greys):
            image = np.full((4, 4, 3), grey, np.uint8)
            image[0] = 0
            yield Shot(number * 10**8, image)


def test_a_frozen_sensor_is_noticed() -> None:
    shots = awake(Sensor([91, 92, *[93] * 100]), seconds=2)

    seen = [next(shots) for _ in range(2 + 21)]

    assert seen[-1].captured - seen[2].captured == 2 * 10**9
    with pytest.raises(SourceError, match="frozen"):
        next(shots)


def test_pictures_that_change_now_and_then_are_no_frozen_sensor() -> None:
    greys = [number // 15 for number in range(100)]

    assert len(list(awake(Sensor(greys), seconds=2))) == 100


def test_a_lens_cap_is_no_frozen_sensor() -> None:
    assert len(list(awake(Sensor([3] * 100), seconds=2))) == 100


def test_recordings_and_streams_may_stand_still() -> None:
    camera = Sensor([7] * 100)
    camera.sensor = False

    assert len(list(awake(camera, seconds=2))) == 100


def test_times_of_another_clock() -> None:
    now = time.monotonic_ns()

    boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    assert abs(to_monotonic(boot, time.CLOCK_BOOTTIME) - now) < 1e9
    assert plausible(now - 10**9, now)
    assert not plausible(now + 1, now)
    assert not plausible(0, 11 * 10**9)
