"""Mask files: indexed PNGs whose values are object ids, read as they are and written whole.

OpenCV expands palettes into colours and so loses the ids; Pillow keeps them.
"""

from __future__ import annotations

import io
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_ttvos.errors import MaskError
from edge_ttvos.files import write_bytes

Labels = NDArray[np.uint8]

_READABLE = ("1", "L", "P")  # Pillow's names of 1-bit, grey and indexed images
# What Pillow raises for damaged or oversize images.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, zlib.error, Image.DecompressionBombError)


def read_mask(path: Path) -> Labels:
    """Read a mask's values without applying its palette.

    Args:
        path: a PNG: 1-bit (read as 0 and 1), grey up to 8 bits, or indexed (values are indices).

    Returns:
        Values (H, W) uint8.

    Raises:
        MaskError: the file is missing, no PNG, damaged, or has colours or 16 bits.
    """
    try:
        with Image.open(path, formats=("PNG",)) as image:
            image.load()
            mode = image.mode
            values = np.array(image, np.uint8) if mode in _READABLE else None
    except FileNotFoundError:
        raise MaskError(f"{path} is missing: expected a PNG mask") from None
    except UNREADABLE as error:
        raise MaskError(f"{path} cannot be read as a PNG mask: {error}") from error
    if values is None:
        raise MaskError(
            f"{path} must be an indexed, 1-bit or 8-bit grey PNG whose values are object ids; "
            f"got mode {mode}. Save it with a palette or as 8-bit grey."
        )
    return values


def write_mask(path: Path, mask: Labels, durable: bool = True) -> None:
    """Write an indexed PNG in DAVIS colours; the file is whole or absent, whatever happens.

    Args:
        path: to write to; its folder must exist. An existing file is replaced.
        mask: object ids (H, W) uint8, 0 is the background.
        durable: as in ``whole_file``.

    Raises:
        MaskError: the array has another type or number of dimensions, or is empty.
        OutputError: the file cannot be written.
    """
    if mask.dtype != np.uint8 or mask.ndim != 2 or not mask.size:
        raise MaskError(f"mask must be (H, W) uint8; got {mask.shape} {mask.dtype}")
    image = Image.fromarray(np.ascontiguousarray(mask))
    image.putpalette(davis_palette().tobytes())
    data = io.BytesIO()
    image.save(data, format="PNG")
    write_bytes(path, data.getvalue(), durable)


@lru_cache(maxsize=1)
def davis_palette() -> NDArray[np.uint8]:
    """Colours (256, 3) RGB uint8 of ids 0…255, read-only: the PASCAL VOC map, which DAVIS uses.

    Each id's bits are dealt out in threes, lowest first, to the red, green and blue channels'
    bits, highest first: 1 is dark red, 2 dark green, 4 dark blue.
    """
    ids = np.arange(256)[:, None]
    colours = np.zeros((256, 3), np.uint8)
    for step in range(8):
        bits = (ids >> (3 * step + np.arange(3))) & 1
        colours |= (bits << (7 - step)).astype(np.uint8)
    colours.setflags(write=False)
    return colours
