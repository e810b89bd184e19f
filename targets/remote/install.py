"""Lets the board install the archive and test itself: environment, engine, runtime, golden clip."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge_ttvos.errors import RemoteError
from edge_ttvos.targets.remote.connection import Connection, Event
from edge_ttvos.targets.remote.copy import Parcel

STEP = re.compile(r"install\.sh: (\d)/(\d) (.*)")  # what the installer says as it goes

CAUSES: tuple[tuple[str, str], ...] = (
    ("No space left on device", "the board's disk is full: make room there (df -h)"),
    (
        "CERTIFICATE_VERIFY_FAILED|certificate",
        "pip on the board trusts no certificate: see to its clock (date) and its ca-certificates",
    ),
    (
        "NewConnectionError|Temporary failure in name resolution|Network is unreachable|"
        "ConnectTimeoutError|Max retries exceeded",
        "pip on the board reaches no package index: give the board a network, or bring the "
        "wheels along with --wheels DIR",
    ),
    (
        r"No matching distribution found for (?P<what>\S+)",
        "pip on the board finds no {what} for its Python and processor",
    ),
    ("self-test failed.*", "{0}"),
)


@dataclass(frozen=True)
class Installed:
    """A release on the board: its name, and its self-test by size."""

    release: str
    selftest: tuple[dict[str, Any], ...]


def install(
    connection: Connection,
    parcels: Sequence[Parcel],
    listen: Callable[[str, float], None] = lambda what, share: None,
) -> Installed:
    """Install.

    Args:
        connection: to the board's session, which has the parcels.
        parcels: the bundle's archive and, where pip shall not ask its index, one of wheels.
        listen: called with the installer's step and the share of steps begun.

    Raises:
        RemoteError: an environment cannot be made, packages cannot be had, or the self-test failed;
            what was installed is removed.
    """
    lines: list[str] = []

    def hear(event: Event) -> None:
        lines.append(event["text"])
        if step := STEP.match(lines[-1]):
            listen(step[3], (int(step[1]) - 1) / int(step[2]))

    bundle, wheels = [*(one.sha256 for one in parcels), None][:2]
    try:
        done = connection.ask("install", hear, sha256=bundle, wheels=wheels)
    except RemoteError as error:
        if cause := cause_of(lines):
            raise RemoteError(f"{cause}; {error}") from error
        raise
    return Installed(done["release"], selftest_of(lines))


def cause_of(lines: Sequence[str]) -> str:
    """Why an installation failed, in words that say what to do; empty where nobody knows."""
    text = "\n".join(lines)
    for pattern, advice in CAUSES:
        if found := re.search(pattern, text):
            return advice.format(found[0], **found.groupdict())
    return ""


def selftest_of(lines: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """The self-test's records among an installer's lines."""
    return tuple(json.loads(line) for line in lines if line.startswith('{"size"'))
