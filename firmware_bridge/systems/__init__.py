"""What ``doctor`` knows about boards, one file each; a file is silent where its board is not.

Each takes the root of a file system, so that any board can be laid out in a test's folder.
"""

from __future__ import annotations

from pathlib import Path

from edge_ttvos.firmware_bridge.check import ROOT, Check
from edge_ttvos.firmware_bridge.systems import camera, coral, jetson, power, raspberry_pi


def system_checks(root: Path = ROOT) -> tuple[Check, ...]:
    """All that the boards' files find here.

    Args:
        root: where ``etc``, ``sys``, ``proc``, ``dev``, ``usr`` and ``var`` stand.
    """
    parts = (raspberry_pi, jetson, coral, power, camera)
    return tuple(check for part in parts for check in part.checks(root))
