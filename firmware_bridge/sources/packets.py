"""Pictures out of the packets of an open FFmpeg container, damaged ones left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import av

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.sources.camera import Shot
from edge_ttvos.firmware_bridge.sources.video import upright

MOST_DAMAGED = 60  # packets in a row; then the camera is to be opened anew

# when a packet's picture was taken, nanoseconds of CLOCK_MONOTONIC
Stamp = Callable[["av.Packet[av.VideoStream]"], int]


def arrival(packet: av.Packet[av.VideoStream]) -> int:
    """For pictures that do not say when they were taken: when they have come."""
    return time.monotonic_ns()


def shots(name: str, container: av.container.InputContainer, stamp: Stamp) -> Iterator[Shot]:
    """Decode the first video stream, each packet as soon as it is there.

    Args:
        name: for messages.
        container: just opened.
        stamp: when a packet's picture was taken.

    Raises:
        SourceError: there are no pictures, nothing but damaged ones, or the stream broke off.
    """
    if not container.streams.video:
        raise SourceError(f"{name} has no video stream: expected pictures; got sound or data alone")
    stream = container.streams.video[0]
    stream.thread_type = "SLICE"  # frame threads would hold back as many pictures
    damaged = 0
    try:
        for packet in container.demux(stream):
            captured, found = stamp(packet), False
            for frame in _decoded(stream, packet):
                found = True
                yield Shot(captured, upright(frame))
            damaged = 0 if found or not packet.size else damaged + 1
            if damaged > MOST_DAMAGED:
                raise SourceError(f"{name} has sent {damaged} damaged pictures one after the other")
    except av.error.FFmpegError as error:
        raise SourceError(f"{name} broke off: {error.strerror or error}") from error


def _decoded(stream: av.VideoStream, packet: av.Packet[av.VideoStream]) -> list[av.VideoFrame]:
    """A packet's pictures; none where it is damaged or cut off."""
    if stream.codec_context.name == "mjpeg" and packet.size and not is_whole_jpeg(bytes(packet)):
        return []
    try:
        return [frame for frame in stream.decode(packet) if not frame.is_corrupt]
    except av.error.InvalidDataError:
        return []


def is_whole_jpeg(data: bytes) -> bool:
    """Whether data begin with a JPEG's first marker and hold its last: half a one is no picture.

    Cameras pad what follows the last marker with zeros.
    """
    return data.startswith(b"\xff\xd8") and data.rstrip(b"\0").endswith(b"\xff\xd9")
