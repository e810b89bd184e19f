"""How much memory the process occupies: resident bytes now, and the most there were.

Source: docs.kernel.org/filesystems/proc.html (VmRSS, VmHWM, clear_refs).
"""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
FORGET = Path("/proc/self/clear_refs")
PEAK = "5"  # written to clear_refs: the peak starts anew from what is resident now


class Footprint:
    """What a run adds to the process, from the moment that this is made."""

    def __init__(self) -> None:
        self._own_peak = forget_peak()
        self._before = resident_bytes()
        self._after: int | None = None
        self._peak: int | None = None

    def note(self) -> None:
        """Look again."""
        self._after, self._peak = resident_bytes(), peak_bytes()

    def to_json(self) -> dict[str, Any]:
        """Before, when looked at last, and the peak by then; ``peak_since`` says from when on."""
        return {
            "peak_rss_bytes": self._peak,
            "rss_before_bytes": self._before,
            "rss_after_bytes": self._after,
            "peak_since": "this run began" if self._own_peak else "the process began",
        }


def resident_bytes() -> int | None:
    """Bytes in memory now; None where the system does not tell."""
    return _status("VmRSS")


def forget_peak() -> bool:
    """Let the peak start anew; False where the system does not, and it is the whole process's."""
    try:
        FORGET.write_text(PEAK)
    except OSError:
        return False
    return _status("VmHWM") is not None


def peak_bytes() -> int:
    """The most bytes in memory since ``forget_peak``, or since the process began."""
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _status(name: str) -> int | None:
    try:
        lines = STATUS.read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    found = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    kilobytes = next(found, None)
    return None if kilobytes is None else int(kilobytes) * 1024
