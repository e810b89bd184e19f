"""Disks that fill up, places that cannot be written, outputs that nobody reads."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

BOX = "10,6,18,20"
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a file system in memory with these options."""
    mounted = []

    def attach(options: str) -> Path:
        place = tmp_path / "mounted"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("no right to mount a file system here: run the tests as root")
        mounted.append(place)
        return place

    yield attach
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def small(checkpoint: Path) -> tuple[object, ...]:
    """Options of a fast run."""
    return ("--box", BOX, "--model", checkpoint, "--size", "64x96", "--threads", 1)


def test_a_disk_that_is_full_on_the_way(
    mount: Callable[[str], Path],
    call: Callable[..., Any],
    long_clip: Path,
    small: tuple[object, ...],
    no_leftovers: Callable[[Path], None],
    read_json: Callable[[Path], dict[str, Any]],
) -> None:
    out = mount("size=256k") / "out"

    done = call("track", long_clip, *small, "--out", out)

    assert done.code == 1
    assert "No space left on device" in done.complaint
    assert str(out) in done.complaint
    record = read_json(out / "track.json")
    assert record["complete"] is False
    assert f"edge-ttvos: {record['reason']}" == done.complaint
    masks = list((out / "masks").iterdir())
    assert len(masks) > 3
    assert len(masks) - record["frames"] in (0, 1)
    no_leftovers(out)


def test_a_disk_that_is_full_from_the_start(
    mount: Callable[[str], Path], call: Callable[..., Any], clip: Path, small: tuple[object, ...]
) -> None:
    place = mount("size=64k")
    (place / "filler").write_bytes(bytes(40_000))
    (place / "track.json").write_text("mine")

    done = call("track", clip, *small, "--out", place, "--overwrite")

    assert done.code == 1
    assert "No space left on device" in done.complaint
    assert sorted(path.name for path in place.iterdir()) == ["filler", "track.json"]
    assert (place / "track.json").read_text() == "mine"


def test_a_folder_that_is_read_only(
    mount: Callable[[str], Path], call: Callable[..., Any], clip: Path, small: tuple[object, ...]
) -> None:
    place = mount("size=64k,ro")

    for out in (place, place / "out"):
        done = call("track", clip, *small, "--out", out)

        assert done.code == 1
        assert f"cannot write into {out}: Read-only file system" in done.complaint


def test_a_folder_that_may_not_be_written(
    call: Callable[..., Any], clip: Path, small: tuple[object, ...], tmp_path: Path
) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere: test_a_folder_that_is_read_only stands in")
    (tmp_path / "closed").mkdir(mode=0o500)

    done = call("track", clip, *small, "--out", tmp_path / "closed")

    assert done.code == 1
    assert "Permission denied" in done.complaint


def test_a_video_that_may_not_grow(
    shell: Callable[..., Any],
    long_clip: Path,
    small: tuple[object, ...],
    tmp_path: Path,
    no_leftovers: Callable[[Path], None],
) -> None:
    out = tmp_path / "out"

    done = shell("track", long_clip, *small, "--out", out, "--json", "-", before=LIMITED)

    assert done.code == 1
    assert f"cannot write the video {out / 'overlay.mp4'}: File too large" in done.complaint
    assert (done.json["complete"], done.complaint) == (False, f"edge-ttvos: {done.json['reason']}")
    assert len(list((out / "masks").iterdir())) - done.json["frames"] in (0, 1)
    no_leftovers(out)
    with av.open(str(out / "overlay.mp4")) as container:
        assert next(container.decode(video=0)).width == 96


@pytest.mark.parametrize("name", ["folder", "file/below.json"])
def test_json_that_cannot_be_written_is_refused_before_the_work(
    call: Callable[..., Any], clip: Path, small: tuple[object, ...], tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")

    done = call("track", clip, *small, "--out", tmp_path / "out", "--json", tmp_path / name)

    assert done.code == 1
    assert f"--json {tmp_path / name}" in done.complaint
    assert not (tmp_path / "out").exists()


FULL = Path("/dev/full")
TO_FULL = f"import os; os.dup2(os.open('{FULL}', os.O_WRONLY), 1)"


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_a_full_stdout_is_an_error_but_the_results_are_whole(
    shell: Callable[..., Any],
    clip: Path,
    small: tuple[object, ...],
    tmp_path: Path,
    read_json: Callable[[Path], dict[str, Any]],
) -> None:
    done = shell("track", clip, *small, "--out", tmp_path / "out", "--json", "-", before=TO_FULL)

    assert done.code == 1
    assert "No space left on device" in done.complaint
    assert read_json(tmp_path / "out/track.json")["complete"] is True


def test_a_reader_that_has_gone_ends_the_command_quietly(
    launch: Callable[..., subprocess.Popen[str]],
    finish: Callable[..., Any],
    clip: Path,
    small: tuple[object, ...],
    tmp_path: Path,
) -> None:
    process = launch("track", clip, *small, "--out", tmp_path / "out", "--json", "-")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None

    done = finish(process)

    assert done.code != 0
    assert "Traceback" not in done.err
    assert (tmp_path / "out/track.json").exists()
