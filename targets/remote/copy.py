"""Copies a file to the board, from where an earlier attempt ended; its hash is checked there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_ttvos.targets.remote.connection import CHUNK, Connection


@dataclass(frozen=True)
class Parcel:
    """A file to copy; on the board it is known by its hash.

    Attributes:
        path: here.
        sha256: of its bytes.
        bytes: how many.
    """

    path: Path
    sha256: str
    bytes: int


def parcel(path: Path) -> Parcel:
    """The parcel of a file."""
    return Parcel(path, hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


def copy(
    connection: Connection, what: Parcel, listen: Callable[[float], None] = lambda share: None
) -> int:
    """Copy a file; how many bytes of it were there already.

    Args:
        connection: to the board's session.
        what: the file.
        listen: called with the share of bytes sent.

    Raises:
        RemoteError: the board's disk is full, or the file was damaged on its way.
    """
    connection.send({"do": "receive", "sha256": what.sha256, "length": what.bytes})
    offset: int = connection.until("offset")["bytes"]
    with what.path.open("rb") as file:
        file.seek(offset)
        while data := file.read(CHUNK):
            connection.write(data)
            listen(file.tell() / what.bytes)
    connection.until("done")
    return offset
