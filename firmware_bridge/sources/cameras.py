"""``--source``: which camera a text means. Each is imported only when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from edge_ttvos.firmware_bridge.sources.camera import Camera, CameraOptions

Opener = Callable[[str, CameraOptions], Camera]

# by what stands before the first colon: module beside this one, class
SCHEMES = {
    "picamera2": ("picamera2", "PiCamera"),
    "v4l2": ("v4l2", "V4l2Camera"),
    "gstreamer": ("gstreamer", "GStreamerCamera"),
    "rtsp": ("stream", "StreamCamera"),
    "rtsps": ("stream", "StreamCamera"),
    "http": ("stream", "StreamCamera"),
    "https": ("stream", "StreamCamera"),
}
FILES = ("playback", "Playback")


def open_camera(source: str, options: CameraOptions) -> Camera:
    """Open ``picamera2[:N]``, ``v4l2:N``, ``gstreamer:PIPELINE``, a URL, or a file or folder.

    A file of such a name is ``./picamera2``.

    Raises:
        CameraSetupError: something must be installed, or typed otherwise.
        SourceError: the camera cannot be opened now.
    """
    module, name = _place(source)
    found = import_module(f"{__package__}.{module}")
    return cast(Opener, getattr(found, name))(source, options)


def is_recording(source: str) -> bool:
    """Whether a text means a file or a folder."""
    return _place(source) == FILES


def _place(source: str) -> tuple[str, str]:
    return SCHEMES.get(source.partition(":")[0], FILES)
