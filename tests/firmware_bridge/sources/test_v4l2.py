"""USB cameras by replay: MJPG and YUYV buffers through the decoder that a device's go through.

Not measured on a device.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.sources.camera import Shot
from edge_ttvos.firmware_bridge.sources.packets import MOST_DAMAGED, is_whole_jpeg, shots
from edge_ttvos.firmware_bridge.sources.v4l2 import stamp

SIZE = (48, 64)

Image = NDArray[np.uint8]
Replay = Callable[[list[bytes]], list[Shot]]


def scene(number: int) -> Image:
    """Smooth, so that 4:2:2 and JPEG change it little."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    planes = (3 * rows + 20, 2 * columns + 30, rows + columns + 5 * number)
    return np.stack(planes, axis=-1).astype(np.uint8)


def mjpg(picture: Image) -> bytes:
    """A buffer as a USB camera fills it: padded with zeros behind the last marker."""
    encoded = cv2.imencode(".jpg", picture[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 95))[1]
    return encoded.tobytes() + bytes(64)


def yuyv(picture: Image) -> bytes:
    """A buffer of YUYV."""
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuyv422")
    return bytes(frame.planes[0])


def replayed(buffers: list[bytes], **options: str) -> list[Shot]:
    form = options.pop("form")
    container = av.open(io.BytesIO(b"".join(buffers)), format=form, options=options)
    with closing(container):
        return list(shots("replay", container, stamp))


def replay_mjpg(buffers: list[bytes]) -> list[Shot]:
    """As the device's, with FFmpeg's reader of multipart JPEGs in the place of the driver."""
    head = "--b\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n"
    parts = [head.format(len(buffer)).encode() + buffer + b"\r\n" for buffer in buffers]
    return replayed(parts, form="mpjpeg")


def replay_yuyv(buffers: list[bytes]) -> list[Shot]:
    """As the device's, with FFmpeg's reader of raw pictures in the place of the driver."""
    size = f"{SIZE[1]}x{SIZE[0]}"
    return replayed(buffers, form="rawvideo", pixel_format="yuyv422", video_size=size)


@pytest.mark.parametrize(("encode", "replay"), [(mjpg, replay_mjpg), (yuyv, replay_yuyv)])
def test_every_buffer_is_a_picture(encode: Callable[[Image], bytes], replay: Replay) -> None:
    scenes = [scene(number) for number in range(6)]

    taken = replay([encode(picture) for picture in scenes])

    assert len(taken) == 6
    for shot, picture in zip(taken, scenes, strict=True):
        assert shot.image.shape == (*SIZE, 3)
        assert np.abs(shot.image.astype(int) - picture).mean() < 4
    moments = [shot.captured for shot in taken]
    assert moments == sorted(moments)


def test_half_a_jpeg_is_left_out() -> None:
    buffers = [mjpg(scene(number)) for number in range(5)]
    buffers[2] = buffers[2][: len(buffers[2]) // 2]

    taken = replay_mjpg(buffers)

    assert len(taken) == 4


def test_nothing_but_damage_is_an_error() -> None:
    half = mjpg(scene(0))[:400]

    with pytest.raises(SourceError, match="damaged pictures"):
        replay_mjpg([mjpg(scene(0)), *[half] * (MOST_DAMAGED + 3), mjpg(scene(1))])


def test_a_whole_jpeg() -> None:
    whole = mjpg(scene(0))

    assert is_whole_jpeg(whole)
    assert not is_whole_jpeg(whole[:-70])
    assert not is_whole_jpeg(whole[2:])
    assert not is_whole_jpeg(b"")
