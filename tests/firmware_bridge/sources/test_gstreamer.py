"""GStreamer: the format that comes through the pipe, and real pipelines where it is installed."""

from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.sources.camera import CameraOptions
from edge_ttvos.firmware_bridge.sources.gstreamer import PROGRAM, GStreamerCamera, read_pictures

HEADER = b"YUV4MPEG2 W%d H%d F30:1 Ip A1:1 C420jpeg\n"
GREY = bytes([128]) * (8 * 4 * 3 // 2)

needs_gstreamer = pytest.mark.skipif(
    shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed (gstreamer1.0-tools)"
)


def test_pictures_and_a_new_size_on_the_way() -> None:
    stream = io.BytesIO(HEADER % (8, 4) + b"FRAME\n" + GREY + HEADER % (4, 8) + b"FRAME\n" + GREY)

    sizes = [shot.image.shape for shot in read_pictures(stream)]

    assert sizes == [(4, 8, 3), (8, 4, 3)]


def test_half_a_picture_is_left_out() -> None:
    stream = io.BytesIO(HEADER % (8, 4) + b"FRAME\n" + GREY + b"FRAME\n" + GREY[:-1])

    assert len(list(read_pictures(stream))) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"hello\n", "expected YUV4MPEG2"), (HEADER % (7, 4), "even sides; got 7×4")],
)
def test_what_is_no_stream(data: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        list(read_pictures(io.BytesIO(data)))


TALKER = f"""#!{sys.executable}
import os, re, sys, time
print("GST_ARGUS: Creating output stream", flush=True)
pipe = int(re.search(r"fdsink fd=(\\d+)", " ".join(sys.argv))[1])
os.write(pipe, {HEADER % (8, 4)!r})
for _ in range(50):
    print("WARNING: a frame was lost " + 8000 * ".", file=sys.stderr, flush=True)
    print("GST_ARGUS: status", flush=True)
    os.write(pipe, b"FRAME\\n" + {GREY!r})
print("ERROR: from element x: rtsp://me:secret@host/ is gone", file=sys.stderr)
print("ERROR: pipeline doesn't want to preroll.", file=sys.stderr, flush=True)
"""


@pytest.fixture
def talker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GStreamerCamera:
    """A simulated pipeline whose plugins print to stdout, and to stderr more than a pipe holds."""
    program = tmp_path / PROGRAM
    program.write_text(TALKER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return GStreamerCamera("gstreamer:x", CameraOptions())


def test_what_plugins_print_is_no_picture_and_holds_nobody_up(talker: GStreamerCamera) -> None:
    taken = []

    with pytest.raises(SourceError) as error:  # noqa: PT012 - it ends in time
        for shot in talker:
            taken.append(shot)

    assert len(taken) == 50
    assert {shot.image.shape for shot in taken} == {(4, 8, 3)}
    assert str(error.value) == (
        "the pipeline has ended: ERROR: from element x: rtsp://host/ is gone"
    )


def test_who_stops_looking_ends_the_pipeline(talker: GStreamerCamera) -> None:
    shots = talker.__iter__()
    next(shots)
    assert talker._process is not None

    shots.close()

    assert talker._process.poll() is not None


@needs_gstreamer
def test_a_real_pipeline() -> None:
    pipeline = (
        "videotestsrc num-buffers=3 pattern=red ! "
        "video/x-raw,format=RGB,width=64,height=48,framerate=30/1"
    )
    camera = GStreamerCamera(f"gstreamer:{pipeline}", CameraOptions())
    shots = iter(camera)

    taken = [next(shots) for _ in range(3)]

    assert taken[0].image.shape == (48, 64, 3)
    error = np.abs(taken[2].image[20, 30].astype(int) - [255, 0, 0])
    assert error.max() <= 8
    with pytest.raises(SourceError, match="the pipeline has ended"):
        next(shots)


@needs_gstreamer
def test_a_real_plugin_that_prints() -> None:
    pipeline = "videotestsrc num-buffers=3 ! video/x-raw,width=64,height=48 ! identity dump=true"

    with pytest.raises(SourceError, match="the pipeline has ended"):  # noqa: PT012 - it ends in time
        for shot in GStreamerCamera(f"gstreamer:{pipeline}", CameraOptions()):
            assert shot.image.shape == (48, 64, 3)


@needs_gstreamer
def test_a_pipeline_that_does_not_work_says_why() -> None:
    camera = GStreamerCamera("gstreamer:nosuchelement", CameraOptions())

    with pytest.raises(SourceError, match="nosuchelement"):
        next(iter(camera))
