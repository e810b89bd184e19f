"""Recordings: readable at any moment, true to the camera's times, and they end before the disk."""

from __future__ import annotations

import errno
import threading
import time
import zipfile
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from edge_ttvos.errors import InputError, OutputError
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
    while recording(live).status.frames < 2:
        time.sleep(0.01)
    monkeypatch.setattr(recorder.shutil, "disk_usage", lambda folder: usage(1 << 20))
    turns(live, push, 2)
    recording(live)._outlet.close(20)

    status = recording(live).status
    assert len(times(recording(live).folder / VIDEO)) == status.frames
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


def test_what_waits_is_counted_in_bytes(
    live: Live, push: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = 48 * 80 * 3
    monkeypatch.setattr(recorder, "WAITING", 5 * picture)
    begun, go_on = threading.Event(), threading.Event()
    write = recorder.write_mask

    def slow(*args: Any, **options: Any) -> None:
        begun.set()
        go_on.wait(10)
        write(*args, **options)

    monkeypatch.setattr(recorder, "write_mask", slow)
    live.record(True)
    turns(live, push, 1)
    begun.wait(10)
    turns(live, push, 6)
    go_on.set()
    recording(live).close()

    status = recording(live).status
    assert (status.frames, status.skipped) == (3, 4)  # one was at hand, two waited
    assert len(times(recording(live).folder / VIDEO)) == 3


def test_a_disk_that_hangs_keeps_what_was_written(
    live: Live, push: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = recorder.write_mask

    def slow(*args: Any, **options: Any) -> None:
        time.sleep(0.2)
        write(*args, **options)

    monkeypatch.setattr(recorder, "write_mask", slow)
    live.record(True)
    turns(live, push, 10)
    recording(live).close(0.3)

    status = recording(live).status
    assert status.frames + status.skipped == 10
    assert status.skipped > 0
    assert len(times(recording(live).folder / VIDEO)) == status.frames


def test_a_disk_that_is_gone(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(recorder.shutil, "disk_usage", gone)
    with pytest.raises(OutputError, match=r"cannot record to .*: Input/output error"):
        live.record(True)


def test_too_many_masks_for_a_zip(live: Live, push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MOST_ZIPPED", 2)
    live.record(True)
    turns(live, push, 3)
    recording(live).close()
    with pytest.raises(InputError, match=r"expected at most 2 masks.*got 3"):
        zipped(recording(live).folder)
