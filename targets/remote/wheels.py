"""Wheels for a board without a network, as one file: the same bytes from the same wheels."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from edge_ttvos.errors import InputError

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can tell


def wheels_in(folder: Path) -> list[Path]:
    """A folder's wheels, in order.

    Raises:
        InputError: there are none.
    """
    if wheels := sorted(folder.glob("*.whl")):
        return wheels
    raise InputError(
        f"--wheels must name a folder of .whl files for the board; {folder} holds none"
    )


@contextmanager
def packed(wheels: Sequence[Path]) -> Iterator[Path]:
    """A zip of wheels, for the time being."""
    with TemporaryDirectory(prefix="edge-ttvos-") as temporary:
        path = Path(temporary) / "wheels.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for wheel in wheels:
                entry = zipfile.ZipInfo(wheel.name, EPOCH)
                entry.file_size = wheel.stat().st_size
                with wheel.open("rb") as source, archive.open(entry, "w") as target:
                    shutil.copyfileobj(source, target)
        yield path
