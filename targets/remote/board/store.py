"""The board's releases: which one is live, which one was before, and the one step between them.

    ~/.local/share/edge-ttvos/
        current → releases/0002-1f3a…      the live release; replaced by one rename
        releases/0002-1f3a…/               bundle/, venv/, edge-ttvos (a command), bench/
            previous → ../0001-9c2e…       what was live before it: the way back
        incoming/<sha256>                  an archive on its way, continued where it was cut off
        lock                               held while a deployment runs

What neither ``current`` nor its ``previous`` leads to is a leftover, whatever made it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

HOME = Path("~/.local/share/edge-ttvos")
CURRENT, PREVIOUS = "current", "previous"


class RefusedError(Exception):
    """What was asked for cannot be done; the board is as it was."""


class Store:
    """The releases under ``root``; made where absent."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.releases, self.incoming = root / "releases", root / "incoming"
        for folder in (self.releases, self.incoming):
            folder.mkdir(parents=True, exist_ok=True)

    def lock(self) -> int:
        """Hold the lock until its descriptor is closed here and in every child that has it.

        Raises:
            RefusedError: somebody else holds it.
        """
        lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise RefusedError(
                "another deployment to this board is under way, or one that was cut off is still "
                "ending; wait a minute and send it again"
            ) from None
        return lock

    @property
    def live(self) -> Path | None:
        """The release that runs; None before the first."""
        return self._followed(self.root / CURRENT)

    @property
    def fallback(self) -> Path | None:
        """The release that ran before; None where there is none."""
        return None if self.live is None else self._followed(self.live / PREVIOUS)

    def tidy(self, keep: Collection[str] = ()) -> None:
        """Remove leftovers: releases that nothing leads to, archives but those to ``keep``."""
        wanted = {self.live, self.fallback}
        for release in self.releases.iterdir():
            if release not in wanted:
                shutil.rmtree(release)
        for archive in self.incoming.iterdir():
            if archive.name not in keep:
                archive.unlink()

    def fresh(self, sha256: str) -> Path:
        """An empty folder for a new release."""
        numbers = [int(path.name.partition("-")[0]) for path in self.releases.iterdir()]
        release = self.releases / f"{max(numbers, default=0) + 1:04d}-{sha256[:12]}"
        release.mkdir()
        return release

    def switch(self, release: Path) -> None:
        """Make a release live; the one that was stays as its ``previous``. One rename."""
        if self.live is not None:
            link(release / PREVIOUS, Path("..", self.live.name))
        os.sync()  # all of the release stands on the disk before anything leads to it
        link(self.root / CURRENT, release.relative_to(self.root))

    def roll_back(self) -> None:
        """Make the release live that was before; the one that is becomes its ``previous``.

        Raises:
            RefusedError: there is none.
        """
        if (fallback := self.fallback) is None:
            raise RefusedError("there is no previous version to go back to")
        self.switch(fallback)

    def _followed(self, path: Path) -> Path | None:
        if not path.is_dir():
            return None
        return self.releases / os.readlink(path).rpartition("/")[2]


def link(path: Path, target: Path) -> None:
    """Make ``path`` lead to ``target``, in one step and for good."""
    temporary = path.with_name(f".{path.name}.new")
    with suppress(FileNotFoundError):
        temporary.unlink()
    temporary.symlink_to(target)
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
