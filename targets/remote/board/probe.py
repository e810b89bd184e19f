"""What the board is: a line of JSON. Plain enough for every Python 3, changes nothing."""

import json
import os
import platform
import shutil
import struct
import sys
import time

PLACE = "~/.local/share/edge-ttvos"


def main() -> None:
    """Print the facts; ``ask.Board`` names them."""
    print(json.dumps(facts()))


def facts() -> "dict[str, object]":
    """All of them."""
    place = existing(os.path.expanduser(PLACE))
    return {
        "python": list(sys.version_info[:3]),
        "bits": 8 * struct.calcsize("P"),
        "machine": platform.machine(),
        "libc": glibc(),
        "venv": importable("venv") and importable("ensurepip"),
        "free_bytes": shutil.disk_usage(place).free,
        "writable": os.access(place, os.W_OK),
        "place": place,
        "time": time.time(),
        "model": line("/proc/device-tree/model"),
        "system": system(),
    }


def existing(path: str) -> str:
    """The path, or the nearest folder above it that is there."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def glibc() -> "list[int] | None":
    """Version of the GNU C library; None where the C library is another."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        return [int(part) for part in version.split(".")[:2]] if name == "glibc" else None
    except (OSError, ValueError):
        return None


def importable(name: str) -> bool:
    """Whether a module is there: Debian parts ensurepip from Python."""
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def line(path: str) -> str:
    """A file's text; empty where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip("\0 \n")
    except OSError:
        return ""


def system() -> str:
    """The operating system's own name."""
    for entry in line("/etc/os-release").splitlines():
        if entry.startswith("PRETTY_NAME="):
            return entry.partition("=")[2].strip('"')
    return platform.system()
