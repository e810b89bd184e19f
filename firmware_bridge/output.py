"""The folder that a run writes into: refused when it holds results, unless told to overwrite."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from edge_ttvos.errors import OutputError

SPARE_BYTES = 1 << 16  # more than a run's record takes


def prepare_folder(
    folder: Path, results: tuple[str, ...], overwrite: bool, keep: Iterable[str | Path] = ()
) -> None:
    """Make ``folder`` ready for new results; unless all is well, nothing in it is touched.

    Args:
        folder: made with its parents where absent.
        results: names of the files and folders that a run of this kind writes.
        overwrite: remove older results of these names first.
        keep: inputs of the run, which must not be removed.

    Raises:
        OutputError: it holds results and ``overwrite`` is off, it cannot be written, or an input is
            among the older results.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"--out must be a folder; {folder} is a file. Give another --out")
    present = [folder / name for name in results if os.path.lexists(folder / name)]
    if present and not overwrite:
        names = ", ".join(path.name for path in present)
        raise OutputError(f"{folder} already holds {names}: give another --out, or --overwrite")
    for path in present:
        _refuse_inputs(path, keep)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        spare_room(folder).close()  # before anything is removed: can it be written at all?
        for path in present:
            _remove(path)
    except OSError as error:
        raise _failed(folder, error) from error


def spare_room(folder: Path) -> IO[bytes]:
    """``SPARE_BYTES`` of the folder's disk, held by a file without a name until it is closed.

    Raises:
        OutputError: the folder cannot be written, or there is no such space left.
    """
    try:
        file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - it is handed out
        try:
            if file.write(bytes(SPARE_BYTES)) < SPARE_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            file.close()
            raise
    except OSError as error:
        raise _failed(folder, error) from error
    return file


def make_folder(folder: Path) -> Path:
    """A folder inside an output folder.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make folder {folder}: {error.strerror}") from error
    return folder


def _failed(folder: Path, error: OSError) -> OutputError:
    why = error.strerror or str(error)
    return OutputError(f"cannot write into {folder}: {why}. Choose another place, or make room")


def _refuse_inputs(doomed: Path, keep: Iterable[str | Path]) -> None:
    place = doomed.resolve()
    for path in keep:
        if Path(path).resolve().is_relative_to(place):
            raise OutputError(
                f"--overwrite would remove {doomed}, but {path} is read by this run: give another "
                "--out"
            )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
