"""An .ettvos archive as a listing of plain files: a zip without any of zip's rarer gifts."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, BinaryIO

from edge_ttvos.firmware_bridge.bundle.limits import MAX_DIRECTORY
from edge_ttvos.firmware_bridge.bundle.paths import check_name

END = struct.Struct("<4s4H2LH")  # end of central directory record, APPNOTE.TXT 4.3.16
LOCATOR = b"PK\x06\x07"  # of Zip64's end record, 20 bytes before it, APPNOTE.TXT 4.3.15
LOCATOR_SIZE = 20  # bytes
ENCRYPTED = 0x1 | 0x40 | 0x2000  # flags: encrypted, strongly encrypted, masked directory
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error)


class ZipMembers:
    """Plain files of a zip archive; a context manager.

    Attributes:
        sizes: bytes of each file unpacked, as the archive claims, by its path in the bundle.
    """

    def __init__(self, file: BinaryIO) -> None:
        """List the archive.

        Args:
            file: at any position; stays the caller's.

        Raises:
            ValueError: it is cut off or no zip, or an entry is a link, special, encrypted, doubled,
                compressed otherwise than by deflate, or badly named.
            OSError: it cannot be read.
        """
        _check_end(file)
        with _refusing("the archive's table of contents"):
            self._zip = zipfile.ZipFile(file)
        self.sizes: dict[str, int] = {}
        for info in self._zip.infolist():
            _check_entry(info)
            if info.filename in self.sizes:
                raise ValueError(f"{info.filename} stands twice in the archive")
            self.sizes[info.filename] = info.file_size

    def __enter__(self) -> ZipMembers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """A file's bytes, unpacked as they are read and never more than its size.

        Raises:
            ValueError: it is damaged.
        """
        with _refusing(name), self._zip.open(name) as member:
            yield member


def _check_end(file: BinaryIO) -> None:
    """Refuse what ends otherwise than in one small table of contents, before it is read."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - END.size - LOCATOR_SIZE))
    tail = file.read()
    if len(tail) < END.size:
        raise ValueError("it is no zip archive, or cut off")
    signature, disk, first, here, entries, size, offset, comment = END.unpack(tail[-END.size :])
    if signature != b"PK\x05\x06" or comment:
        raise ValueError("it is no zip archive, or cut off, or something follows it")
    if tail.startswith(LOCATOR) or disk or first or here != entries:
        raise ValueError("it is a Zip64 or a split archive")
    if size > MAX_DIRECTORY or offset + size + END.size != length:
        raise ValueError("its table of contents is too long or elsewhere than it says")


def _check_entry(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename  # zipfile changes what some systems take for a separator or an end
    check_name(name)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        what = "a symbolic link" if kind == stat.S_IFLNK else "a special file"
        raise ValueError(f"{name} is {what}; bundles hold plain files")
    if info.flag_bits & ENCRYPTED:
        raise ValueError(f"{name} is encrypted; bundles are not")
    if info.compress_type not in METHODS:
        raise ValueError(f"{name} must be stored or deflated; got method {info.compress_type}")


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise ValueError(f"{what} is damaged: {error}") from error
