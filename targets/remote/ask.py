"""What the board is, asked before anything is copied, and whether a bundle can run on it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from edge_ttvos.errors import RemoteError
from edge_ttvos.targets.base import Target
from edge_ttvos.targets.remote.address import Address
from edge_ttvos.targets.remote.connection import PROBE, Connection

OLDEST = (3, 10)
MOST_SKEW = 24 * 3600.0  # seconds; a clock further off finds certificates expired or not yet valid
# Bytes that an environment takes: 387 MB with LiteRT on arm64 and 466 on x86-64, its wheels while
# they are unpacked 280 more, and some for larger engines.
ROOM = 900_000_000


@dataclass(frozen=True)
class Board:
    """A board's answer.

    Attributes:
        python: version of its python3.
        bits: of that Python, 32 or 64.
        machine: processor's architecture, as ``uname -m`` says.
        libc: version of the GNU C library; None: another C library.
        venv: whether Python can make virtual environments.
        free_bytes: on the disk of the home folder.
        writable: whether the place for releases can be written.
        place: that place, or the nearest folder above it that exists.
        skew_s: seconds by which its clock is ahead of ours.
        model: the board's own name, empty where it has none.
        system: name of its operating system.
    """

    python: tuple[int, ...]
    bits: int
    machine: str
    libc: tuple[int, ...] | None
    venv: bool
    free_bytes: int
    writable: bool
    place: str
    skew_s: float
    model: str
    system: str

    def __str__(self) -> str:
        version = ".".join(map(str, self.python))
        return f"{self.model or self.machine}, {self.system}, Python {version}"

    def to_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {**asdict(self), "python": ".".join(map(str, self.python))}


def ask(address: Address) -> Board:
    """Ask a board what it is; nothing is written there.

    Raises:
        RemoteError: it cannot be reached, or has no Python.
    """
    with Connection(address, PROBE) as connection:
        connection.before = "nothing was copied"
        facts = connection.event()
        now = time.time()
    skew = round(facts.pop("time") - now, 1)
    libc = None if facts["libc"] is None else tuple(facts["libc"])
    return Board(**{**facts, "python": tuple(facts["python"]), "libc": libc, "skew_s": skew})


def require(board: Board, target: Target, address: Address) -> None:
    """Refuse a board that cannot run a target's bundles.

    Raises:
        RemoteError: naming the first reason, and what to type there.
    """
    if fault := _fault(board, target):
        raise RemoteError(f"{address}: {fault}; nothing was copied")


def require_room(free_bytes: int, archive_bytes: int, address: Address) -> None:
    """Refuse a disk without room for the archive, what is unpacked from it and the environment.

    Raises:
        RemoteError: there is less.
    """
    needed = 2 * archive_bytes + ROOM
    if free_bytes < needed:
        raise RemoteError(
            f"{address}: its disk has {free_bytes / 1e6:.0f} MB free and {needed / 1e6:.0f} are "
            "needed: make room there (df -h, sudo apt clean); the board runs what it ran before"
        )


def untried(board: Board, target: Target) -> str:
    """What of this board the target's author did not reckon with; empty where nothing is."""
    version = ".".join(map(str, board.python[:2]))
    known = sorted({system.python for system in target.systems})
    if version in known:
        return ""
    return f"{target.name} was made for Python {', '.join(known)}; this board has {version}"


def _fault(board: Board, target: Target) -> str:
    version = ".".join(map(str, board.python))
    machines = " or ".join(target.machines)
    faults = {
        f"Python 3.10 or newer is needed; it has {version}: take a newer system": board.python
        < OLDEST,
        f"{target.name} is for {machines}; this board is {board.machine}: give another --target": (
            bool(target.machines) and board.machine not in target.machines
        ),
        f"the engines need a 64-bit system; its Python has {board.bits} bits: install the 64-bit "
        "image": board.bits < 64,
        "the engines' wheels need the GNU C library, which this system does not have: take Debian, "
        "Ubuntu or Raspberry Pi OS": board.libc is None,
        "Python's venv module is missing; type there: sudo apt install -y python3-venv": (
            not board.venv
        ),
        f"{board.place} cannot be written: see to its owner (ls -ld)": not board.writable,
        f"its clock is {abs(board.skew_s) / 3600:.0f} hours off, with which no certificate holds; "
        "type there: sudo timedatectl set-ntp true": abs(board.skew_s) > MOST_SKEW,
    }
    return next((fault for fault, found in faults.items() if found), "")
