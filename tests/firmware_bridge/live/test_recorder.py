"""Recordings: readable at any moment, true to the camera's times, and they end before the disk."""

from __future__ import annotations

import zipfile
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from edge_ttvos.errors import OutputError
from edge_ttvos.evaluation.masks import read_mask
from edge_ttvos.firmware_bridge.live import recorder
from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.recorder import MASKS, VIDEO, Recording, zipped
from edge_ttvos.firmware_bridge.prompts import Box

Push = Callable[..., None]


def turns(live: Live, push: Push, count: int, size: tuple[int, int] = (48, 80)) -> None:
    for _ in range(count):
        push(40, size)  # 40 ms a turn
        live.turn()


def times(video: Path) -> list[float]:
    with av.open(str(video)) as container:
        return [round(float(frame.time), 3) for frame in container.decode(video=0)]


def recording(live: Live) -> Recording:
    assert live.recording is not None
    return live.recording


def test_video_and_masks(live: Live, push: Push) -> None:
    live.first = {1: Box(16, 8, 24, 16)}
    turns(live, push, 1)
    live.record(True)
    turns(live, push, 10)
    live.record(False)
    recording(live).close()

    status = recording(live).status
    assert (status.frames, status.running, status.skipped, status.error) == (10, False, 0, "")
    folder = recording(live).folder
    assert times(folder / VIDEO) == pytest.approx([0.04 * number for number in range(10)])
    masks = sorted((folder / MASKS).iterdir())
    assert [int(mask.stem) for mask in masks] == [40 * (number + 2) - 1 for number in range(10)]
    assert (read_mask(masks[-1]) == 1).sum() == 24 * 16
    with zipfile.ZipFile(zipped(folder)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 10


def test_a_second_one_has_its_own_folder(live: Live, push: Push) -> None:
    folders = set()
    for _ in range(3):
        live.record(True)
        live.record(True)
        turns(live, push, 2)
        live.record(False)
        live.record(False)
        folders.add(recording(live).folder)

    assert len(folders) == 3


def test_it_can_be_played_while_it_runs(live: Live, push: Push) -> None:
    live.record(True)
    turns(live, push, 22)
    assert recording(live)._outlet.close(20)

    video = recording(live).folder / VIDEO
    assert len(times(video)) >= 12
    live.record(False)


def test_another_size_fits_into_the_same_video(live: Live, push: Push) -> None:
    live.record(True)
    turns(live, push, 3)
    turns(live, push, 3, (96, 200))
    live.record(False)
    recording(live).close()

    with av.open(str(recording(live).folder / VIDEO)) as container:
        sizes = {(frame.height, frame.width) for frame in container.decode(video=0)}
    assert sizes == {(48, 80)}
    assert recording(live).status.frames == 6


def test_it_ends_before_the_disk_is_full(
    live: Live, push: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    live.record(True)
    turns(live, push, 2)
    monkeypatch.setattr(recorder.shutil, "disk_usage", lambda folder: usage(1 << 20))
    turns(live, push, 2)
    recording(live)._outlet.close(20)

    status = recording(live).status
    assert not status.running
    assert "1 MiB left" in status.error
    turns(live, push, 1)
    with pytest.raises(OutputError, match="1 MiB left"):
        live.record(True)


def test_the_loop_ends_it(live: Live, push: Push) -> None:
    live.record(True)
    push()
    live.run(over=lambda: True)

    assert times(recording(live).folder / VIDEO) == [0.0]
