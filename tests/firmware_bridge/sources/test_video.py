from __future__ import annotations

import gc
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
import pytest
from av.video.stream import VideoStream
from numpy.typing import NDArray

from edge_ttvos.errors import EdgeTtvosError, FrameError, SourceError
from edge_ttvos.firmware_bridge.sources import open_source

Image = NDArray[np.uint8]
INDEX_FIRST = {"movflags": "faststart"}


def scene(count: int, height: int = 48, width: int = 64) -> list[Image]:
    """A window that slides over a smooth, colourful texture."""
    coarse = np.random.default_rng(3).integers(40, 216, (8, 10, 3)).astype(np.uint8)
    size = (width + count, height + count)
    texture = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(texture[i : i + height, i : i + width]) for i in range(count)]


def encode(
    path: Path,
    frames: list[Image],
    codec: str = "libx264",
    rotation: int = 0,
    muxer: dict[str, str] | None = None,
    **encoder: str,
) -> Path:
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = cast("av.VideoStream", container.add_stream(codec, rate=25))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {**encoder}
        if rotation:
            stream.set_display_rotation(rotation)
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def read_until_error(path: Path) -> tuple[list[Image], EdgeTtvosError]:
    images: list[Image] = []
    try:
        images.extend(frame.image for frame in open_source(path))
    except (FrameError, SourceError) as error:
        return images, error
    pytest.fail(f"{path} was read to its end: {len(images)} frames")


def damage(path: Path, packet: int) -> None:
    """Overwrite one packet of pictures with zeros."""
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    position, size = packets[packet]
    assert position is not None
    with path.open("r+b") as file:
        file.seek(position)
        file.write(bytes(size))


def cut(path: Path, share: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx-vp9"), ("a.avi", "mpeg4")],
)
def test_frames_of_any_format_come_in_order_under_their_numbers(
    tmp_path: Path, name: str, codec: str
) -> None:
    frames = scene(12)
    with open_source(encode(tmp_path / name, frames, codec, b="4M")) as source:
        assert (source.name, source.size, source.fps) == (name, (48, 64), 25)
        assert source.length in (None, 12)
        read = list(source)
        assert len(list(source)) == 12, "a second pass reads the same"
    assert [f.name for f in read] == [f"{i:05d}" for i in range(12)]
    for frame in read:
        assert frame.image.dtype == np.uint8
        differences = [np.abs(frame.image.astype(int) - sent).mean() for sent in frames]
        assert np.argmin(differences) == frame.index
        assert min(differences) < 12


def test_the_container_s_number_of_frames_is_the_length(tmp_path: Path) -> None:
    assert open_source(encode(tmp_path / "a.mp4", scene(12)), start=1, stride=4).length == 3


def test_start_end_and_stride(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", scene(12))
    every = {f.index: f.image for f in open_source(path)}
    source = open_source(path, start=3, end=11, stride=3)
    assert source.fps == pytest.approx(25 / 3)
    read = {f.index: f.image for f in source}
    assert list(read) == [3, 6, 9]
    assert all(np.array_equal(image, every[index]) for index, image in read.items())


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.webm", "libvpx-vp9")])
def test_numbers_out_of_range_with_and_without_a_length_in_the_header(
    tmp_path: Path, name: str, codec: str
) -> None:
    path = encode(tmp_path / name, scene(12), codec)
    with pytest.raises(SourceError, match=r"has 12 frames, 0…11; got start=12"):
        list(open_source(path, start=12))
    with pytest.raises(SourceError, match=r"has 12 frames; got end=13"):
        list(open_source(path, end=13))


def test_odd_sizes(tmp_path: Path) -> None:
    frames = scene(3, 45, 63)
    path = encode(tmp_path / "a.mkv", frames, "ffv1")
    with av.open(str(path)) as container:
        assert container.streams.video[0].height == 45
    source = open_source(path)
    assert source.size == (45, 63)
    assert next(iter(source)).image.shape == (45, 63, 3)


@pytest.mark.skipif(
    not hasattr(VideoStream, "set_display_rotation"), reason="this PyAV cannot write a rotation"
)
@pytest.mark.parametrize(
    ("rotation", "bright"), [(90, (1, 0)), (-90, (0, 1)), (180, (1, 1)), (0, (0, 0))]
)
def test_recordings_stand_upright(tmp_path: Path, rotation: int, bright: tuple[int, int]) -> None:
    frame = np.zeros((32, 64, 3), np.uint8)
    frame[:16, :32] = 255  # the upper left quarter
    source = open_source(encode(tmp_path / "a.mp4", [frame] * 2, rotation=rotation))
    image = next(iter(source)).image
    assert source.size == image.shape[:2] == ((32, 64) if rotation % 180 == 0 else (64, 32))
    height, width = source.size
    quarters = image[height // 4 :: height // 2, width // 4 :: width // 2, 0]
    assert divmod(int(quarters.argmax()), 2) == bright


@pytest.mark.parametrize("packet", [7, 20, 29])
def test_a_damaged_frame_is_named_after_those_before_it_were_delivered(
    tmp_path: Path, packet: int
) -> None:
    path = encode(tmp_path / "a.mp4", scene(30), bf="0", g="10")
    whole = [f.image for f in open_source(path)]
    damage(path, packet)
    images, error = read_until_error(path)
    assert isinstance(error, FrameError)
    assert f"frame {packet} of " in str(error)
    assert f"end={packet} stops before it" in str(error)
    assert len(images) == packet
    assert all(map(np.array_equal, images, whole))
    assert len(list(open_source(path, end=packet))) == packet


def test_a_damaged_frame_among_frames_coded_out_of_order(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", scene(60), bf="3")
    whole = [f.image for f in open_source(path)]
    damage(path, 30)
    images, error = read_until_error(path)
    assert f"frame {len(images)} of " in str(error)
    assert 25 <= len(images) <= 32
    assert all(map(np.array_equal, images[:25], whole))


def test_a_damaged_first_frame_is_found_on_opening(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", scene(12))
    damage(path, 0)
    with pytest.raises(FrameError, match=r"frame 0 of .*Repair or re-encode the video\.$"):
        open_source(path)


@pytest.mark.parametrize(
    ("name", "codec", "muxer"),
    [
        ("a.mp4", "libx264", INDEX_FIRST),
        ("a.mkv", "libx264", {}),
        ("a.webm", "libvpx-vp9", {}),
        ("a.avi", "mpeg4", {}),
    ],
)
def test_a_video_that_ends_early_is_read_to_where_it_ends(
    tmp_path: Path, name: str, codec: str, muxer: dict[str, str]
) -> None:
    path = encode(tmp_path / name, scene(60), codec, muxer=muxer)
    whole = [f.image for f in open_source(path)]
    cut(path, 0.8)
    images, error = read_until_error(path)
    assert 10 < len(images) < 60
    assert all(map(np.array_equal, images[:-3], whole))
    assert f"end={len(images)}" in str(error)
    assert len(list(open_source(path, end=len(images)))) == len(images)


def test_a_whole_video_with_longer_sound_has_not_ended_early(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=8000)
        audio.layout = "mono"
        for frame in scene(10):
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(video.encode(None))
        for start in range(0, 16000, 1000):
            silence = av.AudioFrame.from_ndarray(
                np.zeros((1, 1000), np.int16), format="s16", layout="mono"
            )
            silence.sample_rate, silence.pts = 8000, start
            container.mux(audio.encode(silence))
    assert len(list(open_source(path))) == 10


def test_a_clip_that_was_trimmed_without_coding_it_again_has_not_ended_early(
    tmp_path: Path,
) -> None:
    path = encode(tmp_path / "a.mp4", scene(60), g="30")
    content = bytearray(path.read_bytes())
    entry = content.find(b"elst") + 12  # after the name, version, flags and number of entries
    duration, start = struct.unpack_from(">Ii", content, entry)
    struct.pack_into(">Ii", content, entry, duration - 800, start + int(0.4 * 12800))
    path.write_bytes(content)
    source = open_source(path)
    assert source.length is None, "the header counts 60"
    assert len(list(source)) == 40


def test_a_recording_without_its_index(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", scene(30))
    cut(path, 0.6)
    with pytest.raises(SourceError, match=r"cannot be opened as a video.*may lack its index"):
        open_source(path)


def no_video(path: Path) -> None:
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 800), np.int16), format="s16", layout="mono"
        )
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: path.write_bytes(b""), "cannot be opened as a video"),
        (lambda path: path.write_bytes(bytes(5000)), "cannot be opened as a video"),
        (lambda path: path.write_text("hello " * 500), "cannot be opened as a video|no video"),
        (no_video, "has no video stream"),
    ],
)
def test_what_is_no_video(tmp_path: Path, make: Callable[[Path], None], what: str) -> None:
    path = tmp_path / "a.mp4"
    make(path)
    with pytest.raises(SourceError, match=what):
        open_source(path)


def test_a_long_video_needs_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", scene(150), preset="ultrafast")
    frames = iter(open_source(path))
    sizes = {}
    tracemalloc.start()
    try:
        for frame in frames:
            if frame.index in (40, 140):
                gc.collect()
                sizes[frame.index] = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert sizes[140] - sizes[40] < frame.image.nbytes
