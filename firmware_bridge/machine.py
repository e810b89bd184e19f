"""What this machine is, for protocols and for ``doctor``."""

from __future__ import annotations

import os
import platform
from functools import lru_cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
BOARD = Path("/proc/device-tree/model")


@lru_cache(maxsize=1)
def device() -> str:
    """The board's or processor's own name, with architecture and number of cores."""
    name = _board() or _processor() or "unknown processor"
    return f"{name} ({platform.machine()}, {os.cpu_count()} cores)"


def _board() -> str:
    try:
        return BOARD.read_text("utf-8", "replace").strip("\x00 \n")
    except OSError:
        return ""


def _processor() -> str:
    try:
        lines = CPUINFO.read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "")
