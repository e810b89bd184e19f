from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.errors import MaskError
from edge_ttvos.firmware_bridge.prompts import (
    Box,
    Prompts,
    parse_prompt,
    parse_prompts,
    split_mask,
)

SIZE = (12, 16)


def plane(rows: slice, columns: slice, dtype: Any = np.uint8, value: int = 1) -> np.ndarray:
    mask = np.zeros(SIZE, dtype)
    mask[rows, columns] = value
    return mask


def parse_planes(prompts: Prompts) -> dict[int, np.ndarray]:
    return {i: pointed.plane for i, pointed in parse_prompts(prompts, *SIZE).items()}


BLOCK = plane(np.s_[2:6], np.s_[3:9])
OTHER = plane(np.s_[7:11], np.s_[10:14])


def test_an_indexed_mask_gives_an_object_for_each_value() -> None:
    assert not any(pointed.boxed for pointed in parse_prompts(3 * BLOCK, *SIZE).values())
    planes = parse_planes(3 * BLOCK + 7 * OTHER)
    assert list(planes) == [3, 7]
    for given_mask, found in zip((BLOCK, OTHER), planes.values(), strict=True):
        np.testing.assert_array_equal(found, given_mask)
        assert found.dtype == np.float32


def test_255_beside_other_values_is_void() -> None:
    planes = parse_planes(BLOCK + 255 * OTHER)
    assert list(planes) == [1]
    np.testing.assert_array_equal(planes[1], BLOCK)


@pytest.mark.parametrize("mask", [255 * BLOCK, BLOCK, BLOCK > 0], ids=["0-255", "0-1", "bool"])
def test_a_black_and_white_mask_is_object_1(mask: np.ndarray) -> None:
    planes = parse_planes(mask)
    assert list(planes) == [1]
    np.testing.assert_array_equal(planes[1], BLOCK)


@pytest.mark.parametrize("mask", [255 * BLOCK, BLOCK, BLOCK + 255 * OTHER])
def test_a_mask_of_one_object_takes_the_id_that_is_free(mask: np.ndarray) -> None:
    ((object_id, area),) = split_mask(mask, 5).items()
    assert object_id == 5
    np.testing.assert_array_equal(area > 0, BLOCK > 0)


def test_a_sequence_numbers_objects_from_1_and_a_mapping_names_them() -> None:
    box = Box(3, 2, 6, 4)
    for prompts, ids in (([OTHER * 9, box], [1, 2]), ({9: OTHER > 0, 4: box}, [9, 4])):
        planes = parse_planes(prompts)
        assert list(planes) == ids
        np.testing.assert_array_equal(planes[ids[0]], OTHER)
        np.testing.assert_array_equal(planes[ids[1]] > 0, BLOCK)


def test_a_single_box_is_object_1() -> None:
    pointed = parse_prompts(Box(3, 2, 6, 4), *SIZE)[1]
    assert pointed.boxed
    np.testing.assert_array_equal(pointed.plane > 0, BLOCK)


def test_a_box_is_surest_of_its_middle() -> None:
    plane = parse_prompt(Box(3, 2, 6, 4), *SIZE).plane
    assert plane.dtype == np.float32
    for row, column in ((2, 3), (3, 5), (5, 8)):
        across, down = (column + 0.5 - 6) / 3, (row + 0.5 - 4) / 2
        assert plane[row, column] == pytest.approx(np.exp(-(across**2) - down**2))
    cut = parse_prompt(Box(-3, 2, 6, 4), *SIZE).plane
    np.testing.assert_allclose(cut[:, :3], plane[:, 6:9], err_msg="its middle is the whole box's")


def test_a_mapping_may_be_empty() -> None:
    assert parse_prompts({}, *SIZE) == {}


def test_in_one_objects_mask_any_value_above_0_is_the_object() -> None:
    np.testing.assert_array_equal(parse_prompt(3 * BLOCK + 255 * OTHER, *SIZE).plane, BLOCK + OTHER)


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        (Box(-3, -2, 5, 4), np.s_[0:2], np.s_[0:2]),
        (Box(14, 9, 50, 50), np.s_[9:12], np.s_[14:16]),
        (Box(2.4, 3.6, 3.2, 2), np.s_[4:6], np.s_[2:6]),
        (Box(5.2, 6.1, 0.1, 0.2), np.s_[6:7], np.s_[5:6]),  # smaller than a pixel
    ],
)
def test_a_box_is_rounded_and_cut_to_the_frame(box: Box, rows: slice, columns: slice) -> None:
    np.testing.assert_array_equal(parse_prompt(box, *SIZE).plane > 0, plane(rows, columns))


@given(st.integers(0, 15), st.integers(0, 11), st.integers(1, 16), st.integers(1, 12))
def test_a_box_covers_its_pixels(x: int, y: int, width: int, height: int) -> None:
    width, height = min(width, 16 - x), min(height, 12 - y)
    if width * height == 16 * 12:
        height -= 1
    mask = parse_prompt(Box(x, y, width, height), *SIZE).plane > 0
    assert mask.sum() == width * height
    assert mask[y : y + height, x : x + width].all()


@given(
    st.dictionaries(
        st.integers(1, 254), st.tuples(st.integers(0, 10), st.integers(0, 14)), min_size=1
    )
)
def test_an_indexed_mask_is_taken_apart_without_loss(corners: dict[int, tuple[int, int]]) -> None:
    mask = np.zeros(SIZE, np.uint8)
    for object_id, (row, column) in corners.items():
        mask[row : row + 2, column : column + 2] = object_id
    planes = parse_planes(mask)
    np.testing.assert_array_equal(sum(i * p for i, p in planes.items()), mask)
    assert set(planes) == set(mask[mask > 0].tolist())


BAD = {
    "other size": (np.ones((6, 8), np.uint8), r"\(H, W\)=\(12, 16\).*got \(6, 8\).*Resize"),
    "transposed": (BLOCK.T, r"\(H, W\)=\(12, 16\).*got \(16, 12\)"),
    "empty": (np.zeros(SIZE, np.uint8), r"empty: no pixel is above 0. Paint the object"),
    "all foreground": (np.ones(SIZE, np.uint8), r"covers the whole frame.*Paint the object alone"),
    "all 255": (np.full(SIZE, 255, np.uint8), r"covers the whole frame"),
    "16-bit": (BLOCK.astype(np.uint16), r"8-bit.*got uint16.*8-bit PNG"),
    "float": (BLOCK.astype(np.float32), r"8-bit.*got float32"),
    "RGB": (np.dstack([BLOCK] * 3), r"one channel.*got shape \(12, 16, 3\).*grey PNG"),
    "one-channel 3-D": (BLOCK[..., None], r"one channel.*got shape \(12, 16, 1\)"),
    "box right of the frame": (Box(16, 2, 4, 4), r"box 16,2,4,4 is outside .* 16x12 pixels: give"),
    "box below": (Box(2, 12, 4, 4), r"outside the frame"),
    "box left of": (Box(-9, 2, 9, 4), r"outside the frame"),
    "box above": (Box(2, -9, 4, 8.5), r"outside the frame"),
    "box without width": (Box(2, 2, 0, 4), r"box 2,2,0,4 has no area: give X,Y,W,H"),
    "box of negative height": (Box(2, 2, 4, -3), r"no area"),
    "box over all": (Box(-1, -1, 99, 99), r"covers the whole frame"),
    "box with NaN": (Box(float("nan"), 2, 4, 4), r"is not a rectangle: give X,Y,W,H"),
    "endless box": (Box(0, 2, float("inf"), 4), r"is not a rectangle"),
    "four numbers": ((2, 2, 4, 4), r"array \(H, W\) or a Box; got \(2, 2, 4, 4\)"),
}


@pytest.mark.parametrize(("prompt", "message"), BAD.values(), ids=list(BAD))
def test_what_cannot_be_followed_is_refused(prompt: Any, message: str) -> None:
    with pytest.raises(MaskError, match=message):
        parse_prompt(prompt, *SIZE)
    with pytest.raises(MaskError, match=message):
        parse_prompts({2: prompt}, *SIZE)
    if isinstance(prompt, np.ndarray):
        with pytest.raises(MaskError, match=message):
            parse_prompts(prompt, *SIZE)


def test_an_indexed_mask_of_void_and_one_object_over_all_the_rest_is_fine() -> None:
    mask = np.full(SIZE, 4, np.uint8)
    mask[0] = 255
    assert parse_planes(mask)[4].sum() == 11 * 16


def test_an_object_that_covers_the_frame_is_named() -> None:
    with pytest.raises(MaskError, match="object 4's mask covers the whole frame"):
        parse_prompts(np.full(SIZE, 4, np.uint8), *SIZE)


@pytest.mark.parametrize("object_id", [0, 255, -1, 1000, 1.5, "1"])
def test_ids_are_whole_numbers_from_1_to_254(object_id: Any) -> None:
    with pytest.raises(MaskError, match=r"object ids are 1…254 .*got"):
        parse_prompts({object_id: BLOCK}, *SIZE)


def test_an_id_may_be_a_numpy_integer() -> None:
    assert list(parse_prompts({np.uint8(9): BLOCK}, *SIZE)) == [9]


@pytest.mark.parametrize("prompts", [[], ()])
def test_an_empty_sequence_is_refused(prompts: Any) -> None:
    with pytest.raises(MaskError, match="nothing to follow: give at least one mask or box"):
        parse_prompts(prompts, *SIZE)


@pytest.mark.parametrize("prompts", [(2, 2, 4, 4), [BLOCK, None]])
def test_a_sequence_of_other_things_is_refused(prompts: Any) -> None:
    with pytest.raises(MaskError, match="an object is given by an array"):
        parse_prompts(prompts, *SIZE)
