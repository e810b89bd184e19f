"""Contour accuracy F: how much of two masks' boundaries lie within a small distance of each other.

All work is done inside the box that holds both masks. Dilation by the disk is put together from its
rows, each a horizontal segment: exact, and about twice as fast as one two-dimensional kernel.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.evaluation.jaccard import Mask, check_masks

TOLERANCE = 0.008  # share of the image's diagonal

_Bits = NDArray[np.uint8]


def boundary_f(prediction: Mask, annotation: Mask, void: Mask | None = None) -> float:
    """F measure (harmonic mean) of the boundaries' precision and recall.

    A boundary pixel is matched if the other boundary has a pixel within ``match_radius``. Without
    any boundary, precision and recall are 1; where the annotation alone has one, recall is 0; where
    the prediction alone has one, precision is 0; F is 0 where both are.

    Args:
        prediction: (H, W) bool.
        annotation: (H, W) bool.
        void: (H, W) bool, true where both masks count as background; none by default.

    Returns:
        0…1, never NaN.

    Raises:
        MaskError: shapes or types differ from these.

    Source: Perazzi et al., CVPR 2016, section 4, and the rules of the DAVIS benchmark.
    """
    check_masks(prediction, annotation, void)
    radius = match_radius(annotation.shape)
    if void is not None:
        prediction, annotation = prediction & ~void, annotation & ~void
    box = _joint_box(prediction, annotation)
    predicted = boundary_map(prediction[box]).view(np.uint8)
    annotated = boundary_map(annotation[box]).view(np.uint8)
    return _f_measure(predicted, annotated, radius)


def boundary_map(mask: Mask) -> Mask:
    """Pixels that differ from their right, lower or lower-right neighbour.

    The last column has only lower neighbours, the last row only right ones, their corner none.

    Args:
        mask: (H, W) bool.

    Returns:
        (H, W) bool.
    """
    boundary = np.zeros_like(mask)
    here = mask[:-1, :-1]
    inner = here ^ mask[:-1, 1:]
    inner |= here ^ mask[1:, :-1]
    inner |= here ^ mask[1:, 1:]
    boundary[:-1, :-1] = inner
    boundary[-1, :-1] = mask[-1, :-1] ^ mask[-1, 1:]
    boundary[:-1, -1] = mask[:-1, -1] ^ mask[1:, -1]
    return boundary


def match_radius(shape: tuple[int, ...]) -> int:
    """Largest distance of a match in pixels: 0.8 % of the diagonal of (H, W), rounded up."""
    return math.ceil(TOLERANCE * math.hypot(*shape))


def _joint_box(first: Mask, second: Mask) -> tuple[slice, slice]:
    """Rows and columns that hold both masks and one pixel around: no boundary lies outside.

    Where a pixel was cut off, the box's last row and column are background; there the rule for the
    image's edge and the rule for its inside give the same.
    """
    x, y, width, height = cv2.boundingRect((first | second).view(np.uint8))
    return slice(max(y - 1, 0), y + height + 1), slice(max(x - 1, 0), x + width + 1)


def _f_measure(predicted: _Bits, annotated: _Bits, radius: int) -> float:
    predictions, annotations = int(np.count_nonzero(predicted)), int(np.count_nonzero(annotated))
    if not predictions or not annotations:
        return 1.0 if predictions == annotations else 0.0
    precision = np.count_nonzero(predicted & _dilate(annotated, radius)) / predictions
    recall = np.count_nonzero(annotated & _dilate(predicted, radius)) / annotations
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _dilate(pixels: _Bits, radius: int) -> _Bits:
    """Set each pixel that has a set one within the disk x² + y² ≤ radius²; 0 lies outside."""
    grown = np.zeros_like(pixels)
    rows: dict[int, _Bits] = {}
    for offset in range(min(radius, len(pixels) - 1) + 1):
        reach = math.isqrt(radius * radius - offset * offset)
        if reach not in rows:
            rows[reach] = _widen(pixels, reach)
        segment = rows[reach]
        grown[offset:] |= segment[: len(pixels) - offset]
        grown[: len(pixels) - offset] |= segment[offset:]
    return grown


def _widen(pixels: _Bits, reach: int) -> _Bits:
    if not reach:
        return pixels
    kernel = np.ones((1, 2 * reach + 1), np.uint8)
    wide = cv2.dilate(pixels, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(wide, np.uint8)
