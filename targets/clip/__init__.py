"""The reference clip: a dozen real frames with the first one's mask, shipped with the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FOLDER = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames RGB uint8 (H, W, 3) of one size, and the first one's mask (H, W) bool."""

    name: str
    frames: tuple[NDArray[np.uint8], ...]
    given: NDArray[np.bool_]


def reference_clip(portrait: bool = False) -> Clip:
    """Twelve frames of 240×427; ``portrait``: turned to 427×240."""
    frames = [np.asarray(Image.open(path)) for path in sorted(FOLDER.glob("*.jpg"))]
    given = np.asarray(Image.open(FOLDER / "mask.png")).astype(np.bool_)
    if portrait:
        frames = [np.ascontiguousarray(np.rot90(frame)) for frame in frames]
        given = np.ascontiguousarray(np.rot90(given))
    return Clip("reference", tuple(frames), given)
