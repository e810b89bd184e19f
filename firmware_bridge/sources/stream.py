"""Network cameras: RTSP (over TCP), and whatever FFmpeg plays over HTTP, such as MJPEG.

Taken is a picture when its last byte has come, before it is decoded: what the camera and the
network took until then cannot be known here.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import av

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.sources.camera import Camera, CameraOptions, Shot
from edge_ttvos.firmware_bridge.sources.packets import arrival, shots

TIMEOUT = (10.0, 20.0)  # seconds to open it, and for a picture: some cameras show few
PROBE_SECONDS = 1.0
PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
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
        with closing(self._opened()) as container:
            yield from shots(self.name, container, arrival)
        raise SourceError(f"{self.name} has ended")

    def _opened(self) -> av.container.InputContainer:
        begun = time.monotonic()
        try:
            return av.open(self._url, "r", options=OPTIONS, timeout=TIMEOUT)
        except av.error.ExitError as error:
            raise self._silent() from error
        except (av.error.FFmpegError, OSError) as error:
            if time.monotonic() - begun >= TIMEOUT[0]:  # RTSP calls it invalid data
                raise self._silent() from error
            why = error.strerror or error
            raise SourceError(f"{self.name} cannot be opened: {why}") from error

    def _silent(self) -> SourceError:
        """Time is up: whether somebody is there."""
        if accepts(self._url):
            return SourceError(
                f"{self.name} accepted the connection but sends nothing that is a video, for "
                f"{TIMEOUT[0]:g} s. Is the path right, and is the camera still starting?"
            )
        return SourceError(
            f"{self.name} does not answer for {TIMEOUT[0]:g} s. Is the address right, and is the "
            "camera on?"
        )


def accepts(url: str) -> bool:
    """Whether a URL's host takes a connection on its port."""
    try:
        parts = urlsplit(url)
        address = (parts.hostname or "", parts.port or PORTS[parts.scheme])
        with socket.create_connection(address, PROBE_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def without_password(source: str) -> str:
    """A URL as it may be shown, or a pipeline with URLs and passwords in it."""
    bare = re.sub(r"(?i)([a-z][a-z0-9+.-]*://)[^/]*@", r"\1", source)
    return re.sub(r"(?i)\b((?:user|proxy)-pw|passphrase)(\s*=\s*)(\"[^\"]*\"|\S+)", r"\1\2…", bare)
