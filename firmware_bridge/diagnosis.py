"""What is installed here, what is missing, and what to type: the facts behind ``doctor``."""

from __future__ import annotations

import platform
import sys
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from typing import Any

from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.check import Check, absent
from edge_ttvos.firmware_bridge.engines import known_engines, load_opener
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.firmware_bridge.protocol import bare_protocol
from edge_ttvos.firmware_bridge.systems import system_checks
from edge_ttvos.weights import LICENSE_NOTE, find_checkpoint

MINIMUM = (3, 10)
TORCH = "torch"  # the engine that takes the shipped weights; a board has bundles instead
PAGE = ("starlette", "uvicorn", "wsproto", "segno")  # the extra ``live``
ENGINE = "engine "  # how the names of engines' checks begin
BASE = {  # distributions and the modules that they bring, perhaps by another distribution
    "av": "av",
    "numpy": "numpy",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "rich": "rich",
    "threadpoolctl": "threadpoolctl",
    "typer": "typer",
}


@dataclass(frozen=True)
class Diagnosis:
    """All findings; ``can_track`` is the verdict."""

    checks: tuple[Check, ...]

    @property
    def can_track(self) -> bool:
        """Whether everything needed is there, and at least one engine."""
        needed = all(check.ok for check in self.checks if check.needed)
        return needed and any(check.ok for check in self._engines)

    @property
    def remedies(self) -> tuple[str, ...]:
        """What to type so that tracking works, one thing after the other; empty if it does."""
        lacking = [check.advice for check in self.checks if check.needed and not check.ok]
        if not any(check.ok for check in self._engines):
            lacking.append(" or ".join(check.advice for check in self._engines))
        return tuple(lacking)

    def to_json(self) -> dict[str, Any]:
        """What ``doctor`` answers in JSON."""
        return {
            "schema": 1,
            "complete": True,
            "can_track": self.can_track,
            "checks": [asdict(check) for check in self.checks],
            "protocol": bare_protocol(device=device()),
        }

    @property
    def _engines(self) -> list[Check]:
        return [check for check in self.checks if check.name.startswith(ENGINE)]


def diagnose() -> Diagnosis:
    """Look at this machine; nothing is changed and no model is run."""
    machine = f"{device()}, {platform.platform(terse=True)}"
    return Diagnosis(
        (
            Check("machine", True, machine),
            _python(),
            *(_library(*names) for names in BASE.items()),
            *(_engine(name) for name in known_engines()),
            *system_checks(),
            _weights(needed=TORCH in known_engines()),
            _page(),
            Check("weights' licence", True, LICENSE_NOTE, needed=False),
        )
    )


def _python() -> Check:
    ok = sys.version_info >= MINIMUM
    return Check(
        "python", ok, platform.python_version(), advice="" if ok else "install 3.10 or newer"
    )


def _library(distribution: str, module: str) -> Check:
    try:
        loaded = import_module(module)
    except ImportError as error:
        return Check(distribution, False, str(error), advice=f"pip install {distribution}")
    version = _version(distribution) or getattr(loaded, "__version__", "installed")
    return Check(distribution, True, str(version))


def _page() -> Check:
    """What ``live`` needs for its page; without it there is a window, or results alone."""
    try:
        found = [f"{name} {metadata.version(name)}" for name in PAGE]
    except metadata.PackageNotFoundError as error:
        said = f"needs {error.name}"
        return Check("live page", False, said, needed=False, advice=f"pip install {' '.join(PAGE)}")
    return Check("live page", True, ", ".join(found), needed=False)


def _engine(name: str) -> Check:
    try:
        load_opener(name)
    except EngineError as error:
        finding, _, advice = str(error).partition("; type: ")
        return Check(ENGINE + name, False, finding, needed=False, advice=advice)
    except Exception as error:  # a broken installation may raise anything while it is imported
        finding = f"cannot be loaded: {type(error).__name__}: {error}"
        advice = f"pip install --force-reinstall {name}"
        return Check(ENGINE + name, False, finding, needed=False, advice=advice)
    return Check(ENGINE + name, True, _version(name) or "installed", needed=False)


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _weights(needed: bool) -> Check:
    path = find_checkpoint("default")
    if path.is_file():
        size = path.stat().st_size / 1e6
        return Check("weights", True, f"{path.name}, {size:.1f} MB", needed)
    if not needed:
        return absent("weights", "none here: this installation runs bundles")
    return Check("weights", False, f"{path.name} is missing", advice="reinstall edge-ttvos")
