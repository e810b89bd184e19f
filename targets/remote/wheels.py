"""Wheels for a board without a network, as one file: the same bytes from the same wheels."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from edge_ttvos.errors import InputError

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can tell


@contextmanager
def packed(folder: Path) -> Iterator[Path]:
    """A zip of a folder's wheels, for the time being.

    Raises:
        InputError: there are none.
    """
    wheels = sorted(folder.glob("*.whl"))
    if not wheels:
        raise InputError(
            f"--wheels must name a folder of .whl files for the board; {folder} holds none"
        )
    with TemporaryDirectory(prefix="edge-ttvos-") as temporary:
        path = Path(temporary) / "wheels.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for wheel in wheels:
                entry = zipfile.ZipInfo(wheel.name, EPOCH)
                entry.file_size = wheel.stat().st_size
                with wheel.open("rb") as source, archive.open(entry, "w") as target:
                    shutil.copyfileobj(source, target)
        yield path
