"""Small data sets in the exact layouts of the published ones, made in a temporary folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_ttvos.evaluation.masks import Labels, write_mask

SIZE = (24, 32)

WriteSequence = Callable[..., None]


@pytest.fixture
def square() -> Callable[..., Labels]:
    """Make labels of ``SIZE`` with a 6 by 8 block of a value; (row, column) is its first pixel."""

    def make(row: int = 8, column: int = 10, value: int = 1) -> Labels:
        labels = np.zeros(SIZE, np.uint8)
        labels[row : row + 6, column : column + 8] = value
        return labels

    return make


@pytest.fixture
def write_sequence() -> WriteSequence:
    """Write frames and indexed annotations: ``(frames folder, annotations folder, masks)``.

    ``masks`` are by stem; ``stems`` names the frames if there are more of them than masks.
    """

    def write(
        frames: Path, annotations: Path, masks: dict[str, Labels], stems: list[str] | None = None
    ) -> None:
        frames.mkdir(parents=True)
        annotations.mkdir(parents=True)
        for stem in stems or list(masks):
            Image.new("RGB", SIZE[::-1], "grey").save(frames / f"{stem}.jpg")
        for stem, mask in masks.items():
            write_mask(annotations / f"{stem}.png", mask)

    return write


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder that EDGE_TTVOS_DATA names."""
    if not (folder := os.environ.get("EDGE_TTVOS_DATA")):
        pytest.skip("EDGE_TTVOS_DATA is not set: no real data to test with")
    return Path(folder)
