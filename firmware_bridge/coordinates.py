"""Where each cell of a map lies in the frame; the network is told it beside features and masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def coordinate_maps(height: int, width: int) -> NDArray[np.float32]:
    """x and y from −1 to 1 and the radius from the centre: (height, width, 3)."""
    y, x = np.meshgrid(
        np.linspace(-1, 1, height, dtype=np.float32),
        np.linspace(-1, 1, width, dtype=np.float32),
        indexing="ij",
    )
    return np.stack([x, y, np.sqrt(x * x + y * y)], axis=-1)
