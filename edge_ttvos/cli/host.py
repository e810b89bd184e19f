"""The host's part of the package, which needs PyTorch: imported when a verb needs it."""

from __future__ import annotations

import importlib
from typing import Any

from edge_ttvos.cli.process import held
from edge_ttvos.errors import EngineError


def host_modules(purpose: str, *names: str, extra: str = "host") -> tuple[Any, ...]:
    """Modules of ``edge_ttvos``, in the order of their names.

    Args:
        purpose: what needs them, for people: "training".
        names: as in ``targets.deploy``.
        extra: of the package, which brings what they import.

    Raises:
        EngineError: something that they import is not installed.
    """
    try:
        with held():
            return tuple(importlib.import_module(f"edge_ttvos.{name}") for name in names)
    except ImportError as error:
        raise EngineError(
            f"{purpose} needs {error.name}, which is not installed; type: "
            f"pip install 'edge-ttvos[{extra}]'"
        ) from error
