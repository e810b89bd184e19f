"""Results out: one JSON object a picture, on a line of its own. Its fields: docs/reference/live.md.

A UDP datagram holds one line. A stream that nobody reads, or a host that is not there, costs
lines, never time.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from edge_ttvos.errors import OutputError
from edge_ttvos.firmware_bridge.live.outcome import Outcome, Seen

SCHEMA = 1
STDOUT = "-"
UDP = "udp"

Send = Callable[[bytes], None]
Close = Callable[[], None]


def record(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON."""
    height, width = outcome.picture.shot.image.shape[:2]
    return {
        "schema": SCHEMA,
        "frame": outcome.picture.number,
        "captured_ns": outcome.picture.shot.captured,
        "latency_ms": round(outcome.latency_ms, 3),
        "late": outcome.late,
        "size": [height, width],
        "objects": [_object(seen) for seen in outcome.objects],
    }


def line(outcome: Outcome) -> bytes:
    """An outcome as a line."""
    text = json.dumps(record(outcome), ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8", "backslashreplace")


def _object(seen: Seen) -> dict[str, Any]:
    return {
        "id": seen.object_id,
        "name": seen.label.name,
        "state": seen.state.value,
        "box": None if seen.box is None else list(seen.box),
        "centroid": None if seen.centroid is None else [round(c, 2) for c in seen.centroid],
        "area": seen.area,
        "score": round(seen.score, 4),
    }


class Results:
    """Writes lines to ``-`` (stdout), ``udp://HOST:PORT`` or a file, which is appended to.

    Raises:
        OutputError: the place cannot be written, or is none.
    """

    def __init__(self, place: str) -> None:
        self._send, self._close = _open(place)

    def write(self, text: bytes) -> None:
        """One line."""
        self._send(text)

    def close(self) -> None:
        """Close the file or the socket."""
        self._close()


def _open(place: str) -> tuple[Send, Close]:
    if place == STDOUT:
        return _to(sys.stdout.fileno()), lambda: None
    if place.partition(":")[0] == UDP:
        return _datagrams(place)
    try:
        file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise OutputError(f"cannot write results to {place}: {error.strerror}") from error
    return _to(file), partial(os.close, file)


def _to(file: int) -> Send:
    """Past Python's buffer: at the end, a thread that waits for a reader must not hold its lock."""

    def send(line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(file, rest) :]

    return send


def _datagrams(place: str) -> tuple[Send, Close]:
    parts = urlsplit(place)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise OutputError(f"expected udp://HOST:PORT for results; got {place}")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    except OSError as error:
        raise OutputError(f"cannot send results to {place}: {error.strerror}") from error
    line_out = socket.socket(family, kind)
    line_out.setblocking(False)

    def send(line: bytes) -> None:
        with suppress(OSError):  # nobody listens, or the network is full or gone: others may pass
            line_out.sendto(line, address)

    return send, line_out.close
