"""The folder of scripts and, of those in Python, what they define."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def scripts(root: Path) -> Path:
    """Where the scripts stand."""
    return root / "tools" / "arm64"


@pytest.fixture
def load(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a script by its name without the suffix."""

    def imported(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"arm64_{name}", scripts / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # dataclasses look their module up by name
        monkeypatch.setitem(sys.modules, module.__name__, module)
        spec.loader.exec_module(module)
        return module

    return imported
