"""USB cameras and others that Linux offers as /dev/videoN: MJPG first, else YUYV.

Taken is a picture when the driver says so: V4L2's buffers carry CLOCK_MONOTONIC. Where a driver
gives another clock's time, it is when the buffer was handed over.

Source: docs.kernel.org/userspace-api/media/v4l/buffer.html; ffmpeg.org/ffmpeg-devices.html#v4l2.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import av

from edge_ttvos.errors import CameraSetupError, SourceError
from edge_ttvos.firmware_bridge.sources.camera import Camera, CameraOptions, Shot, plausible
from edge_ttvos.firmware_bridge.sources.packets import shots

FORMATS = ("mjpeg", "yuyv422")  # MJPG first: USB 2 carries more of it
READ_SECONDS = 5.0


class V4l2Camera(Camera):
    """A device by its number or path.

    Args:
        source: ``v4l2:0``, or ``v4l2:/dev/video0`` (a path below /dev/v4l/by-id/ stays the same
            when cameras are plugged in another order).
        options: ``size`` and ``fps`` are asked for.

    Raises:
        CameraSetupError: neither a number nor a path.
    """

    sensor = True

    def __init__(self, source: str, options: CameraOptions) -> None:
        self.name = source
        self._options = options
        self._device = device_of(source)

    def __iter__(self) -> Iterator[Shot]:
        with closing(self._opened()) as container:
            yield from shots(self.name, container, stamp)
        raise SourceError(f"{self.name} has ended: is it still plugged in?")

    def _opened(self) -> av.container.InputContainer:
        """The device in the first format that it can be opened with."""
        if not self._device.exists():
            raise SourceError(f"{self.name}: there is no {self._device}; is the camera plugged in?")
        said = ""
        for picture_format in FORMATS:
            try:
                return av.open(
                    str(self._device),
                    format="v4l2",
                    options=request(picture_format, self._options),
                    timeout=READ_SECONDS,
                )
            except (av.error.FFmpegError, OSError) as error:
                said = f"{picture_format}: {error.strerror or error}"
        raise SourceError(
            f"{self._device} cannot be opened ({said}). Another program may have it, or you may "
            "not read it: type sudo usermod -aG video $USER, and log in anew. Its sizes: "
            f"v4l2-ctl -d {self._device} --list-formats-ext"
        )


def device_of(source: str) -> Path:
    """The device's file.

    Raises:
        CameraSetupError: neither a number nor a path.
    """
    device = source.partition(":")[2]
    if device.isdecimal():
        return Path(f"/dev/video{device}")
    if device.startswith("/dev/"):
        return Path(device)
    raise CameraSetupError(f"{source}: expected v4l2:N or v4l2:/dev/…; got {device or 'nothing'}")


def request(picture_format: str, options: CameraOptions) -> dict[str, str]:
    """FFmpeg's options for the device."""
    wanted = {"input_format": picture_format}
    if options.size is not None:
        wanted["video_size"] = f"{options.size[1]}x{options.size[0]}"
    if options.fps is not None:
        wanted["framerate"] = f"{options.fps:g}"
    return wanted


def stamp(packet: av.Packet[av.VideoStream]) -> int:
    """The buffer's own time stamp, in nanoseconds."""
    now = time.monotonic_ns()
    if packet.pts is None or packet.time_base is None:
        return now
    taken = round(packet.pts * packet.time_base * 1_000_000_000)
    return taken if plausible(taken, now) else now
