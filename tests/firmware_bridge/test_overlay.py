from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_ttvos.errors import MaskError
from edge_ttvos.evaluation.masks import davis_palette
from edge_ttvos.firmware_bridge.overlay import DIMMEST, colour, draw

Image = NDArray[np.uint8]


def grey(height: int, width: int, value: int = 100) -> Image:
    return np.full((height, width, 3), value, np.uint8)


def disk(height: int, width: int, object_id: int) -> Image:
    y, x = np.mgrid[:height, :width]
    inside = (y - height / 2) ** 2 + (x - width / 2) ** 2 < (min(height, width) / 4) ** 2
    return np.where(inside, object_id, 0).astype(np.uint8)


def test_nothing_is_drawn_without_objects_and_the_frame_is_left_alone() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    before = frame.copy()
    assert np.array_equal(draw(frame, np.zeros((48, 64), np.uint8)), frame)
    drawn = draw(frame, disk(48, 64, 3))
    assert not np.array_equal(drawn, before)
    assert np.array_equal(frame, before)


@pytest.mark.parametrize("object_id", [1, 2, 3, 7, 22, 255])
@pytest.mark.parametrize("size", [(240, 426), (1080, 1920)])
def test_inside_is_tinted_and_outside_untouched(object_id: int, size: tuple[int, int]) -> None:
    height, width = size
    drawn = draw(grey(*size), disk(*size, object_id), labels={}, alpha=0.4)
    centre = drawn[height // 2, width // 2]
    assert centre == pytest.approx(100 + 0.4 * (np.array(colour(object_id)) - 100), abs=1.5)
    changed = (drawn != 100).any(axis=2)
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2) - height / 4
    assert not changed[distance > 2 + height / 240].any()


def test_texture_shows_through_the_tint() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    inside = disk(120, 160, 2) == 2
    inner = np.zeros_like(inside)
    inner[50:70, 70:90] = True
    drawn = draw(frame, inside.astype(np.uint8) * np.uint8(2), labels={}, alpha=0.45)
    assert drawn[inner].std() > 0.5 * frame[inner].std()


@pytest.mark.parametrize("height", [240, 480, 1080])
def test_the_outline_is_anti_aliased_and_as_thick_as_the_frame_needs(height: int) -> None:
    width, edge = height * 16 // 9, height // 2
    mask = np.zeros((height, width), np.uint8)
    mask[:, :edge] = 4  # a straight, upright edge in the middle of the frame
    row = draw(grey(height, width, 0), mask, labels={}, alpha=0)[height // 2, :, 2].astype(int)
    line = 0.65 * colour(4)[2] + 0.35 * 255  # lighter than the object
    assert row.max() <= line + 1
    assert row.sum() / line == pytest.approx(max(1.4, height / 240), rel=0.2)
    y, x = np.mgrid[:240, :240]
    slanted = (x > 0.37 * y).astype(np.uint8)
    drawn = draw(grey(240, 240, 0), slanted, labels={}, alpha=0)[..., 0]
    assert len(np.unique(drawn)) > 6, "values between none and all"


@given(st.integers(1, 255))
def test_every_id_has_a_colour_of_the_palette_s_hue_that_can_be_seen(object_id: int) -> None:
    got = np.array(colour(object_id), float)
    palette = davis_palette()[object_id].astype(float)
    assert DIMMEST <= got.max() <= 255
    assert got / got.max() == pytest.approx(palette / palette.max(), abs=0.01)


def bright_and_dark(label: Image) -> tuple[float, float]:
    luminance = label.astype(float) @ (0.299, 0.587, 0.114)
    return float(luminance.max()), float(luminance.min())


@pytest.mark.parametrize("size", [(240, 426), (1080, 1920)])
@pytest.mark.parametrize("object_id", range(1, 12))
def test_labels_stand_out_at_any_size(size: tuple[int, int], object_id: int) -> None:
    mask = disk(*size, object_id)
    with_label = draw(grey(*size), mask).astype(int)
    without = draw(grey(*size), mask, labels={}).astype(int)
    rows, columns = np.nonzero((with_label != without).any(axis=2))
    height = np.ptp(rows) + 1
    assert 14 <= height <= size[0] / 10
    label = with_label[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    bright, dark = bright_and_dark(label.astype(np.uint8))
    assert bright - dark > 90, "text against its patch"


def test_labels_by_name_and_only_those_that_are_given() -> None:
    mask = np.zeros((240, 426), np.uint8)
    mask[100:150, 50:100] = 1
    mask[100:150, 300:350] = 2
    bare = draw(grey(240, 426), mask, labels={})
    named = draw(grey(240, 426), mask, labels={2: "a long name"})
    _, columns = np.nonzero((bare != named).any(axis=2))
    assert columns.min() > 213, "the first object has no label"
    assert np.ptp(columns) > 60


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_mask_on_any_frame(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    seed = data.draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    mask = rng.choice(np.array([0, 1, 5, 255], np.uint8), (height, width))
    labels = data.draw(st.sampled_from([None, {}, {1: "one", 9: "absent"}, {5: ""}]))
    drawn = draw(grey(height, width), mask, labels)
    assert drawn.shape == (height, width, 3)
    assert drawn.dtype == np.uint8


def test_a_mask_of_another_size_names_both() -> None:
    with pytest.raises(MaskError, match=r"\(H, W\)=\(48, 64\) uint8 .* got \(24, 32\)"):
        draw(grey(48, 64), np.zeros((24, 32), np.uint8))
    with pytest.raises(MaskError, match=r"got .* int64"):
        draw(grey(48, 64), np.zeros((48, 64), np.int64))
