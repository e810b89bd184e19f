"""Opens a bundle: a folder or its .ettvos archive, checked whole before any engine sees a byte.

The listing comes first, then the manifest, then every file's length and checksum, then what engines
would follow out of a file. An archive is unpacked into a private temporary folder on the way. What
changes in a folder after it was opened is not guarded against: whoever can write there can also
write the code that reads it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from edge_ttvos.errors import BundleError
from edge_ttvos.firmware_bridge.bundle.folder import FolderMembers
from edge_ttvos.firmware_bridge.bundle.manifest import AGAIN, Manifest
from edge_ttvos.firmware_bridge.bundle.paths import MANIFEST
from edge_ttvos.firmware_bridge.bundle.verify import verify, writing
from edge_ttvos.firmware_bridge.bundle.zipped import ZipMembers

SUFFIX = ".ettvos"


class Bundle:
    """A checked bundle; a context manager.

    Attributes:
        folder: where its files stand; engines get paths under it.
        manifest: what it holds.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        unpacked: tempfile.TemporaryDirectory[str] | None = None,
    ) -> None:
        """See ``open_bundle``; ``unpacked`` is removed on ``close``."""
        self.folder = folder
        self.manifest = manifest
        self._unpacked = unpacked

    def close(self) -> None:
        """Remove what was unpacked; a folder that was opened in place stays as it is."""
        if self._unpacked is not None:
            self._unpacked.cleanup()

    def __enter__(self) -> Bundle:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def is_bundle(path: Path) -> bool:
    """Whether a path looks like a bundle, opened or not: by its name and its manifest's."""
    return (path.suffix == SUFFIX and path.is_file()) or (path / MANIFEST).is_file()


def open_bundle(path: Path) -> Bundle:
    """Check a bundle and open it.

    Args:
        path: of the folder, or of its archive, which is unpacked under the system's temporary
            folder until the bundle is closed.

    Raises:
        BundleError: there is none, it is damaged or unsafe, or of a newer schema.
        OutputError: there is no room to unpack it.
    """
    with _naming(path):
        if path.is_dir():
            members = FolderMembers(path)
            return Bundle(path, verify(members, path, unpack=False))
        if path.exists() and not path.is_file():
            raise ValueError("it is neither a folder nor a file")
        with path.open("rb") as file, ZipMembers(file) as archive:
            return _unpacked(archive)


def _unpacked(archive: ZipMembers) -> Bundle:
    with writing(archive.sizes):
        folder = tempfile.TemporaryDirectory(prefix="edge-ttvos-")
    try:
        return Bundle(Path(folder.name), verify(archive, Path(folder.name), unpack=True), folder)
    except BaseException:
        folder.cleanup()
        raise


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors that say which bundle, and what to do."""
    try:
        yield
    except FileNotFoundError as error:
        if path.exists():
            raise BundleError(f"{path}: {error.filename} has gone; {AGAIN}") from error
        raise BundleError(
            f"there is no bundle {path}: give a bundle's folder or its {SUFFIX} file"
        ) from error
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror or error}") from error
    except BundleError as error:
        raise BundleError(f"{path}: {error}") from error
    except ValueError as error:
        raise BundleError(f"{path} cannot be used: {error}; {AGAIN}") from error
