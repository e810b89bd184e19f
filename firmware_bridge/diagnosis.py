"""What is installed here, what is missing, and what to type: the facts behind ``doctor``."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from importlib import metadata

from edge_ttvos.firmware_bridge.engines import known_engines, load_opener

from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.weights import LICENSE_NOTE, find_checkpoint

MINIMUM = (3, 10)
BASE = ("av", "numpy", "opencv-python-headless", "pillow", "rich", "typer")


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: of what was looked at.
        ok: whether it is there and usable.
        finding: version, path or problem.
        needed: whether tracking is impossible without it.
        advice: what to type; empty where nothing is to be done.
    """

    name: str
    ok: bool
    finding: str
    needed: bool = True
    advice: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """All findings; ``can_track`` is the verdict."""

    checks: tuple[Check, ...]

    @property
    def can_track(self) -> bool:
        """Whether everything needed is there, and at least one engine."""
        engines = [check for check in self.checks if check.name.startswith("engine ")]
        needed = all(check.ok for check in self.checks if check.needed)
        return needed and any(check.ok for check in engines)


def diagnose() -> Diagnosis:
    """Look at this machine; nothing is changed and no model is run."""
    machine = f"{device()}, {platform.platform(terse=True)}"
    return Diagnosis(
        (
            Check("machine", True, machine),
            _python(),
            *(_distribution(name) for name in BASE),
            *(_engine(name) for name in known_engines()),
            _weights(),
            Check("weights' licence", True, LICENSE_NOTE, needed=False),
        )
    )


def _python() -> Check:
    ok = sys.version_info >= MINIMUM
    return Check(
        "python", ok, platform.python_version(), advice="" if ok else "install 3.10 or newer"
    )


def _distribution(name: str) -> Check:
    try:
        return Check(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Check(name, False, "not installed", advice=f"pip install {name}")


def _engine(name: str) -> Check:
    try:
        load_opener(name)
    except EngineError as error:
        finding, _, advice = str(error).partition("; type: ")
        return Check(f"engine {name}", False, finding, needed=False, advice=advice)
    return Check(f"engine {name}", True, metadata.version(name), needed=False)


def _weights() -> Check:
    path = find_checkpoint("default")
    ok = path.is_file()
    size = f", {path.stat().st_size / 1e6:.1f} MB" if ok else " is missing"
    return Check("weights", ok, f"{path.name}{size}", advice="" if ok else "reinstall edge-ttvos")
