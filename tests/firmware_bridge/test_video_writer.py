from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_ttvos.errors import FrameError, OutputError
from edge_ttvos.firmware_bridge.sources import open_source
from edge_ttvos.firmware_bridge.video_writer import FRAGMENT_FRAMES, VideoWriter, find_encoder

Image = NDArray[np.uint8]

WRITE_WITHOUT_END = """
import sys
from pathlib import Path
import numpy as np
from edge_ttvos.firmware_bridge.video_writer import VideoWriter

with VideoWriter(Path(sys.argv[1]), (48, 64)) as writer:
    for index in range(10**9):
        writer.write(np.full((48, 64, 3), index % 200, np.uint8))
        print(index + 1, flush=True)
"""
WRITE_ON_A_SMALL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from edge_ttvos.errors import OutputError
from edge_ttvos.firmware_bridge.video_writer import VideoWriter

resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)
try:
    with VideoWriter(Path(sys.argv[1]), (64, 96)) as writer:
        for index in range(1000):
            writer.write(np.roll(noise, 7 * index, axis=1))
except OutputError as error:
    print(error)
"""


def greys(count: int, height: int = 48, width: int = 64) -> list[Image]:
    return [np.full((height, width, 3), 40 + 5 * i, np.uint8) for i in range(count)]


def write(path: Path, frames: list[Image], fps: float | None = None) -> None:
    with VideoWriter(path, (frames[0].shape[0], frames[0].shape[1]), fps) as writer:
        for frame in frames:
            writer.write(frame)


def read(path: Path) -> list[Image]:
    return [frame.image for frame in open_source(path)]


def boxes(path: Path) -> list[str]:
    """Names of the top-level boxes of an MP4."""
    content, names, position = path.read_bytes(), [], 0
    while position < len(content):
        names.append(content[position + 4 : position + 8].decode())
        position += int.from_bytes(content[position : position + 4], "big")
    return names


def test_what_is_written_can_be_read_again(tmp_path: Path) -> None:
    frames = greys(30)
    write(tmp_path / "a.mp4", frames)
    got = read(tmp_path / "a.mp4")
    for image, sent in zip(got, frames, strict=True):
        assert np.abs(image.astype(int) - sent).max() <= 4


@pytest.mark.parametrize("colour", [(220, 30, 30), (30, 220, 30), (30, 30, 220), (250, 200, 20)])
def test_colours_stay_and_say_which_they_are(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    write(tmp_path / "a.mp4", [np.full((48, 64, 3), colour, np.uint8)] * 2)
    image = read(tmp_path / "a.mp4")[0]
    assert np.abs(image.astype(int) - colour).max() <= 6
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert next(container.decode(video=0)).colorspace == 1, "BT.709"


def test_browsers_get_fragments_after_a_header(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", greys(3 * FRAGMENT_FRAMES))
    names = boxes(tmp_path / "a.mp4")
    assert names[:2] == ["ftyp", "moov"]
    assert names[2:8] == ["moof", "mdat"] * 3


@settings(max_examples=12, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40))
def test_odd_sizes_gain_a_copy_of_their_last_row_or_column(
    tmp_path_factory: pytest.TempPathFactory, height: int, width: int
) -> None:
    path = tmp_path_factory.mktemp("odd") / "a.mp4"
    frame = np.linspace(20, 235, height * width).reshape(height, width).astype(np.uint8)
    write(path, [np.repeat(frame[..., None], 3, axis=2)] * 2)
    image = read(path)[0]
    assert image.shape == (height + height % 2, width + width % 2, 3)
    if height % 2:
        assert np.abs(image[-1].astype(int) - image[-2]).mean() < 8
    if width % 2:
        assert np.abs(image[:, -1].astype(int) - image[:, -2]).mean() < 8


@pytest.mark.parametrize("fps", [None, 25, 29.97, 23.976, 8.3333, 0.2, 120])
def test_speed(tmp_path: Path, fps: float | None) -> None:
    write(tmp_path / "a.mp4", greys(4), fps)
    with av.open(str(tmp_path / "a.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert np.diff(np.array(times, float)) == pytest.approx(1 / (fps or 25), rel=2e-3)


def test_the_file_of_a_killed_run_opens_and_lacks_a_fragment_at_most(tmp_path: Path) -> None:
    path, enough = tmp_path / "a.mp4", 5 * FRAGMENT_FRAMES + 3
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_WITHOUT_END, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < enough:
            pass
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    with av.open(str(path)) as container:
        values = [int(f.to_ndarray(format="rgb24").mean()) for f in container.decode(video=0)]
    assert len(values) >= enough - FRAGMENT_FRAMES
    assert values == pytest.approx([i % 200 for i in range(len(values))], abs=4)


def test_an_error_in_the_block_keeps_the_frames_before_it(tmp_path: Path) -> None:
    def interrupted() -> None:
        with VideoWriter(tmp_path / "a.mp4", (48, 64)) as writer:
            for frame in greys(5):
                writer.write(frame)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(read(tmp_path / "a.mp4")) == 5


def test_a_full_disk_is_one_clear_error_and_keeps_what_fits(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    run = subprocess.run(
        [sys.executable, "-c", WRITE_ON_A_SMALL_DISK, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.startswith(f"cannot write the video {path}: File too large. Free space")
    assert run.stderr == ""
    with av.open(str(path)) as container:
        kept = sum(1 for packet in container.demux(video=0) if packet.size)
    assert kept >= FRAGMENT_FRAMES


@pytest.mark.parametrize("place", ["absent/a.mp4", "."])
def test_a_place_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    with pytest.raises(OutputError, match="cannot write the video"):
        write(tmp_path / place, greys(1))


def test_without_an_encoder_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no H\.264 encoder: expected one of absent, png-2 "):
        VideoWriter(tmp_path / "a.mp4", (48, 64), encoders=("absent", "png-2"))
    assert not (tmp_path / "a.mp4").exists()
    assert find_encoder(("absent", "mpeg4")) == "mpeg4"


@pytest.mark.parametrize(
    "frame", [np.zeros((48, 66, 3), np.uint8), np.zeros((48, 64), np.uint8), np.zeros((48, 64, 3))]
)
def test_a_frame_that_does_not_fit_is_refused_and_the_video_goes_on(
    tmp_path: Path, frame: Image
) -> None:
    with VideoWriter(tmp_path / "a.mp4", (48, 64)) as writer:
        writer.write(greys(1)[0])
        with pytest.raises(FrameError, match=r"frame must be \(H, W, 3\)=\(48, 64, 3\) uint8"):
            writer.write(frame)
        writer.write(greys(1)[0])
    assert len(read(tmp_path / "a.mp4")) == 2


def test_closing_twice_is_once_and_no_frames_are_no_error(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "a.mp4", (48, 64))
    writer.close()
    writer.close()


def test_a_timed_video_shows_frames_when_they_were_taken(tmp_path: Path) -> None:
    path = tmp_path / "timed.mp4"
    with VideoWriter(path, (48, 64), timed=True) as writer:
        for frame, at in zip(greys(5), (0, 0.0001, 0.04, 1.5, 1.533), strict=True):
            writer.write(frame, at)

    with av.open(str(path)) as container:
        times = [round(float(frame.time), 3) for frame in container.decode(video=0)]
    assert times == [0, 0.001, 0.04, 1.5, 1.533]
