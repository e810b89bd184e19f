"""``edge-ttvos live`` as a command: masks like ``track``'s, lines on stdout, an orderly end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from edge_ttvos.evaluation.masks import read_mask

BOX = ("--box", "10,6,18,20")
PATIENCE = 60  # seconds; only a test that fails takes so long

Call = Callable[..., Any]


@pytest.fixture
def small(checkpoint: Path) -> tuple[object, ...]:
    """A fast model."""
    return ("--model", checkpoint, "--size", "64x96", "--threads", 1)


def recording(folder: Path) -> Path:
    """The one that was made."""
    (made,) = folder.iterdir()
    return made


def frames(video: Path) -> int:
    with av.open(str(video)) as container:
        return len(list(container.decode(video=0)))


def test_with_drops_off_the_masks_are_tracks(
    call: Call, clip: Path, small: tuple[object, ...], tmp_path: Path
) -> None:
    tape, lines = tmp_path / "tapes", tmp_path / "lines.jsonl"
    assert call("track", clip, *BOX, *small, "--out", tmp_path / "out").code == 0

    done = call(
        *("live", "--source", clip, "--every-frame", *BOX, *small, "--json", "-"),
        *("--results", lines, "--record", "--recordings", tape),
    )

    assert done.code == 0, done
    record = done.json
    assert record["frames"] == {"received": 10, "processed": 10, "dropped": 0, "in_flight": 0}
    assert (record["schema"], record["complete"], record["signal"]) == (1, True, None)
    expected = [read_mask(path) for path in sorted((tmp_path / "out" / "masks").iterdir())]
    masks = [read_mask(path) for path in sorted((recording(tape) / "masks").iterdir())]
    assert len(masks) == 10
    for mask, wanted in zip(masks, expected, strict=True):
        assert np.array_equal(mask, wanted)
    assert frames(recording(tape) / "video.mp4") == 10
    said = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [line["frame"] for line in said] == list(range(10))
    assert [line["objects"][0]["area"] for line in said] == [int((m > 0).sum()) for m in expected]


@pytest.mark.slow
def test_with_drops_off_the_masks_are_evals(call: Call, data_root: Path, tmp_path: Path) -> None:
    davis, small = data_root / "davis2016", ("--size", "96x176", "--threads", 1)
    name, out, tape = "blackswan", tmp_path / "out", tmp_path / "tapes"
    frames, first = davis / "JPEGImages/480p" / name, davis / "Annotations/480p" / name
    data = ("--dataset", "davis2016", "--root", davis, "--sequences", name)
    assert call("eval", *data, *small, "--out", out).code == 0

    done = call(
        *("live", "--source", frames, "--every-frame", "--mask", first / "00000.png", *small),
        *("--results", tmp_path / "lines", "--record", "--recordings", tape),
    )

    assert done.code == 0, done
    expected = sorted((out / "masks" / name).iterdir())
    masks = sorted((recording(tape) / "masks").iterdir())
    assert len(masks) == len(expected) == 50
    for mask, wanted in zip(masks, expected, strict=True):
        assert np.array_equal(read_mask(mask), read_mask(wanted)), mask.name


def test_results_on_stdout_are_nothing_but_lines(
    shell: Call, clip: Path, small: tuple[object, ...]
) -> None:
    done = shell("live", "--source", clip, "--every-frame", *BOX, *small, "--results", "-")

    assert done.code == 0, done
    assert len([json.loads(line) for line in done.out.splitlines()]) == 10


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_and_the_recording_is_whole(
    launch: Callable[..., subprocess.Popen[str]],
    wait_for: Callable[..., None],
    finish: Callable[..., Any],
    long_clip: Path,
    small: tuple[object, ...],
    tmp_path: Path,
    name: str,
) -> None:
    tape = tmp_path / "tapes"
    process = launch(
        *("live", "--source", long_clip, "--loop", *BOX, *small, "--web", 0, "--json", "-"),
        *("--record", "--recordings", tape, "--results", tmp_path / "lines.jsonl"),
    )
    wait_for(tmp_path / "lines.jsonl", process)
    while len(list(tape.glob("*/masks/*.png"))) < 5:
        assert process.poll() is None

    process.send_signal(getattr(signal, name))
    done = finish(process)

    assert done.code == 130, done
    assert "interrupted" in done.err
    assert "Traceback" not in done.err
    record = json.loads(done.out)
    assert record["signal"] == name
    masks = len([path for path in (recording(tape) / "masks").iterdir() if path.suffix == ".png"])
    assert frames(recording(tape) / "video.mp4") == masks
    counts = record["frames"]
    assert counts["received"] == counts["processed"] + counts["dropped"] + counts["in_flight"]


@pytest.mark.parametrize(
    "hang", ["time.sleep(999)", "exec('while True: pass')"], ids=["asleep", "busy"]
)
def test_a_hung_engine_does_not_outlive_a_signal(
    launch: Callable[..., subprocess.Popen[str]],
    wait_for: Callable[..., None],
    finish: Callable[..., Any],
    clip: Path,
    small: tuple[object, ...],
    tmp_path: Path,
    hang: str,
) -> None:
    mark = tmp_path / "hangs"
    before = f"""
import time
from edge_ttvos.firmware_bridge.live import run
from edge_ttvos.firmware_bridge.tracker import Tracker
run.GRACE = 0.3
def step(self, frame):
    open({str(mark)!r}, "w").close()
    {hang}
Tracker.step = step
"""
    process = launch(
        "live", "--source", clip, "--loop", *BOX, *small, "--results", "-", before=before
    )
    wait_for(mark, process)

    process.send_signal(signal.SIGTERM)

    assert finish(process).code == 130


def test_a_camera_that_needs_something_is_an_error(
    call: Call, small: tuple[object, ...], tmp_path: Path
) -> None:
    done = call("live", "--source", tmp_path / "none.mp4", *small, "--web", 0, "--json", "-")

    assert done.code == 1
    assert "none.mp4 does not exist" in done.err.splitlines()[-1]
    assert done.json["complete"] is False


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--source", "v4l2:0", "--every-frame"), "a camera does not wait"),
        (("--source", "x.mp4", "--results", "-", "--json", "-"), "stdout is taken"),
        (("--source", "x.mp4", "--camera-size", "big"), "--camera-size: 'big': expected HxW"),
        (("--source", "x.mp4", "--box", "1@5:8,8,24,24"), "@5: live takes objects at its first"),
    ],
)
def test_what_does_not_go_together(call: Call, options: tuple[str, ...], said: str) -> None:
    done = call("live", *options)

    assert done.code == 2
    assert said in " ".join(done.err.split())


def test_the_page_needs_its_packages(
    call: Call, clip: Path, small: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    done = call("live", "--source", clip, *small, "--web", 0)

    assert done.code == 1
    assert "uvicorn, which is not installed" in done.err
    assert "pip install starlette uvicorn wsproto segno" in done.err


def test_windows_need_another_opencv(
    call: Call, clip: Path, small: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cv2.getBuildInformation", lambda: "  GUI:                 NONE\n")

    done = call("live", "--source", clip, *small, "--window")

    assert done.code == 1
    assert "pip install opencv-python;" in done.err


def test_results_that_cannot_be_written_any_more_are_said_so(
    shell: Call, clip: Path, small: tuple[object, ...]
) -> None:
    done = shell(
        *("live", "--source", clip, "--every-frame", *BOX, *small, "--results", "/dev/full")
    )

    assert done.code == 0, done
    assert "results end here, the rest goes on: [Errno 28]" in done.err
