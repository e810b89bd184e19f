"""Network cameras: RTSP (over TCP), and whatever FFmpeg plays over HTTP, such as MJPEG.

Taken is a picture when its last byte has come, before it is decoded: what the camera and the
network took until then cannot be known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import av

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.sources.camera import Camera, CameraOptions, Shot
from edge_ttvos.firmware_bridge.sources.packets import arrival, shots

TIMEOUT = (10.0, 5.0)  # seconds to open it, and to wait for more
OPTIONS = {
    "rtsp_transport": "tcp",  # UDP loses packets, and with them parts of pictures
    "fflags": "nobuffer",  # what came while the format was being found out is old by then
    "flags": "low_delay",
    "analyzeduration": "500000",  # microseconds that may pass until the format is known
    "probesize": "500000",  # bytes likewise
}


class StreamCamera(Camera):
    """A stream by its URL.

    Args:
        url: ``rtsp://``, ``rtsps://``, ``http://`` or ``https://``.
        options: none apply: a stream is as its camera sends it.
    """

    def __init__(self, url: str, options: CameraOptions) -> None:
        self._url = url
        self.name = without_password(url)

    def __iter__(self) -> Iterator[Shot]:
        try:
            container = av.open(self._url, "r", options=OPTIONS, timeout=TIMEOUT)
        except (av.error.FFmpegError, OSError) as error:
            why = error.strerror or error
            raise SourceError(f"{self.name} cannot be opened: {why}") from error
        with closing(container):
            yield from shots(self.name, container, arrival)
        raise SourceError(f"{self.name} has ended")


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    return re.sub(r"^([a-z]+://)[^/]*@", r"\1", url)
