"""Ctrl-C and its kin: real signals to real processes, on the way and at the worst moments."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

BOX = "10,6,18,20"

# Interrupts the process the moment that it first does something: an audit event, and what with.
STRIKE = """
import os

def strike(event, arguments, struck=[]):
    if not struck and event == {event!r} and str(arguments[{place}]).endswith({what!r}):
        struck.append(1)
        os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(strike)
"""


@pytest.fixture
def options(checkpoint: Path, tmp_path: Path) -> tuple[object, ...]:
    """Options of a fast run into ``out``."""
    small = ("--size", "64x96", "--threads", 1, "--json", "-")
    return ("--box", BOX, "--model", checkpoint, "--out", tmp_path / "out", *small)


def check_kept(out: Path, record: dict[str, Any]) -> None:
    """The masks of all finished frames are there, and the video shows them."""
    masks = sorted(path.stem for path in (out / "masks").iterdir())
    assert masks == [f"{t:05d}" for t in range(len(masks))]
    assert len(masks) - record["frames"] in (0, 1), "a mask is written before its frame is counted"
    with av.open(str(out / "overlay.mp4")) as container:
        shown = len(list(container.decode(video=0)))
    assert len(masks) - shown in (0, 1)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_run_that_is_interrupted_keeps_what_was_finished(
    launch: Callable[..., subprocess.Popen[str]],
    finish: Callable[..., Any],
    wait_for: Callable[..., None],
    long_clip: Path,
    options: tuple[object, ...],
    tmp_path: Path,
    no_leftovers: Callable[[Path], None],
    read_json: Callable[[Path], dict[str, Any]],
    name: str,
) -> None:
    out = tmp_path / "out"
    process = launch("track", long_clip, *options)
    wait_for(out / "masks/00005.png", process)
    assert read_json(out / "track.json")["complete"] is False, "before its end it is not complete"

    process.send_signal(getattr(signal, name))
    done = finish(process)

    assert done.code == 130
    how = "interrupted" if name == "SIGINT" else f"interrupted by {name}"
    assert done.complaint == f"edge-ttvos: {how}; what was finished is kept"
    record = read_json(out / "track.json")
    assert done.json == record
    assert (record["complete"], record["reason"]) == (False, how)
    assert 5 <= record["frames"] < 1500
    check_kept(out, record)
    no_leftovers(out)


def test_a_run_that_is_killed_says_so_too(
    launch: Callable[..., subprocess.Popen[str]],
    wait_for: Callable[..., None],
    long_clip: Path,
    options: tuple[object, ...],
    tmp_path: Path,
    read_json: Callable[[Path], dict[str, Any]],
) -> None:
    out = tmp_path / "out"
    process = launch("track", long_clip, *options)
    wait_for(out / "masks/00030.png", process)

    process.kill()
    process.communicate()

    record = read_json(out / "track.json")
    assert record["complete"] is False
    assert "killed" in record["reason"]
    with av.open(str(out / "overlay.mp4")) as container:
        assert len(list(container.decode(video=0))) >= 12


@pytest.mark.parametrize(
    ("event", "what"), [("import", "cv2"), ("import", "torch"), ("open", "random.safetensors")]
)
def test_interrupted_before_it_begins_it_writes_nothing(
    shell: Callable[..., Any],
    long_clip: Path,
    options: tuple[object, ...],
    tmp_path: Path,
    event: str,
    what: str,
) -> None:
    accident = STRIKE.format(event=event, place=0, what=what)

    done = shell("track", long_clip, *options, before=accident)

    assert done.code == 130
    assert done.complaint == "edge-ttvos: interrupted; what was finished is kept"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("event", "place", "what"),
    [("open", 0, ".part"), ("os.rename", 1, "00004.png"), ("os.rename", 1, "track.json")],
)
def test_interrupted_while_a_file_is_finished_the_file_is_whole_or_absent(
    shell: Callable[..., Any],
    long_clip: Path,
    options: tuple[object, ...],
    tmp_path: Path,
    no_leftovers: Callable[[Path], None],
    read_json: Callable[[Path], dict[str, Any]],
    event: str,
    place: int,
    what: str,
) -> None:
    out = tmp_path / "out"
    accident = STRIKE.format(event=event, place=place, what=what)

    done = shell("track", long_clip, *options, "--end", 8, before=accident)

    assert done.code == 130
    assert done.complaint
    no_leftovers(out)
    if (out / "track.json").exists():
        assert read_json(out / "track.json")["complete"] is False
    assert len(list(out.glob("masks/*.png"))) < 8
