"""A bundle becomes what a board runs: copy → install → measure → switch, on one connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from edge_ttvos.targets.remote.address import Address
from edge_ttvos.targets.remote.ask import Board, require_room
from edge_ttvos.targets.remote.connection import SESSION, Connection
from edge_ttvos.targets.remote.copy import Parcel, copy, parcel
from edge_ttvos.targets.remote.install import Installed, install

Listener = Callable[[str, float], None]

COPY, INSTALL, MEASURE = 0.15, 0.7, 0.15  # shares of all work


@dataclass(frozen=True)
class Standing:
    """Names of the release that a board runs, and of the one it ran before; None: none."""

    live: str
    previous: str | None


@dataclass(frozen=True)
class Delivery:
    """What came of a deployment.

    Attributes:
        standing: what the board runs now.
        copied: bytes that were sent.
        resumed: bytes that an earlier attempt had sent.
        installed: the new release, and its self-test.
        bench: the board's bench.json, on the golden clip.
        doctor: what the board's doctor says.
        seconds: by stage.
    """

    standing: Standing
    copied: int
    resumed: int
    installed: Installed
    bench: dict[str, Any]
    doctor: dict[str, Any]
    seconds: dict[str, float]

    def to_json(self, address: Address, board: Board) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "to": str(address),
            "board": board.to_json(),
            **asdict(self.standing),
            "copied_bytes": self.copied,
            "resumed_bytes": self.resumed,
            "seconds": self.seconds,
            "selftest": list(self.installed.selftest),
            "bench": self.bench,
            "doctor": self.doctor,
        }


@dataclass
class Clock:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block."""
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 2)


def send(
    address: Address,
    archive: Path,
    wheels: Path | None = None,
    listen: Listener = lambda what, share: None,
) -> Delivery:
    """Make an archive's bundle the one that a board runs.

    The board goes on running what it ran until everything has passed there; then one rename
    switches. What it ran before stays, for ``roll_back``.

    Args:
        address: of a board that ``ask.require`` has no objection to.
        archive: of a bundle.
        wheels: zip of all that pip shall install there; None: pip asks its index.
        listen: called with what is being done and the share of all work done.

    Raises:
        RemoteError: something failed; the message says why and what the board runs.
    """
    clock, parcels = Clock(), [parcel(path) for path in (archive, wheels) if path is not None]
    with Connection(address, SESSION) as board:
        with clock.stage("connect"):
            _begin(board, parcels, address)
        with clock.stage("copy"):
            resumed = _copy(board, parcels, listen)
        with clock.stage("install"):
            installed = install(board, parcels, _part(listen, COPY, INSTALL))
        listen("bench", COPY + INSTALL)
        with clock.stage("measure"):
            measured = board.ask("measure")
        listen("switch", COPY + INSTALL + MEASURE)
        with clock.stage("switch"):
            standing = _switch(board, "switch")
        board.send({"do": "end"})
    copied = sum(one.bytes for one in parcels) - resumed
    return Delivery(
        standing, copied, resumed, installed, measured["bench"], measured["doctor"], clock.seconds
    )


def roll_back(address: Address) -> Standing:
    """Let a board run again what it ran before.

    Raises:
        RemoteError: it cannot be reached, or there is no previous version.
    """
    with Connection(address, SESSION) as board:
        _begin(board, (), address)
        now = _switch(board, "roll_back")
        board.send({"do": "end"})
    return now


def _begin(board: Connection, parcels: Sequence[Parcel], address: Address) -> None:
    board.send({"keep": [one.sha256 for one in parcels]})
    free = board.until("ready")["free_bytes"]
    if parcels:
        require_room(free, sum(one.bytes for one in parcels), address)


def _copy(board: Connection, parcels: Sequence[Parcel], listen: Listener) -> int:
    """Copy all; bytes that were there already."""
    resumed, width = 0, COPY / len(parcels)
    for index, one in enumerate(parcels):
        part = _part(listen, width * index, width)
        resumed += copy(board, one, partial(part, "copy"))
    return resumed


def _part(listen: Listener, start: float, width: float) -> Listener:
    return lambda what, share: listen(what, start + width * share)


def _switch(board: Connection, do: str) -> Standing:
    """The one step; cut off right here, nobody knows on which side of it the board is."""
    board.before = "it was about to switch: send it again, or --rollback"
    now = board.ask(do)
    return Standing(now["live"], now["previous"])
