"""Raspberry Pi with Raspberry Pi OS: the board, its system, 64 bits, the camera's library.

Sources: raspberrypi.com/documentation (device tree, rpi-issue), picamera2 manual (virtual
environments need ``--system-site-packages``).
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

from edge_ttvos.firmware_bridge.check import Check, there, trouble
from edge_ttvos.firmware_bridge.check import text as text_of
from edge_ttvos.firmware_bridge.systems.hidden import system_package

MODEL = "proc/device-tree/model"
ISSUE, RELEASE = "etc/rpi-issue", "etc/os-release"
KNOWN = ("bookworm", "trixie")


def checks(root: Path, bits: int = 8 * struct.calcsize("P")) -> tuple[Check, ...]:
    """Findings on a Raspberry Pi; none on other boards.

    Args:
        root: of the file system.
        bits: of this Python.
    """
    model = text_of(root / MODEL)
    if not model.startswith("Raspberry Pi"):
        return ()
    return (
        there("board", model),
        _system(root),
        _bits(bits),
        system_package(root, "picamera2", "python3-picamera2"),
    )


def codename(release: str) -> str:
    """``bookworm`` of an os-release's text; empty where it does not tell."""
    found = re.search(r'^VERSION_CODENAME="?([a-z]+)', release, re.MULTILINE)
    return found[1] if found else ""


def _system(root: Path) -> Check:
    name = codename(text_of(root / RELEASE)) or "unknown"
    official = (root / ISSUE).is_file()
    finding = f"{'Raspberry Pi OS' if official else 'another system'}, {name}"
    if official and name in KNOWN:
        return there("system", finding)
    advice = "Raspberry Pi OS (64-bit) Bookworm or Trixie is what was reckoned with"
    return trouble("system", finding, advice)


def _bits(bits: int) -> Check:
    if bits == 64:
        return there("64-bit system", "yes")
    advice = "flash Raspberry Pi OS (64-bit): the engines have no wheels for 32 bits"
    return Check("64-bit system", False, f"Python has {bits} bits", advice=advice)
