from __future__ import annotations

import numpy as np
import pytest

from edge_ttvos.errors import MaskError
from edge_ttvos.evaluation.jaccard import Mask, jaccard


def block(rows: slice, columns: slice) -> Mask:
    mask = np.zeros((10, 12), bool)
    mask[rows, columns] = True
    return mask


WHOLE = block(slice(2, 6), slice(2, 8))  # 4 by 6
EMPTY = np.zeros((10, 12), bool)


def test_a_mask_equals_itself() -> None:
    assert jaccard(WHOLE, WHOLE) == 1.0


def test_both_empty_is_one_and_one_empty_is_zero() -> None:
    assert jaccard(EMPTY, EMPTY) == 1.0
    assert jaccard(EMPTY, WHOLE) == 0.0
    assert jaccard(WHOLE, EMPTY) == 0.0


def test_shifted_and_eroded() -> None:
    assert jaccard(np.roll(WHOLE, 3, axis=1), WHOLE) == 12 / 36
    assert jaccard(block(slice(3, 5), slice(3, 7)), WHOLE) == 8 / 24


def test_void_pixels_count_for_neither() -> None:
    prediction = block(slice(2, 6), slice(2, 10))
    assert jaccard(prediction, WHOLE) == 24 / 32
    assert jaccard(prediction, WHOLE, void=block(slice(2, 6), slice(8, 10))) == 1.0
    assert jaccard(prediction, WHOLE, void=block(slice(2, 4), slice(0, 12))) == 12 / 16
    assert jaccard(prediction, WHOLE, void=~EMPTY) == 1.0


def test_other_shapes_and_types_are_refused() -> None:
    with pytest.raises(MaskError, match=r"prediction must be \(H, W\)=\(10, 12\).*\(5, 6\)"):
        jaccard(np.zeros((5, 6), bool), WHOLE)
    with pytest.raises(MaskError, match=r"void must be"):
        jaccard(WHOLE, WHOLE, void=np.zeros((5, 6), bool))
    with pytest.raises(MaskError, match=r"annotation must be \(H, W\) bool; got \(10, 12\) uint8"):
        jaccard(WHOLE, WHOLE.astype(np.uint8))
