"""``edge-ttvos track`` when something goes wrong on the way: what was finished stays, whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

BOX = "10,6,18,20"


@pytest.fixture
def stopped(
    call: Callable[..., Any],
    checkpoint: Path,
    tmp_path: Path,
    no_leftovers: Callable[[Path], None],
    read_json: Callable[[Path], dict[str, Any]],
) -> Callable[..., tuple[str, int]]:
    """Track a source that fails on the way; check what it leaves.

    Returns the one line and the number of finished frames.
    """

    def run(source: Path) -> tuple[str, int]:
        out = tmp_path / "out"
        options = ("--box", BOX, "--model", checkpoint, "--size", "64x96", "--threads", 1)

        done = call("track", source, "--out", out, *options, "--json", "-")

        assert done.code == 1, done
        record = read_json(out / "track.json")
        assert done.json == record
        assert (record["schema"], record["complete"]) == (1, False)
        assert done.complaint == f"edge-ttvos: {record['reason']}"
        assert record["frames"] == len(list((out / "masks").iterdir()))
        no_leftovers(out)
        with av.open(str(out / "overlay.mp4")) as container:
            assert len(list(container.decode(video=0))) == record["frames"]
        return done.complaint, record["frames"]

    return run


@pytest.fixture
def copy(clip: Path, tmp_path: Path) -> Path:
    """The clip's folder to spoil."""
    folder = tmp_path / "spoilt"
    folder.mkdir()
    for frame in clip.iterdir():
        (folder / frame.name).write_bytes(frame.read_bytes())
    return folder


@pytest.fixture
def noisy_video(write_video: Callable[..., Path], tmp_path: Path) -> Path:
    """Twelve frames of noise: many bytes a frame, evenly spread, three groups of pictures."""
    frames = np.random.default_rng(0).integers(0, 255, (12, 64, 96, 3)).astype(np.uint8)
    return write_video(tmp_path / "noise.mp4", list(frames))


def test_a_frame_of_another_size(stopped: Callable[..., tuple[str, int]], copy: Path) -> None:
    Image.new("RGB", (48, 32)).save(copy / "shot_06.jpg")

    said, frames = stopped(copy)

    assert frames == 3
    for word in ("shot_06.jpg", "48×32", "96×64", "one size"):
        assert word in said


def test_a_frame_that_is_cut_off(stopped: Callable[..., tuple[str, int]], copy: Path) -> None:
    frame = copy / "shot_08.jpg"
    frame.write_bytes(frame.read_bytes()[:-300])

    said, frames = stopped(copy)

    assert frames == 5
    assert f"{frame} cannot be read as an image" in said


def test_a_video_that_ends_early(
    stopped: Callable[..., tuple[str, int]], noisy_video: Path
) -> None:
    data = noisy_video.read_bytes()
    noisy_video.write_bytes(data[: len(data) * 6 // 10])

    said, frames = stopped(noisy_video)

    assert 4 <= frames < 12
    assert str(noisy_video) in said


def test_a_video_with_a_damaged_frame_in_the_middle(
    stopped: Callable[..., tuple[str, int]], noisy_video: Path
) -> None:
    data = bytearray(noisy_video.read_bytes())
    pictures = data.index(b"mdat")
    middle = pictures + (len(data) - pictures) // 2
    data[middle : middle + 3000] = bytes(3000)
    noisy_video.write_bytes(data)

    said, frames = stopped(noisy_video)

    assert 3 <= frames < 9
    assert f"frame {frames} of {noisy_video} cannot be decoded" in said


ACCIDENT = """
def accident(event, arguments):
    if event == "open" and str(arguments[0]).endswith("shot_08.jpg"):
        raise RuntimeError("planted\\nmore of it")
sys.addaudithook(accident)
"""


def test_an_error_that_nobody_foresaw(
    shell: Callable[..., Any],
    checkpoint: Path,
    clip: Path,
    tmp_path: Path,
    no_leftovers: Callable[[Path], None],
    read_json: Callable[[Path], dict[str, Any]],
) -> None:
    out = tmp_path / "out"
    options = ("--model", checkpoint, "--size", "64x96", "--threads", 1, "--json", "-", "-v")

    done = shell("track", clip, "--box", BOX, "--out", out, *options, before=ACCIDENT)

    assert done.code == 1
    assert done.json == read_json(out / "track.json")
    assert (done.json["complete"], done.json["frames"]) == (False, 5)
    assert done.json["reason"] == "unexpected RuntimeError: planted"
    assert len(list((out / "masks").iterdir())) == 5
    no_leftovers(out)
    assert "Traceback" in done.err, "-v shows where it was"
    assert done.err.splitlines()[-1].startswith("edge-ttvos: unexpected RuntimeError: planted; ")
