"""The training material in memory: still images with a mask, and sequences with masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import DatasetError

Image = NDArray[np.uint8]

HELD_OUT = ("breakdance-flare", "dog-agility", "drift-turn", "hike", "motorbike", "soccerball")
STILLS = "duts-288"
SEQUENCES = "davis2016-train-324p"
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
    """Read the training part of a data folder: ``duts-288/`` and ``davis2016-train-324p/``.

    The six sequences of ``HELD_OUT`` are left out: they are for choosing between runs.

    Args:
        root: the data folder.
        progress: called with the share done, 0…1.

    Raises:
        DatasetError: neither part is there, or a frame or mask is missing, unreadable or unequal.
    """
    stills, sequences = root / STILLS, root / SEQUENCES
    pairs = _still_pairs(stills) if stills.is_dir() else []
    names = _sequence_names(sequences) if sequences.is_dir() else []
    if not pairs and not names:
        raise DatasetError(
            f"{root} holds no training data: expected {STILLS}/ with images/ and masks/, or "
            f"{SEQUENCES}/ with JPEGImages/ and Annotations/"
        )
    loaded_stills = []
    for index, (image, mask) in enumerate(pairs):
        still = Still(image.stem, *_pair(image, mask))
        if np.count_nonzero(still.mask) >= MIN_OBJECT:
            loaded_stills.append(still)
        progress(0.5 * (index + 1) / len(pairs))
    if not loaded_stills and not names:
        raise DatasetError(
            f"no mask in {stills}/masks has an object of {MIN_OBJECT} pixels or more"
        )
    loaded_sequences = []
    for index, name in enumerate(names):
        loaded_sequences.append(_sequence(sequences, name))
        progress(0.5 + 0.5 * (index + 1) / len(names))
    return Pool(tuple(loaded_stills), tuple(loaded_sequences))


def _still_pairs(root: Path) -> list[tuple[Path, Path]]:
    images = sorted((root / "images").glob("*.jpg"))
    return [(image, root / "masks" / f"{image.stem}.png") for image in images]


def _sequence_names(root: Path) -> list[str]:
    folder = root / "JPEGImages"
    if not folder.is_dir():
        raise DatasetError(f"{root} has no JPEGImages/ folder with a folder for each sequence")
    return [f.name for f in sorted(folder.iterdir()) if f.is_dir() and f.name not in HELD_OUT]


def _sequence(root: Path, name: str) -> Sequence:
    frames = sorted((root / "JPEGImages" / name).glob("*.jpg"))
    if len(frames) < 2:
        raise DatasetError(f"sequence {name} has {len(frames)} frames; at least 2 are needed")
    pairs = [_pair(f, root / "Annotations" / name / f"{f.stem}.png") for f in frames]
    if len({image.shape for image, _ in pairs}) > 1:
        raise DatasetError(f"sequence {name} has frames of several sizes; expected one")
    return Sequence(name, tuple(i for i, _ in pairs), tuple(m for _, m in pairs))


def _pair(image_path: Path, mask_path: Path) -> tuple[Image, Image]:
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
