"""Any GStreamer pipeline, a Jetson's ``nvarguscamerasrc`` among them, run by ``gst-launch-1.0``.

OpenCV's wheels are built without GStreamer, and its Python bindings are no pip package. So a child
process runs the pipeline and writes YUV4MPEG2 into a pipe: its header carries the size, so nothing
has to be agreed on beforehand, and a new header comes when the size changes.

Taken is a picture when its first byte comes out of the pipeline.

Source of the format: manpages.debian.org/yuv4mpeg.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import IO

import cv2
import numpy as np

from edge_ttvos.errors import CameraSetupError, SourceError
from edge_ttvos.firmware_bridge.sources.base import Image
from edge_ttvos.firmware_bridge.sources.camera import Camera, CameraOptions, Shot

PROGRAM = "gst-launch-1.0"
INSTALL = "sudo apt install gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
TAIL = "videoconvert ! video/x-raw,format=I420 ! y4menc ! fdsink fd=1"
SENSORS = ("nvarguscamerasrc", "libcamerasrc", "v4l2src")  # others may well stand still
MAGIC, FRAME = b"YUV4MPEG2 ", b"FRAME"
LONGEST_LINE = 256  # bytes


class GStreamerCamera(Camera):
    """A pipeline without its sink: ``gstreamer:v4l2src ! image/jpeg ! jpegdec``.

    Args:
        source: the pipeline behind ``gstreamer:``.
        options: none apply: size and rate are caps of the pipeline.

    Raises:
        CameraSetupError: ``gst-launch-1.0`` is not installed, or there is no pipeline.
    """

    def __init__(self, source: str, options: CameraOptions) -> None:
        self.name = "gstreamer"
        pipeline = source.partition(":")[2].strip().rstrip("!")
        if not pipeline:
            raise CameraSetupError("gstreamer: expected a pipeline, such as gstreamer:v4l2src")
        if shutil.which(PROGRAM) is None:
            raise CameraSetupError(f"{PROGRAM} is not installed; type: {INSTALL}")
        self.sensor = pipeline.split()[0] in SENSORS
        self._command = [PROGRAM, "-q", *shlex.split(f"{pipeline} ! {TAIL}")]
        self._process: subprocess.Popen[bytes] | None = None

    def __iter__(self) -> Iterator[Shot]:
        nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
        with subprocess.Popen(self._command, stdin=nothing, stdout=pipe, stderr=pipe) as process:
            self._process = process
            assert process.stdout is not None
            assert process.stderr is not None
            yield from read_pictures(process.stdout)
            self._process = None
            said = process.stderr.read().decode(errors="replace").strip().splitlines()
        raise SourceError(f"the pipeline has ended{': ' + said[0] if said else ''}")

    def close(self) -> None:
        """End the pipeline."""
        if self._process is not None:
            self._process.kill()


def read_pictures(stream: IO[bytes]) -> Iterator[Shot]:
    """Pictures out of a YUV4MPEG2 stream of 4:2:0, until it ends; half a picture is left out.

    Raises:
        SourceError: it is no such stream.
    """
    size = (0, 0)
    while line := stream.readline(LONGEST_LINE):
        if line.startswith(MAGIC):
            size = _size(line)
        elif line.startswith(FRAME):
            captured = time.monotonic_ns()
            data = stream.read(size[0] * size[1] * 3 // 2)
            if len(data) < size[0] * size[1] * 3 // 2:
                return
            yield Shot(captured, _to_rgb(data, size))
        else:
            raise SourceError(f"expected YUV4MPEG2 from the pipeline; got {line[:20]!r}")


def _size(header: bytes) -> tuple[int, int]:
    """Height and width."""
    found = re.search(rb" W(\d+) H(\d+)", header)
    width, height = (int(number) for number in found.groups()) if found else (0, 0)
    if not width or not height or width % 2 or height % 2:
        raise SourceError(
            f"the pipeline's pictures must have even sides; got {width}×{height}. Add videoscale "
            "and caps such as video/x-raw,width=640,height=480"
        )
    return height, width


def _to_rgb(data: bytes, size: tuple[int, int]) -> Image:
    planes = np.frombuffer(data, np.uint8).reshape(size[0] * 3 // 2, size[1])
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420), np.uint8)
