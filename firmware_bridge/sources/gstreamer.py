"""Any GStreamer pipeline, a Jetson's ``nvarguscamerasrc`` among them, run by ``gst-launch-1.0``.

OpenCV's wheels are built without GStreamer, and its Python bindings are no pip package. So a child
process runs the pipeline and writes YUV4MPEG2 into a pipe: its header carries the size, so nothing
has to be agreed on beforehand, and a new header comes when the size changes. The pipe is for the
pictures alone: plugins print to stdout, and to stderr more than a pipe holds.

Taken is a picture when its first byte comes out of the pipeline.

Source of the format: manpages.debian.org/yuv4mpeg.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

import cv2
import numpy as np

from edge_ttvos.errors import CameraSetupError, SourceError
from edge_ttvos.firmware_bridge.sources.base import Image
from edge_ttvos.firmware_bridge.sources.camera import Camera, CameraOptions, Shot
from edge_ttvos.firmware_bridge.sources.stream import without_password

PROGRAM = "gst-launch-1.0"
INSTALL = "sudo apt install gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
TAIL = "videoconvert ! video/x-raw,format=I420 ! y4menc ! fdsink fd={}"
SENSORS = ("nvarguscamerasrc", "libcamerasrc", "v4l2src")  # others may well stand still
MAGIC, FRAME = b"YUV4MPEG2 ", b"FRAME"
LONGEST_LINE = 256  # bytes
LAST_WORDS = 4096  # bytes of what the pipeline says that are kept
PARTING_SECONDS = 1.0  # for them to be heard
WORST_FIRST = ("ERROR: from", "ERROR", "WARNING", "")  # how lines begin


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
        self._pipeline = pipeline
        self._process: subprocess.Popen[bytes] | None = None

    def __iter__(self) -> Iterator[Shot]:
        said: deque[int] = deque(maxlen=LAST_WORDS)
        reading, writing = os.pipe()
        with open(reading, "rb") as pictures, self._started(writing) as process:
            self._process = process
            hearing = threading.Thread(target=_hear, args=(process.stderr, said), daemon=True)
            hearing.start()
            try:
                yield from read_pictures(pictures)
                hearing.join(PARTING_SECONDS)
            finally:
                process.kill()
        why = without_password(_worst(bytes(said).decode(errors="replace")))
        raise SourceError(f"the pipeline has ended{': ' + why if why else ''}")

    def _started(self, pipe: int) -> subprocess.Popen[bytes]:
        """The pipeline, which has the pipe's writing end to itself."""
        nothing = subprocess.DEVNULL
        try:
            return subprocess.Popen(
                [PROGRAM, "-q", *shlex.split(f"{self._pipeline} ! {TAIL.format(pipe)}")],
                pass_fds=(pipe,),
                stdin=nothing,
                stdout=nothing,
                stderr=subprocess.PIPE,
                bufsize=0,
            )
        finally:
            os.close(pipe)

    def close(self) -> None:
        """End the pipeline."""
        if self._process is not None:
            self._process.kill()


def _hear(stream: IO[bytes], said: deque[int]) -> None:
    """Keep the last of what comes, until nothing does."""
    with suppress(OSError, ValueError):  # ValueError: it was closed
        while piece := stream.read(LAST_WORDS):
            said.extend(piece)


def _worst(said: str) -> str:
    """The line that says most."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for mark in WORST_FIRST for line in lines if line.startswith(mark)), "")


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
