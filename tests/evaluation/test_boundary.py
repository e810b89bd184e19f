from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.errors import MaskError
from edge_ttvos.evaluation.boundary import boundary_f, boundary_map, match_radius
from edge_ttvos.evaluation.jaccard import Mask


def drawn(*rows: str) -> Mask:
    return np.array([[pixel == "#" for pixel in row] for row in rows])


def brute_boundary(mask: Mask) -> set[tuple[int, int]]:
    """The definition, pixel by pixel: neighbours outside the image do not count."""
    height, width = mask.shape
    found = set()
    for y in range(height):
        for x in range(width):
            if y == height - 1:
                neighbours = [(y, x + 1)]
            elif x == width - 1:
                neighbours = [(y + 1, x)]
            else:
                neighbours = [(y, x + 1), (y + 1, x), (y + 1, x + 1)]
            inside = [(v, u) for v, u in neighbours if v < height and u < width]
            if any(mask[v, u] != mask[y, x] for v, u in inside):
                found.add((y, x))
    return found


def brute_f(prediction: Mask, annotation: Mask, void: Mask | None = None) -> float:
    """The definition, pixel pair by pixel pair."""
    if void is not None:
        prediction, annotation = prediction & ~void, annotation & ~void
    radius = math.ceil(0.008 * math.sqrt(sum(side**2 for side in annotation.shape)))
    predicted, annotated = brute_boundary(prediction), brute_boundary(annotation)

    def share_matched(pixels: set[tuple[int, int]], others: set[tuple[int, int]]) -> float:
        near = [any((y - v) ** 2 + (x - u) ** 2 <= radius**2 for v, u in others) for y, x in pixels]
        return sum(near) / len(near)

    if not predicted and not annotated:
        precision = recall = 1.0
    elif not predicted:
        precision, recall = 1.0, 0.0
    elif not annotated:
        precision, recall = 0.0, 1.0
    else:
        precision = share_matched(predicted, annotated)
        recall = share_matched(annotated, predicted)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@st.composite
def blobs(draw: st.DrawFn, shape: tuple[int, int]) -> Mask:
    """A few rectangles, added or cut out, at times a single pixel or nothing."""
    mask = np.zeros(shape, bool)
    for _ in range(draw(st.integers(0, 4))):
        y, x = draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))
        height, width = draw(st.integers(1, shape[0])), draw(st.integers(1, min(shape[1], 12)))
        mask[y : y + height, x : x + width] = draw(st.booleans()) or not mask.any()
    return mask


SHAPES = st.sampled_from([(1, 1), (1, 9), (9, 1), (7, 9), (12, 150), (4, 400)])  # radius 1…4


@given(st.data())
def test_boundary_map_is_the_definition(data: st.DataObject) -> None:
    mask = data.draw(SHAPES.flatmap(blobs))
    found = {(int(y), int(x)) for y, x in np.argwhere(boundary_map(mask))}
    assert found == brute_boundary(mask)


@given(st.data())
def test_f_is_the_definition(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    prediction, annotation = data.draw(blobs(shape)), data.draw(blobs(shape))
    void = data.draw(st.none() | blobs(shape))
    assert boundary_f(prediction, annotation, void) == brute_f(prediction, annotation, void)


def test_f_is_the_definition_at_a_radius_of_eight() -> None:
    rng = np.random.default_rng(3)
    shape = (3, 980)
    for _ in range(20):
        prediction, annotation = rng.random((2, *shape)) > 0.97
        assert match_radius(shape) == 8
        assert boundary_f(prediction, annotation) == brute_f(prediction, annotation)


def test_boundary_of_a_square_by_hand() -> None:
    mask = drawn(".....", ".##..", ".##..", ".....")
    expected = drawn("###..", "###..", "###..", ".....")
    expected[1, 1] = False  # its three neighbours are of its own kind
    np.testing.assert_array_equal(boundary_map(mask), expected)


def test_boundary_at_the_images_last_row_and_column() -> None:
    mask = drawn("....", "...#", "..##")
    expected = drawn("..##", ".##.", ".#..")
    np.testing.assert_array_equal(boundary_map(mask), expected)
    assert not boundary_map(np.ones((3, 4), bool)).any()


def test_radius_is_rounded_up() -> None:
    assert match_radius((480, 854)) == 8  # 7.84
    assert match_radius((720, 1280)) == 12  # 11.75
    assert match_radius((1080, 1920)) == 18  # 17.62
    assert match_radius((75, 100)) == 1  # 1 exactly
    assert match_radius((76, 100)) == 2


def test_a_mask_matches_itself_and_a_small_shift() -> None:
    mask = np.zeros((75, 100), bool)  # radius 1
    mask[20:50, 30:70] = True
    assert boundary_f(mask, mask) == 1.0
    assert boundary_f(np.roll(mask, 1, axis=1), mask) == 1.0


def test_a_larger_shift_by_hand() -> None:
    """A 30 by 40 block moved right by 3, at a radius of 1."""
    mask = np.zeros((75, 100), bool)
    mask[20:50, 30:70] = True
    # Its boundary is row 19 and row 49, columns 29…69, and between them columns 29 and 69:
    # 2 · 41 + 2 · 29 = 140 pixels. Of the moved one's (columns 32…72), 32…70 of both rows match,
    # and in column 32 the two pixels next to those rows: 2 · 39 + 2 = 80. Recall is the same.
    assert np.count_nonzero(boundary_map(mask)) == 140
    assert boundary_f(np.roll(mask, 3, axis=1), mask) == pytest.approx(80 / 140)


def test_without_a_boundary() -> None:
    empty, mask = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    mask[5:9, 5:9] = True
    assert boundary_f(empty, empty) == 1.0
    assert boundary_f(~empty, ~empty) == 1.0
    assert boundary_f(~empty, empty) == 1.0  # neither has a boundary: the benchmark's rule
    assert boundary_f(empty, mask) == 0.0
    assert boundary_f(mask, empty) == 0.0


def test_void_hides_differences() -> None:
    annotation = np.zeros((20, 40), bool)
    annotation[5:15, 5:15] = True
    prediction = annotation.copy()
    prediction[5:15, 25:35] = True
    void = np.zeros_like(annotation)
    void[:, 22:] = True
    assert boundary_f(prediction, annotation) < 1.0
    assert boundary_f(prediction, annotation, void) == 1.0


def test_other_shapes_are_refused() -> None:
    with pytest.raises(MaskError, match="to match the annotation"):
        boundary_f(np.zeros((2, 3), bool), np.zeros((3, 2), bool))
