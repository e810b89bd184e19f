"""Region similarity J: how much of two masks' union they share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import MaskError

Mask = NDArray[np.bool_]


def jaccard(prediction: Mask, annotation: Mask, void: Mask | None = None) -> float:
    """Intersection over union of two masks, 1 where both are empty.

    Args:
        prediction: (H, W) bool.
        annotation: (H, W) bool.
        void: (H, W) bool, true where a pixel counts for neither; none by default.

    Returns:
        0…1, never NaN.

    Raises:
        MaskError: shapes or types differ from these.

    Source: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object
    Segmentation", CVPR 2016, section 4.
    """
    check_masks(prediction, annotation, void)
    both, either = prediction & annotation, prediction | annotation
    if void is not None:
        both, either = both & ~void, either & ~void
    union = np.count_nonzero(either)
    return np.count_nonzero(both) / union if union else 1.0


def check_masks(prediction: Mask, annotation: Mask, void: Mask | None) -> None:
    """Raise MaskError unless all are (H, W) bool of one size."""
    named = {"prediction": prediction, "annotation": annotation, "void": void}
    for name, mask in named.items():
        if mask is None:
            continue
        if mask.dtype != np.bool_ or mask.ndim != 2:
            raise MaskError(f"{name} must be (H, W) bool; got {mask.shape} {mask.dtype}")
        if mask.shape != annotation.shape:
            raise MaskError(
                f"{name} must be (H, W)={annotation.shape} to match the annotation; "
                f"got {mask.shape}"
            )
