"""A bundle's folder as a listing of plain files, whatever else it may hold."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from edge_ttvos.firmware_bridge.bundle.limits import MAX_MEMBERS
from edge_ttvos.firmware_bridge.bundle.paths import check_name


class FolderMembers:
    """Plain files under a folder; links and special files are errors.

    Attributes:
        sizes: bytes of each file, by its path in the bundle.
    """

    def __init__(self, folder: Path) -> None:
        """List the folder.

        Raises:
            ValueError: a link, a special file, a bad name, or too many entries.
            OSError: a folder cannot be read.
        """
        self._folder = folder
        self.sizes: dict[str, int] = {}
        waiting, entries = [""], 0
        while waiting:
            prefix = waiting.pop()
            with os.scandir(folder / prefix) as listing:
                for entry in listing:
                    entries += 1
                    if entries > 2 * MAX_MEMBERS:
                        raise ValueError(f"there may be at most {MAX_MEMBERS} files; got more")
                    name = prefix + entry.name
                    check_name(name)
                    about = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(about.st_mode):
                        waiting.append(f"{name}/")
                    else:
                        self.sizes[name] = _plain_size(name, about)

    def open(self, name: str) -> BinaryIO:
        """A file's bytes; a link that has come since the listing is an error.

        Raises:
            OSError: it is gone, a link, or cannot be read.
        """
        descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        return os.fdopen(descriptor, "rb")


def _plain_size(name: str, about: os.stat_result) -> int:
    if not stat.S_ISREG(about.st_mode):
        what = "a symbolic link" if stat.S_ISLNK(about.st_mode) else "a special file"
        raise ValueError(f"{name} is {what}; bundles hold plain files")
    if about.st_nlink > 1:
        raise ValueError(f"{name} is a hard link; bundles hold plain files")
    return about.st_size
