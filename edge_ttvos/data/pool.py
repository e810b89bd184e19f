"""The training material in memory: still images with a mask, and sequences with masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.data.material import Pair, find_material
from edge_ttvos.errors import DatasetError

Image = NDArray[np.uint8]

MIN_OBJECT = 64  # pixels that a still's object must have to be learnt from


@dataclass(frozen=True)
class Still:
    """A photograph (H, W, 3) RGB uint8 and its object's mask (H, W) uint8 of 0 and 255."""

    name: str
    image: Image
    mask: Image


@dataclass(frozen=True)
class Sequence:
    """Frames (H, W, 3) RGB uint8 and masks (H, W) uint8 of 0 and 255, of one length."""

    name: str
    frames: tuple[Image, ...]
    masks: tuple[Image, ...]


@dataclass(frozen=True)
class Pool:
    """All that clips are made from."""

    stills: tuple[Still, ...]
    sequences: tuple[Sequence, ...]


def load_pool(root: Path, progress: Callable[[float], None] = lambda share: None) -> Pool:
    """Read what ``material`` finds in a data folder.

    Args:
        root: the data folder.
        progress: called with the share done, 0…1.

    Raises:
        DatasetError: there is nothing to train on, or a frame or mask is missing, unreadable or
            unequal.
    """
    material = find_material(root)
    count = len(material.stills) + sum(len(pairs) for pairs in material.sequences.values())
    done = 0

    def read(pair: Pair) -> tuple[Image, Image]:
        nonlocal done
        done += 1
        progress(done / count)
        return read_pair(*pair)

    stills = tuple(Still(pair[0].stem, *read(pair)) for pair in material.stills)
    sequences = tuple(
        _sequence(name, [read(pair) for pair in pairs])
        for name, pairs in material.sequences.items()
    )
    shown = tuple(still for still in stills if np.count_nonzero(still.mask) >= MIN_OBJECT)
    if not shown and not sequences:
        raise DatasetError(
            f"no mask of the photographs in {root} has an object of {MIN_OBJECT} pixels or more"
        )
    return Pool(shown, sequences)


def _sequence(name: str, pairs: list[tuple[Image, Image]]) -> Sequence:
    if len(pairs) < 2:
        raise DatasetError(f"sequence {name} has {len(pairs)} frames; at least 2 are needed")
    if len({image.shape for image, _ in pairs}) > 1:
        raise DatasetError(f"sequence {name} has frames of several sizes; expected one")
    return Sequence(name, tuple(image for image, _ in pairs), tuple(mask for _, mask in pairs))


def read_pair(image_path: Path, mask_path: Path) -> tuple[Image, Image]:
    """A photograph (H, W, 3) RGB uint8 and its mask (H, W) uint8 of 0 and 255.

    Raises:
        DatasetError: one of them is missing, unreadable or cut off, or they are not of one size.
    """
    image = _photograph(image_path)
    mask = cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE) if mask_path.exists() else None
    if mask is None:
        raise DatasetError(f"{mask_path} is missing or cannot be read: {image_path.name} needs it")
    if mask.shape != image.shape[:2]:
        raise DatasetError(
            f"{mask_path} is {mask.shape[1]}×{mask.shape[0]}, its image "
            f"{image.shape[1]}×{image.shape[0]}: they must be equal"
        )
    return np.asarray(image, np.uint8), np.asarray((mask > 0) * np.uint8(255), np.uint8)


def _photograph(path: Path) -> Image:
    """Decode from memory: from a file, OpenCV fills what is cut off with grey and carries on."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
    image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
    if image is None:
        raise DatasetError(f"{path} cannot be read as an image, or is cut off")
    return np.asarray(image, np.uint8)
