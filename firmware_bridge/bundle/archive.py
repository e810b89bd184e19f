"""Packs a bundle's folder into its .ettvos archive: the same bytes from the same files, always."""

from __future__ import annotations

import shutil
import stat
import zipfile
from pathlib import Path

from edge_ttvos.errors import OutputError
from edge_ttvos.files import whole_file
from edge_ttvos.firmware_bridge.bundle.limits import CHUNK
from edge_ttvos.firmware_bridge.bundle.paths import MANIFEST
from edge_ttvos.firmware_bridge.bundle.reader import open_bundle

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can tell
UNIX = 3  # whose modes the entries carry, APPNOTE.TXT 4.4.2.2


def pack(folder: Path, archive: Path) -> None:
    """Write the archive of a bundle's folder, whole or not at all; an older one is replaced.

    Names are sorted, times and modes fixed, and nothing is compressed: images, wheels and weights
    hardly shrink, and what deflate makes differs from library to library.

    Raises:
        BundleError: the folder is no sound bundle.
        OutputError: the archive cannot be written, or would stand in the folder itself.
    """
    if folder.resolve() in archive.resolve().parents:
        raise OutputError(f"archive {archive} must stand beside its bundle {folder}, not in it")
    with open_bundle(folder) as bundle:
        names = sorted([MANIFEST, *bundle.manifest.files])
    with (
        whole_file(archive) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED, allowZip64=False) as packed,
    ):
        for name in names:
            _add(packed, name, folder / name)


def _add(packed: zipfile.ZipFile, name: str, file: Path) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.create_system = UNIX
    mode = 0o755 if file.suffix == ".sh" else 0o644
    entry.external_attr = (stat.S_IFREG | mode) << 16
    entry.file_size = file.stat().st_size
    with file.open("rb") as source, packed.open(entry, "w") as target:
        shutil.copyfileobj(source, target, CHUNK)
