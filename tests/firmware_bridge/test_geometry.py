from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.firmware_bridge.geometry import Fit

LANDSCAPE = FrameSpec(48, 80)
MEAN = np.array(LANDSCAPE.mean, np.uint8)
SIDES = st.integers(1, 300)
GRAPHS = st.builds(lambda h, w: FrameSpec(16 * h, 16 * w), st.integers(1, 8), st.integers(1, 8))


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3)).astype(np.uint8)


def placed(fit: Fit, frame: np.ndarray) -> np.ndarray:
    """The graph's input without its border, which is mean colour."""
    canvas = np.zeros(fit.spec.input_shape, np.uint8)
    fit.blank(canvas)
    fit.place(frame, canvas)
    assert np.all(canvas[0] == MEAN)
    assert np.all(canvas[:, 0] == MEAN)
    return canvas[1:, 1:]


@given(GRAPHS, SIDES, SIDES)
def test_a_frame_is_scaled_exactly_if_it_does_not_fit(
    spec: FrameSpec, height: int, width: int
) -> None:
    fit = Fit.of(spec, height, width)
    assert fit.scaled == (height > spec.height or width > spec.width)
    assert 1 <= fit.content[0] <= spec.height
    assert 1 <= fit.content[1] <= spec.width
    if fit.scaled:
        scale = min(spec.height / height, spec.width / width)
        for side, before in zip(fit.content, (height, width), strict=True):
            assert side == 1 or abs(side - before * scale) <= 0.5
        assert fit.content[0] == spec.height or fit.content[1] == spec.width
    else:
        assert fit.content == (height, width)


@pytest.mark.parametrize(
    ("size", "content"),
    [
        ((48, 80), (48, 80)),
        ((31, 57), (31, 57)),
        ((96, 160), (48, 80)),
        ((97, 211), (37, 80)),  # 211 → 80 is 0.379; 97 · 0.379 = 36.8
        ((160, 90), (48, 27)),  # portrait into landscape
        ((48, 81), (47, 80)),
        ((5000, 1), (48, 1)),
    ],
)
def test_content_by_hand(size: tuple[int, int], content: tuple[int, int]) -> None:
    assert Fit.of(LANDSCAPE, *size).content == content


@pytest.mark.parametrize("size", [(48, 80), (31, 57), (1, 1), (48, 7)])
def test_a_frame_that_fits_is_padded_right_and_below_with_the_mean(size: tuple[int, int]) -> None:
    frame = noise(*size)
    canvas = placed(Fit.of(LANDSCAPE, *size), frame)
    np.testing.assert_array_equal(canvas[: size[0], : size[1]], frame)
    assert np.all(canvas[size[0] :] == MEAN)
    assert np.all(canvas[:, size[1] :] == MEAN)


@pytest.mark.parametrize("size", [(97, 211), (160, 90), (480, 854)])
def test_a_larger_frame_is_scaled_by_means_and_padded(size: tuple[int, int]) -> None:
    fit = Fit.of(LANDSCAPE, *size)
    canvas = placed(fit, noise(*size))
    h, w = fit.content
    assert np.all(canvas[h:] == MEAN)
    assert np.all(canvas[:, w:] == MEAN)
    assert abs(float(canvas[:h, :w].mean()) - float(noise(*size).mean())) < 1
    assert np.ptp(canvas[:h, :w]) > 20


def test_scaling_by_two_takes_means_of_two_by_two() -> None:
    frame = noise(96, 160)
    means = frame.reshape(48, 2, 80, 2, 3).mean(axis=(1, 3))
    assert np.abs(placed(Fit.of(LANDSCAPE, 96, 160), frame) - means).max() <= 0.5


@pytest.mark.parametrize("size", [(31, 57), (97, 211)])
def test_a_frame_that_is_a_view_with_negative_strides_is_read_right(size: tuple[int, int]) -> None:
    fit, bgr = Fit.of(LANDSCAPE, *size), noise(*size)
    mirrored = bgr[:, ::-1, ::-1]
    np.testing.assert_array_equal(placed(fit, mirrored), placed(fit, np.array(mirrored)))


@given(GRAPHS, SIDES, SIDES, st.randoms(use_true_random=False))
def test_a_box_comes_back_within_a_pixel(
    spec: FrameSpec, height: int, width: int, random: Random
) -> None:
    fit = Fit.of(spec, height, width)
    zoom = max(height / fit.content[0], width / fit.content[1])
    assume(zoom <= 5)  # frame pixels per graph pixel
    least = int(3 * zoom) + 1  # a box must cover some whole pixels of the graph
    assume(height >= least and width >= least)
    top = random.randint(0, height - least)
    left = random.randint(0, width - least)
    bottom = random.randint(top + least, height)
    right = random.randint(left + least, width)
    mask = np.zeros((height, width), np.float32)
    mask[top:bottom, left:right] = 1
    back = round_trip(fit, mask) > 0.5
    rows, columns = np.flatnonzero(back.any(axis=1)), np.flatnonzero(back.any(axis=0))
    found = (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1)
    # At the frame's border half a graph pixel is what cannot be told from a whole one.
    limit = max(1, math.ceil(zoom / 2))
    assert np.abs(np.subtract(found, (top, bottom, left, right))).max() <= limit


def round_trip(fit: Fit, mask: np.ndarray) -> np.ndarray:
    canvas = np.full((fit.spec.height, fit.spec.width), 9, np.float32)
    fit.place_mask(mask, canvas)
    return fit.restore(canvas, np.full((fit.height, fit.width), 9, np.float32))


@given(GRAPHS, SIDES, SIDES)
def test_a_mask_that_fits_comes_back_exactly(spec: FrameSpec, height: int, width: int) -> None:
    height, width = min(height, spec.height), min(width, spec.width)
    mask = np.random.default_rng(height).random((height, width), np.float32)
    np.testing.assert_array_equal(round_trip(Fit.of(spec, height, width), mask), mask)


@pytest.mark.parametrize("size", [(31, 57), (97, 211), (160, 90)])
def test_a_masks_padding_is_zero(size: tuple[int, int]) -> None:
    fit = Fit.of(LANDSCAPE, *size)
    canvas = np.full((48, 80), 9, np.float32)
    fit.place_mask(np.ones(size, np.float32), canvas)
    h, w = fit.content
    np.testing.assert_allclose(canvas[:h, :w], 1, atol=1e-6)
    assert np.shares_memory(fit.crop(canvas), canvas)
    assert fit.crop(canvas).shape == (h, w)
    assert not canvas[h:].any()
    assert not canvas[:, w:].any()


def test_a_single_pixel_leaves_a_trace_however_much_it_is_scaled() -> None:
    mask = np.zeros((1080, 1920), np.float32)
    mask[500, 700] = 1
    canvas = np.zeros((48, 80), np.float32)
    Fit.of(LANDSCAPE, 1080, 1920).place_mask(mask, canvas)
    assert canvas.max() > 0
