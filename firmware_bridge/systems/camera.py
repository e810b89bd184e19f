"""Cameras, and the programs that hold them: a camera serves one program at a time.

Source: proc(5), ``/proc/PID/fd``. Descriptors of other users' processes are only for root to see.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from edge_ttvos.firmware_bridge.check import Check, there, trouble
from edge_ttvos.firmware_bridge.check import text as text_of

DEVICES = "dev/video*"
CAPTURE = "sys/class/video4linux"


def checks(root: Path) -> tuple[Check, ...]:
    """A finding for every video device that a program holds, and one that names the others."""
    devices = sorted(root.glob(DEVICES), key=lambda path: (len(path.name), path.name))
    if not devices:
        return ()
    held = {f"/{device.relative_to(root)}": list(holders(root, device.name)) for device in devices}
    free = [device for device, programs in held.items() if not programs]
    busy = (
        trouble("camera", f"{device} is held by {', '.join(programs)}", _advice(programs))
        for device, programs in held.items()
        if programs
    )
    return (*busy, *((there("camera", f"free: {_listed(root, free)}"),) if free else ()))


def holders(root: Path, device: str) -> Iterator[str]:
    """``name (process 812)`` of every program but this that has ``/dev/<device>`` open."""
    for process in sorted(root.glob("proc/[0-9]*"), key=lambda path: int(path.name)):
        if process.name != str(os.getpid()) and _holds(process, f"/dev/{device}"):
            yield f"{text_of(process / 'comm') or 'a program'} (process {process.name})"


def _holds(process: Path, device: str) -> bool:
    try:
        return any(os.readlink(descriptor) == device for descriptor in (process / "fd").iterdir())
    except OSError:  # it ended, or is another user's
        return False


def _advice(programs: list[str]) -> str:
    numbers = " ".join(program.rpartition(" ")[2].rstrip(")") for program in programs)
    return f"end that program, or type: kill {numbers}"


def _listed(root: Path, devices: list[str]) -> str:
    """The first few by name; a Raspberry Pi has more than a dozen that are no cameras."""
    shown = []
    for device in devices[:3]:
        name = text_of(root / CAPTURE / device.rpartition("/")[2] / "name")
        shown.append(f"{device} ({name})" if name else device)
    more = f" and {len(devices) - 3} more" if len(devices) > 3 else ""
    return ", ".join(shown) + more
