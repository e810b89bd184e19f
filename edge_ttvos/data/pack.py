"""Training material in one small file, to carry to a machine with a GPU.

A zip that unpacks into a data folder: images become WebP, masks PNGs of one bit; the sequences that
are never trained on stay out.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from edge_ttvos.data.material import Pair, find_material
from edge_ttvos.data.pool import Image, read_pair
from edge_ttvos.errors import OutputError
from edge_ttvos.files import whole_file

QUALITY = 60  # of WebP, 1…100
ONE_BIT = [cv2.IMWRITE_PNG_BILEVEL, 1, cv2.IMWRITE_PNG_COMPRESSION, 9]


def pack(
    root: Path,
    file: Path,
    quality: int = QUALITY,
    progress: Callable[[float], None] = lambda share: None,
) -> int:
    """Write the zip, whole or not at all; equal data give equal files.

    Args:
        root: a data folder.
        file: the zip.
        quality: of the images.
        progress: called with the share done, 0…1.

    Returns:
        Its size in bytes.

    Raises:
        DatasetError: the data cannot be used.
        OutputError: the file cannot be written.
    """
    places = list(_places(root))
    with whole_file(file) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for done, (image_place, mask_place, pair) in enumerate(places, start=1):
            image, mask = read_pair(*pair)
            lossy = [cv2.IMWRITE_WEBP_QUALITY, quality]
            _add(archive, image_place, ".webp", image[..., ::-1], lossy)
            _add(archive, mask_place, ".png", mask, ONE_BIT)
            progress(done / len(places))
    return file.stat().st_size


def _places(root: Path) -> Iterator[tuple[str, str, Pair]]:
    """Where each image and its mask go, without their endings."""
    material = find_material(root)
    for pair in material.stills:
        yield f"stills/images/{pair[0].stem}", f"stills/masks/{pair[0].stem}", pair
    for name, pairs in material.sequences.items():
        for pair in pairs:
            inside = PurePosixPath(name, pair[0].stem)
            yield f"sequences/JPEGImages/{inside}", f"sequences/Annotations/{inside}", pair


def _add(
    archive: zipfile.ZipFile, place: str, ending: str, pixels: Image, flags: list[int]
) -> None:
    written, data = cv2.imencode(ending, np.ascontiguousarray(pixels), flags)
    if not written:
        raise OutputError(f"{place}{ending} cannot be encoded: this OpenCV lacks the format")
    archive.writestr(zipfile.ZipInfo(place + ending), data.tobytes())  # dated 1980, not now
