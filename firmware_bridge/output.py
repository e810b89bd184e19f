"""The folder that a run writes into: refused when it holds results, unless told to overwrite."""

from __future__ import annotations

import shutil
from pathlib import Path

from edge_ttvos.errors import OutputError


def prepare_folder(folder: Path, results: tuple[str, ...], overwrite: bool) -> None:
    """Make ``folder`` ready for new results.

    Args:
        folder: made with its parents where absent.
        results: names of the files and folders that a run of this kind writes.
        overwrite: remove older results of these names first.

    Raises:
        OutputError: it holds results and ``overwrite`` is off, or it cannot be written.
    """
    present = [name for name in results if (folder / name).exists()]
    if present and not overwrite:
        raise OutputError(
            f"{folder} already holds {', '.join(present)}: give another --out, or --overwrite"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in present:
            _remove(folder / name)
        probe = folder / ".edge-ttvos-probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise OutputError(f"cannot write into {folder}: {error.strerror}") from error


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


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
