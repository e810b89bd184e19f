from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge_ttvos.data.clips import ClipSpec, plan_clip
from edge_ttvos.data.material import HELD_OUT, SEQUENCES, STILLS, VALIDATION
from edge_ttvos.data.pool import MIN_OBJECT, load_pool
from edge_ttvos.data.render import render
from edge_ttvos.errors import DatasetError

SIZE = (24, 32)
Mask = NDArray[np.uint8]


def block(side: int = 10, value: int = 255) -> Mask:
    mask = np.zeros(SIZE, np.uint8)
    mask[6 : 6 + side, 8 : 8 + side] = value
    return mask


def photograph(path: Path, size: tuple[int, int] = SIZE) -> None:
    """Orange with grain, so that most of the file is pixels, not header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    grain = np.random.default_rng(0).integers(-20, 21, (*size, 1))
    pixels = np.clip(np.array([220, 90, 30]) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=95)


def annotation(path: Path, mask: Mask) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path)


def add_still(folder: Path, name: str, mask: Mask | None = None) -> None:
    photograph(folder / STILLS / "images" / f"{name}.jpg")
    annotation(folder / STILLS / "masks" / f"{name}.png", block() if mask is None else mask)


def add_sequence(folder: Path, name: str, length: int = 3) -> None:
    for index in range(length):
        photograph(folder / SEQUENCES / "JPEGImages" / name / f"{index:05d}.jpg")
        annotation(folder / SEQUENCES / "Annotations" / name / f"{index:05d}.png", block())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two stills and two sequences of three frames."""
    for name in ("pear", "apple"):
        add_still(tmp_path, name)
    for name in ("walk", "dance"):
        add_sequence(tmp_path, name)
    return tmp_path


def refused(folder: Path, *says: object) -> None:
    with pytest.raises(DatasetError) as caught:
        load_pool(folder)
    for part in says:
        assert str(part) in str(caught.value)


def test_both_parts_are_read_in_the_order_of_their_names(folder: Path) -> None:
    pool = load_pool(folder)
    assert [still.name for still in pool.stills] == ["apple", "pear"]
    assert [sequence.name for sequence in pool.sequences] == ["dance", "walk"]
    for sequence in pool.sequences:
        assert len(sequence.frames) == len(sequence.masks) == 3
    images = [still.image for still in pool.stills] + [f for s in pool.sequences for f in s.frames]
    for image in images:
        assert (image.shape, image.dtype) == ((*SIZE, 3), np.uint8)
        assert np.abs(image.reshape(-1, 3).mean(axis=0) - (220, 90, 30)).max() < 4  # RGB


@pytest.mark.parametrize("kind", ["grey", "one bit", "low value", "palette", "colour"])
def test_any_value_above_zero_is_the_object(tmp_path: Path, kind: str) -> None:
    add_still(tmp_path, "apple")
    path = tmp_path / STILLS / "masks" / "apple.png"
    image = Image.fromarray(block(value=1 if kind in ("low value", "palette") else 255))
    if kind == "one bit":
        image = image.convert("1")
    elif kind == "colour":
        image = image.convert("RGB")
    elif kind == "palette":
        image = Image.fromarray(block(value=1), mode=None).convert("P")
        image.putpalette([0, 0, 0, 128, 0, 0])
    image.save(path)
    np.testing.assert_array_equal(load_pool(tmp_path).stills[0].mask, block())


def test_one_part_is_enough(tmp_path: Path) -> None:
    stills, sequences = tmp_path / "a", tmp_path / "b"
    add_still(stills, "apple")
    add_sequence(sequences, "walk")
    assert (len(load_pool(stills).stills), len(load_pool(stills).sequences)) == (1, 0)
    assert (len(load_pool(sequences).stills), len(load_pool(sequences).sequences)) == (0, 1)


def test_the_sequences_for_choosing_are_left_out(folder: Path) -> None:
    assert len(HELD_OUT) == 6
    for name in HELD_OUT:
        add_sequence(folder, name)
    assert [sequence.name for sequence in load_pool(folder).sequences] == ["dance", "walk"]


def test_the_validation_sequences_are_left_out(folder: Path) -> None:
    """Also those that the data folder does not have: a user may point at all of DAVIS-2016."""
    assert len(VALIDATION) == 20
    for name in ("libby", "soapbox"):
        add_sequence(folder, name)
    assert [sequence.name for sequence in load_pool(folder).sequences] == ["dance", "walk"]


def moved(folder: Path, names: dict[str, str]) -> Path:
    for before, after in names.items():
        (folder / after).parent.mkdir(parents=True, exist_ok=True)
        (folder / before).rename(folder / after)
    return folder


@pytest.mark.parametrize(
    "names",
    [
        {STILLS: "stills", SEQUENCES: "sequences"},
        {f"{SEQUENCES}/JPEGImages": "JPEGImages/480p", f"{SEQUENCES}/Annotations": "Annotations"},
        {
            f"{SEQUENCES}/JPEGImages": "sequences/frames",
            f"{SEQUENCES}/Annotations": "sequences/masks",
        },
        {f"{STILLS}/images": "images", f"{STILLS}/masks": "masks"},
    ],
)
def test_ones_own_folder_may_be_laid_out_in_several_ways(
    folder: Path, names: dict[str, str]
) -> None:
    places = moved(folder, names)
    for emptied in (STILLS, SEQUENCES):
        if (places / emptied).is_dir() and not any((places / emptied).iterdir()):
            (places / emptied).rmdir()
    pool = load_pool(places)
    assert [still.name for still in pool.stills] == ["apple", "pear"]
    assert [sequence.name for sequence in pool.sequences] == ["dance", "walk"]


def test_a_folder_of_one_sequence(tmp_path: Path) -> None:
    for index in range(3):
        photograph(tmp_path / "cat" / "frames" / f"{index}.png")
        annotation(tmp_path / "cat" / "masks" / f"{index}.png", block(value=1))
    (sequence,) = load_pool(tmp_path / "cat").sequences
    assert sequence.name == "cat"
    np.testing.assert_array_equal(sequence.masks[2], block())


def test_two_sequences_of_one_name(folder: Path, tmp_path: Path) -> None:
    moved(folder, {f"{SEQUENCES}/JPEGImages/walk": "sequences/frames/walk"})
    annotation(folder / "sequences/masks/walk/00000.png", block())
    refused(folder, "walk")
    for index in range(3):
        photograph(folder / SEQUENCES / "JPEGImages" / "walk" / f"{index:05d}.jpg")
        annotation(folder / "sequences/masks/walk" / f"{index:05d}.png", block())
    refused(folder, "walk", "elsewhere too")


def test_a_mask_without_its_frame(folder: Path) -> None:
    frame_image(folder).unlink()
    refused(folder, frame_mask(folder), "lacks frame")


def test_a_sequence_without_masks(folder: Path) -> None:
    shutil.rmtree(frame_mask(folder).parent)
    refused(folder, "walk", "no annotations")


def test_a_still_with_a_tiny_object_is_left_out(folder: Path) -> None:
    add_still(folder, "crumb", block(side=7))  # 49 pixels
    add_still(folder, "grape", block(side=8))
    assert 49 < MIN_OBJECT <= 64
    assert [still.name for still in load_pool(folder).stills] == ["apple", "grape", "pear"]


def test_progress_runs_to_one(folder: Path) -> None:
    heard: list[float] = []
    load_pool(folder, heard.append)
    assert heard == [(done + 1) / 8 for done in range(8)]  # two stills, twice three frames


def test_no_data_at_all(tmp_path: Path) -> None:
    refused(tmp_path, tmp_path, STILLS, SEQUENCES)
    refused(tmp_path / "none", tmp_path / "none")
    (tmp_path / STILLS / "images").mkdir(parents=True)
    refused(tmp_path, tmp_path)


def test_sequences_without_their_frames_folder(tmp_path: Path) -> None:
    (tmp_path / SEQUENCES).mkdir()
    refused(tmp_path, tmp_path / SEQUENCES, "JPEGImages")


def test_nothing_but_sequences_for_choosing(tmp_path: Path) -> None:
    add_sequence(tmp_path, HELD_OUT[0])
    refused(tmp_path, tmp_path)


def test_nothing_but_tiny_objects(tmp_path: Path) -> None:
    add_still(tmp_path, "crumb", block(side=7))
    refused(tmp_path, tmp_path, MIN_OBJECT)


def still_mask(folder: Path) -> Path:
    return folder / STILLS / "masks" / "pear.png"


def frame_mask(folder: Path) -> Path:
    return folder / SEQUENCES / "Annotations" / "walk" / "00001.png"


def still_image(folder: Path) -> Path:
    return folder / STILLS / "images" / "pear.jpg"


def frame_image(folder: Path) -> Path:
    return folder / SEQUENCES / "JPEGImages" / "walk" / "00001.jpg"


Place = Callable[[Path], Path]


@pytest.mark.parametrize("place", [still_mask, frame_mask])
def test_a_missing_mask(folder: Path, place: Place) -> None:
    place(folder).unlink()
    refused(folder, place(folder))


@pytest.mark.parametrize("place", [still_mask, frame_mask, still_image, frame_image])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_a_file_that_is_cut_off(folder: Path, place: Place, share: float) -> None:
    data = place(folder).read_bytes()
    place(folder).write_bytes(data[: int(share * len(data))])
    refused(folder, place(folder))


@pytest.mark.parametrize("place", [still_mask, frame_mask, still_image, frame_image])
def test_a_file_that_is_no_image(folder: Path, place: Place) -> None:
    place(folder).write_text("not an image")
    refused(folder, place(folder))


@pytest.mark.parametrize("place", [still_mask, frame_mask])
def test_a_mask_of_another_size(folder: Path, place: Place) -> None:
    annotation(place(folder), np.zeros((20, 30), np.uint8))
    refused(folder, place(folder), "30×20", "32×24")


def test_a_sequence_of_two_sizes(folder: Path) -> None:
    photograph(frame_image(folder), (20, 30))
    annotation(frame_mask(folder), np.zeros((20, 30), np.uint8))
    refused(folder, "walk", "several sizes")


def test_a_sequence_of_one_frame(folder: Path) -> None:
    add_sequence(folder, "blink", length=1)
    refused(folder, "blink", "at least 2")


def test_real_data(data_root: Path, tmp_path: Path) -> None:
    """A few real files in a folder of their own: the same layout, read and made into a clip."""
    for image in sorted((data_root / STILLS / "images").glob("*.jpg"))[:3]:
        for part, name in (("images", image.name), ("masks", f"{image.stem}.png")):
            link = tmp_path / STILLS / part / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(data_root / STILLS / part / name)
    for sequence in ("bear", HELD_OUT[0]):
        for part in ("JPEGImages", "Annotations"):
            link = tmp_path / SEQUENCES / part / sequence
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(data_root / SEQUENCES / part / sequence)
    listed = (data_root / SEQUENCES / "train.txt").read_text()
    assert all(name in listed for name in HELD_OUT)
    pool = load_pool(tmp_path)
    assert len(pool.stills) == 3
    assert [sequence.name for sequence in pool.sequences] == ["bear"]
    plan = plan_clip(pool, ClipSpec(3, (96, 160), 4, 0.0, 0.0), np.random.default_rng(0))
    _, masks = render(plan)
    assert plan.name == "bear"
    assert masks[0, 0].any()
    assert cv2.countNonZero(pool.sequences[0].masks[0]) > 0.01 * pool.sequences[0].masks[0].size
