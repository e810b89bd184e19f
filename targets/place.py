"""Where a bundle is made and how it gets to its place: in one step, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_ttvos.errors import OutputError
from edge_ttvos.firmware_bridge.bundle.paths import MANIFEST
from edge_ttvos.firmware_bridge.bundle.reader import SUFFIX
from edge_ttvos.firmware_bridge.output import spare_room


def archive_of(out: Path) -> Path:
    """The archive that stands beside a bundle's folder."""
    return out.with_name(out.name + SUFFIX)


def check_place(out: Path, overwrite: bool) -> None:
    """Refuse an ``out`` that holds anything but an older bundle that may be replaced.

    Raises:
        OutputError: it does, or is no folder.
    """
    archive = archive_of(out)
    if out.exists() and not out.is_dir():
        raise OutputError(f"--out must be a folder; {out} is a file. Give another --out")
    if archive.is_dir():
        raise OutputError(f"the archive would be {archive}, which is a folder: give another --out")
    bundle = (out / MANIFEST).is_file()
    if out.is_dir() and any(out.iterdir()) and not bundle:
        raise OutputError(f"{out} holds other things than a bundle: give another --out")
    present = [str(path) for path in (out / MANIFEST, archive) if path.exists()]
    if present and not overwrite:
        raise OutputError(
            f"{' and '.join(present)} exist already: give another --out, or --overwrite"
        )


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A private folder on the disk of ``out``, gone at the end.

    Raises:
        OutputError: it cannot be made, or there is no room.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        spare_room(out.parent).close()
        stage = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise OutputError(f"cannot write into {out.parent}: {error.strerror}") from error
    try:
        yield stage
    except OSError as error:
        raise OutputError(f"cannot write the bundle: {error.strerror or error}") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def publish(folder: Path, archive: Path, out: Path) -> None:
    """Move a finished bundle and its archive to their places, an older bundle out of the way.

    Between two renames there may be no bundle at ``out``, but never half of one.

    Raises:
        OSError: a rename failed; an older bundle is back in its place.
    """
    older = folder.with_name("older")
    folder.chmod(0o755)
    if out.exists():
        os.replace(out, older)
    try:
        os.replace(folder, out)
    except OSError:
        if older.exists():
            os.replace(older, out)
        raise
    os.replace(archive, archive_of(out))
