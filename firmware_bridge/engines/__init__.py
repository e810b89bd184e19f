"""Inference engines, found by their entry point in the group ``edge_ttvos.engines``.

An entry point names a function ``open_x(model: str, options: EngineOptions) -> Engine``. The
board's side thus runs engines that it never imports: PyTorch is announced by the host's part.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata

from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.engines.base import Engine, EngineOptions

GROUP = "edge_ttvos.engines"
EXTRAS = {"torch": "host"}  # that install an engine; others are called like it


def known_engines() -> list[str]:
    """Names of all engines that this installation announces, installed or not."""
    return sorted(entry.name for entry in metadata.entry_points(group=GROUP))


def load_opener(name: str) -> Callable[[str, EngineOptions], Engine]:
    """The function that opens models with an engine.

    Raises:
        EngineError: no such engine, or its library is not installed.
    """
    entries = {entry.name: entry for entry in metadata.entry_points(group=GROUP)}
    if name not in entries:
        raise EngineError(f"there is no engine {name!r}; known: {', '.join(sorted(entries))}")
    try:
        opener: Callable[[str, EngineOptions], Engine] = entries[name].load()
    except ImportError as error:
        extra = EXTRAS.get(name, name)
        raise EngineError(
            f"engine {name} needs {error.name or error}, which is not installed; type: "
            f"pip install 'edge-ttvos[{extra}]'"
        ) from error
    return opener


def open_engine(
    model: str = "default", engine: str | None = None, options: EngineOptions | None = None
) -> Engine:
    """Open a model with the named engine, or with the first that is installed.

    Raises:
        EngineError: no engine is installed, or the named one is not.
        ModelError: the model cannot be read.
    """
    options = options or EngineOptions()
    if engine is not None:
        return load_opener(engine)(model, options)
    problems = []
    for name in known_engines():
        try:
            opener = load_opener(name)
        except EngineError as error:
            problems.append(str(error))
            continue
        return opener(model, options)
    raise EngineError("no engine is installed: " + "; ".join(problems or ["none is announced"]))
