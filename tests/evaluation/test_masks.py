from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_ttvos.errors import MaskError, OutputError
from edge_ttvos.evaluation.masks import davis_palette, read_mask, write_mask


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    mask = np.arange(256, dtype=np.uint8).reshape(8, 32)
    write_mask(tmp_path / "m.png", mask)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), mask)


def test_written_file_is_indexed_in_davis_colours(tmp_path: Path) -> None:
    write_mask(tmp_path / "m.png", np.array([[0, 1, 2, 3]], np.uint8))
    with Image.open(tmp_path / "m.png") as image:
        assert image.mode == "P"
        colours = np.array(image.convert("RGB"))[0].tolist()
    assert colours == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]


def test_palette_is_the_pascal_voc_map() -> None:
    palette = davis_palette()
    known = {4: (0, 0, 128), 8: (64, 0, 0), 9: (192, 0, 0), 15: (192, 128, 128), 19: (128, 192, 0)}
    assert {i: tuple(palette[i].tolist()) for i in known} == known
    assert tuple(palette[255].tolist()) == (224, 224, 192)
    assert len(np.unique(palette, axis=0)) == 256


def test_indexed_values_are_indices_whatever_the_palette(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1, 2, 255]], np.uint8))
    image.putpalette(bytes(reversed(range(256))) * 3)
    image.save(tmp_path / "m.png")
    assert read_mask(tmp_path / "m.png").tolist() == [[0, 1, 2, 255]]


def test_few_colours_packed_into_bits_are_indices_too(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1, 2, 3, 1]], np.uint8))
    image.putpalette(davis_palette()[:4].tobytes())
    image.save(tmp_path / "m.png", bits=2)
    assert read_mask(tmp_path / "m.png").tolist() == [[0, 1, 2, 3, 1]]


def test_grey_and_one_bit_masks(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 7, 255]], np.uint8)).save(tmp_path / "grey.png")
    Image.fromarray(np.array([[False, True]])).save(tmp_path / "bit.png")
    assert read_mask(tmp_path / "grey.png").tolist() == [[0, 7, 255]]
    assert read_mask(tmp_path / "bit.png").tolist() == [[0, 1]]


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 4), np.uint8), np.zeros((2, 2), np.uint16)],
    ids=["rgb", "rgba", "16-bit"],
)
def test_colours_and_16_bits_are_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(tmp_path / "m.png")
    with pytest.raises(MaskError, match=r"m\.png must be an indexed, 1-bit or 8-bit grey PNG"):
        read_mask(tmp_path / "m.png")


def test_damaged_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    with pytest.raises(MaskError, match=r"m\.png is missing"):
        read_mask(path)
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    write_mask(path, noise)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    for content in (b"", b"no image", whole[:20], whole[: len(whole) // 2], bytes(flipped)):
        path.write_bytes(content)
        with pytest.raises(MaskError, match=r"m\.png cannot be read"):
            read_mask(path)


def test_a_jpeg_is_no_mask(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "m.png", format="JPEG")
    with pytest.raises(MaskError, match="cannot be read as a PNG mask"):
        read_mask(tmp_path / "m.png")


@pytest.mark.parametrize(
    "mask", [np.zeros((2, 2), bool), np.zeros((2, 2, 1), np.uint8), np.zeros((0, 2), np.uint8)]
)
def test_only_two_dimensional_bytes_are_written(tmp_path: Path, mask: np.ndarray) -> None:
    with pytest.raises(MaskError, match=r"mask must be \(H, W\) uint8"):
        write_mask(tmp_path / "m.png", mask)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.png"
    write_mask(path, np.ones((2, 2), np.uint8))
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_mask(path, np.zeros((2, 2), np.uint8))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        write_mask(tmp_path / "none" / "m.png", np.zeros((2, 2), np.uint8))
