"""``edge-ttvos track`` with input that cannot be used: one line, exit code 1, nothing written."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

BOX = "10,6,18,20"


@pytest.fixture
def refused(
    call: Callable[..., Any], checkpoint: Path, clip: Path, tmp_path: Path
) -> Callable[..., str]:
    """Track; assert that it is refused before anything is written; return the one line."""

    def run(*options: object, source: Path = clip, model: object = checkpoint) -> str:
        out = tmp_path / "deep" / "out"
        common = ("--out", out, "--model", model, "--size", "64x96", "--threads", 1)

        done = call("track", source, *common, *options, "--json", "-")

        assert done.code == 1, done
        assert not out.parent.exists(), "something was written"
        record = done.json
        assert (record["schema"], record["complete"]) == (1, False)
        assert done.complaint == f"edge-ttvos: {record['reason']}"
        assert "defect" not in done.complaint
        return str(done.complaint)

    return run


def saved(path: Path, values: NDArray[Any]) -> Path:
    """An image file of an array."""
    Image.fromarray(values).save(path)
    return path


def block(dtype: type = np.uint8, value: int = 255) -> NDArray[Any]:
    """A mask (64, 96) that would do."""
    mask = np.zeros((64, 96), dtype)
    mask[6:26, 10:28] = value
    return mask


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.ones((32, 48), np.uint8), ["(64, 96)", "(32, 48)", "Resize it"]),
        (np.zeros((64, 96), np.uint8), ["mask is empty", "Paint"]),
        (np.full((64, 96), 255, np.uint8), ["covers the whole frame", "Paint the object alone"]),
        (block(np.uint16, 60000), ["8-bit", "got mode I"]),
        (np.dstack([block()] * 3), ["8-bit", "got mode RGB"]),
        (np.dstack([block()] * 4), ["8-bit", "got mode RGBA"]),
    ],
    ids=["size", "empty", "full", "16-bit", "rgb", "rgba"],
)
def test_a_mask(
    refused: Callable[..., str], tmp_path: Path, mask: NDArray[Any], words: list[str]
) -> None:
    said = refused("--mask", saved(tmp_path / "mask.png", mask))

    for word in words:
        assert word in said


def test_one_good_mask_does_not_excuse_a_bad_one(
    refused: Callable[..., str], tmp_path: Path, masks: Path
) -> None:
    small = saved(tmp_path / "small.png", np.eye(20, dtype=np.uint8))

    assert "(20, 20)" in refused("--mask", masks / "1.png", "--mask", f"2@5:{small}")


@pytest.mark.parametrize("content", [b"", b"GIF89a", "cut"], ids=["empty", "gif", "cut"])
def test_a_mask_file_that_is_no_png(
    refused: Callable[..., str], tmp_path: Path, masks: Path, content: bytes | str
) -> None:
    file = tmp_path / "mask.png"
    whole = (masks / "1.png").read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if isinstance(content, str) else content)

    assert f"{file} cannot be read as a PNG mask" in refused("--mask", file)


def test_a_mask_file_that_is_missing(refused: Callable[..., str], tmp_path: Path) -> None:
    assert f"{tmp_path / 'no.png'} is missing" in refused("--mask", tmp_path / "no.png")


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ("96,10,5,5", ["box 96,10,5,5 is outside the frame of 96x64", "X,Y,W,H"]),
        ("-9,10,9,5", ["is outside the frame"]),
        ("1e300,0,5,5", ["is outside the frame"]),
        ("10,10,0,5", ["has no area", "above 0"]),
        ("10,10,5,-3", ["has no area"]),
        ("0,0,96,64", ["covers the whole frame"]),
    ],
)
def test_a_box(refused: Callable[..., str], box: str, words: list[str]) -> None:
    said = refused("--box", box)

    for word in words:
        assert word in said


def test_more_objects_than_slots(refused: Callable[..., str], masks: Path) -> None:
    said = refused("--mask", masks / "indexed.png", "--box", f"9@3:{BOX}", "--max-objects", "2")

    assert "3 objects are given, but max_objects is 2" in said
    assert "--max-objects 3" in said


def test_an_object_given_twice(refused: Callable[..., str], masks: Path) -> None:
    assert "object 2 is given twice" in refused(
        "--mask", masks / "indexed.png", "--box", f"2:{BOX}"
    )


@pytest.mark.parametrize(
    "options",
    [
        ["--box", f"1@10:{BOX}"],
        ["--box", f"1@3:{BOX}", "--end", "3"],
        ["--box", f"1@1:{BOX}", "--start", "2"],
        ["--box", f"1@3:{BOX}", "--stride", "2"],
    ],
    ids=["after the last", "at the end", "before the start", "between strides"],
)
def test_an_object_at_a_frame_that_is_not_read(
    refused: Callable[..., str], options: list[str]
) -> None:
    assert "--start, --end and --stride" in refused(*options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--start", "10"], "has 10 frames, 0…9"),
        (["--end", "11"], "has 10 frames; got end=11"),
    ],
)
def test_a_part_that_is_not_there(
    refused: Callable[..., str], options: list[str], words: str
) -> None:
    assert words in refused("--box", BOX, *options)


def test_a_source_that_is_not_there(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "does not exist" in refused("--box", BOX, source=tmp_path / "no.mp4")


def test_a_folder_without_images(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert "holds no images" in refused("--box", BOX, source=tmp_path / "empty")


def test_a_folder_with_a_gap(refused: Callable[..., str], clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gap"
    folder.mkdir()
    for frame in clip.iterdir():
        if frame.stem != "shot_07":
            (folder / frame.name).write_bytes(frame.read_bytes())

    said = refused("--box", BOX, source=folder)

    assert "7 is missing between shot_06 and shot_08" in said


def test_a_file_that_is_no_video(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video\n" * 100)

    assert "cannot be opened as a video" in refused("--box", BOX, source=tmp_path / "text.mp4")


def test_a_video_without_its_index(
    refused: Callable[..., str], video: Path, tmp_path: Path
) -> None:
    data = video.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: data.index(b"moov")])

    assert "cut.mp4" in refused("--box", BOX, source=tmp_path / "cut.mp4")


def test_a_model_that_is_not_there(refused: Callable[..., str], tmp_path: Path) -> None:
    said = refused("--box", BOX, model="no-such-model")
    assert "there is no model 'no-such-model': give default, release" in said
    assert "also take release-int8 or a bundle" in said
    assert "holds none of model.safetensors" in refused("--box", BOX, model=tmp_path)


@pytest.mark.parametrize("share", [0, 0.001, 0.5], ids=["empty", "header cut", "weights cut"])
def test_a_checkpoint_that_is_cut_off(
    refused: Callable[..., str], checkpoint: Path, tmp_path: Path, share: float
) -> None:
    whole, file = checkpoint.read_bytes(), tmp_path / "cut.safetensors"
    file.write_bytes(whole[: int(share * len(whole))])

    assert f"model {file} is not a safetensors file or is cut off" in refused(
        "--box", BOX, model=file
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"config": '"paper"'}, "unusable header"),
        ({"schema": "2"}, "checkpoint schema 2, this version reads 1"),
        ({"schema": None}, "checkpoint schema none"),
    ],
)
def test_a_checkpoint_of_another_kind(
    refused: Callable[..., str],
    checkpoint: Path,
    tmp_path: Path,
    change: dict[str, str | None],
    words: str,
) -> None:
    file = with_metadata(checkpoint, tmp_path / "other.safetensors", change)

    assert words in refused("--box", BOX, model=file)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("mask_history", 1, "has misshapen tensor"),
        ("update", "average", "has unknown tensor"),
        ("no_such_switch", True, "unusable header"),
    ],
)
def test_a_checkpoint_of_another_configuration(
    refused: Callable[..., str],
    checkpoint: Path,
    tmp_path: Path,
    key: str,
    value: object,
    words: str,
) -> None:
    config = {**json.loads(metadata(checkpoint)["config"]), key: value}
    change = {"config": json.dumps(config)}
    file = with_metadata(checkpoint, tmp_path / "other.safetensors", change)

    assert words in refused("--box", BOX, model=file)


def metadata(checkpoint: Path) -> dict[str, str]:
    """What a safetensors file says of itself."""
    data = checkpoint.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    found: dict[str, str] = json.loads(data[8 : 8 + length])["__metadata__"]
    return found


def with_metadata(checkpoint: Path, target: Path, change: dict[str, str | None]) -> Path:
    """A safetensors file with other metadata and the same tensors."""
    data = checkpoint.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    changed = {**header["__metadata__"], **change}
    header["__metadata__"] = {key: value for key, value in changed.items() if value is not None}
    text = json.dumps(header).encode()
    target.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    return target


def test_an_engine_that_is_not_there(refused: Callable[..., str]) -> None:
    assert "there is no engine 'abacus'; known: litert, " in refused(
        "--box", BOX, "--engine", "abacus"
    )


def test_a_folder_for_results_that_is_a_file(
    call: Callable[..., Any], clip: Path, checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        done = call("track", clip, "--box", BOX, "--model", checkpoint, "--out", out)

        assert done.code == 1
        assert str(out) in done.complaint
    assert (tmp_path / "file").read_text() == "mine"
