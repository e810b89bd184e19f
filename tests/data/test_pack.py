from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_ttvos.data.material import HELD_OUT, SEQUENCES, STILLS
from edge_ttvos.data.pack import pack
from edge_ttvos.data.pool import load_pool
from edge_ttvos.errors import DatasetError, OutputError

SIZE = (48, 64)


def picture(path: Path, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ramp = np.linspace(shade, shade + 60, SIZE[1])[None].repeat(SIZE[0], axis=0)
    cv2.imwrite(str(path), np.stack([ramp, ramp + 20, ramp + 40], axis=-1).astype(np.uint8))


def mask(path: Path, side: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros(SIZE, np.uint8)
    pixels[8 : 8 + side, 10:30] = 255
    cv2.imwrite(str(path), pixels)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for index in range(2):
        picture(root / STILLS / "images" / f"{index}.jpg", 40 * index)
        mask(root / STILLS / "masks" / f"{index}.png", 20 + index)
    for name in ("walk", HELD_OUT[0]):
        for index in range(3):
            picture(root / SEQUENCES / "JPEGImages" / name / f"{index:05d}.jpg", 30 * index)
            mask(root / SEQUENCES / "Annotations" / name / f"{index:05d}.png", 10 + index)
    return root


def test_an_unpacked_folder_is_trained_on_alike(folder: Path, tmp_path: Path) -> None:
    heard: list[float] = []
    size = pack(folder, tmp_path / "packed.zip", progress=heard.append)
    assert heard[-1] == 1
    assert size == (tmp_path / "packed.zip").stat().st_size
    with zipfile.ZipFile(tmp_path / "packed.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    before, after = load_pool(folder), load_pool(tmp_path / "unpacked")
    assert [still.name for still in after.stills] == [still.name for still in before.stills]
    assert [sequence.name for sequence in after.sequences] == ["walk"]
    for old, new in zip(before.stills, after.stills, strict=True):
        np.testing.assert_array_equal(new.mask, old.mask)
        assert np.abs(new.image.astype(int) - old.image).mean() < 3
    for old_mask, new_mask in zip(before.sequences[0].masks, after.sequences[0].masks, strict=True):
        np.testing.assert_array_equal(new_mask, old_mask)


def test_equal_data_give_equal_files(folder: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.zip", tmp_path / "b.zip"
    pack(folder, first)
    pack(folder, second)
    assert first.read_bytes() == second.read_bytes()


def test_unusable_data_leave_no_file(folder: Path, tmp_path: Path) -> None:
    (folder / STILLS / "masks" / "1.png").unlink()
    with pytest.raises(DatasetError, match=r"1\.png"):
        pack(folder, tmp_path / "packed.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_place_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"none/packed\.zip"):
        pack(folder, tmp_path / "none" / "packed.zip")
