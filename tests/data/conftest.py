"""Tiny photographs and sequences: a bright disc or block on dark ground, so that pixels tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_ttvos.data.pool import Pool, Sequence, Still

Image = NDArray[np.uint8]

SIZE = (60, 80)


def disc(row: float, column: float, radius: float = 14) -> Image:
    """A mask (60, 80) of 0 and 255."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    inside = (y - row) ** 2 + (x - column) ** 2 <= radius**2
    return np.where(inside, 255, 0).astype(np.uint8)


def photograph(mask: Image, dark: int = 30) -> Image:
    """The mask in white over dark ground, (60, 80, 3)."""
    return np.repeat(np.maximum(mask, dark)[..., None], 3, axis=-1)


@pytest.fixture
def stills() -> tuple[Still, ...]:
    """Three photographs, disc by disc further right."""
    masks = [disc(30, 30 + 10 * index) for index in range(3)]
    return tuple(Still(f"still{i}", photograph(mask), mask) for i, mask in enumerate(masks))


@pytest.fixture
def make_sequence() -> Callable[..., Sequence]:
    """A disc that walks right; frame ``i`` has ground of brightness 4 · i."""

    def make(name: str = "walk", length: int = 12) -> Sequence:
        masks = tuple(disc(30, 20 + 2 * index) for index in range(length))
        frames = tuple(photograph(mask, dark=4 * i) for i, mask in enumerate(masks))
        return Sequence(name, frames, masks)

    return make


@pytest.fixture
def pool(stills: tuple[Still, ...], make_sequence: Callable[..., Sequence]) -> Pool:
    """Three stills and two sequences."""
    return Pool(stills, (make_sequence("walk"), make_sequence("stroll", 4)))
