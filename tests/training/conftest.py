"""A tiny pool and a tiny recipe: enough to train the whole network for some steps in a second."""

from __future__ import annotations

import numpy as np
import pytest

from edge_ttvos.data.pool import Pool, Sequence, Still
from edge_ttvos.training.recipe import Recipe
from edge_ttvos.training.stage import Stage


def still(index: int) -> Still:
    """A white disc on dark ground."""
    y, x = np.mgrid[:60, :80]
    mask = np.where((y - 30) ** 2 + (x - 30 - 10 * index) ** 2 <= 196, 255, 0).astype(np.uint8)
    return Still(f"still{index}", np.repeat(np.maximum(mask, 30)[..., None], 3, axis=-1), mask)


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Three photographs, and a sequence of the same three."""
    stills = tuple(still(index) for index in range(3))
    images, masks = tuple(s.image for s in stills), tuple(s.mask for s in stills)
    return Pool(stills, (Sequence("walk", images, masks),))


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    """Two stages: 2 steps of stills, then 2 at another size with BatchNorm frozen."""
    return Recipe(
        "tiny",
        "release",
        (
            Stage("first", 2, (32, 48), frames=3, batch=2, stills=1.0),
            Stage(
                "second",
                2,
                (48, 32),
                frames=3,
                batch=2,
                stills=0.5,
                hard_pixels=0.3,
                freeze_batchnorm=True,
            ),
        ),
        bfloat16=False,
    )
