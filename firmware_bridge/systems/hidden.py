"""Python packages that only the system's package manager has, and that an environment may hide."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from edge_ttvos.firmware_bridge.check import Check, absent, there, trouble

SYSTEM = ("usr/lib/python3/dist-packages", "usr/lib/python3*/dist-packages")
AGAIN = "make the environment anew with: python3 -m venv --system-site-packages"


def system_package(root: Path, module: str, package: str) -> Check:
    """Whether a module of a Debian package can be imported here, and what is in the way.

    Args:
        root: of the file system.
        module: its name.
        package: that brings it.
    """
    if importlib.util.find_spec(module) is not None:
        return there(module, "can be imported")
    if not any(found for folder in SYSTEM for found in root.glob(f"{folder}/{module}")):
        return absent(module, "not installed", f"sudo apt install -y {package}")
    if sys.prefix != sys.base_prefix:
        return trouble(module, "installed, but this environment does not see it", AGAIN)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return trouble(
        module,
        f"installed for the system's Python; this is another one ({version})",
        f"/usr/bin/python3 {AGAIN.partition('python3 ')[2]}",
    )
