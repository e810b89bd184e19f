"""Inference engines, found by their entry point in the group ``edge_ttvos.engines``.

An entry point names a function ``open_x(model: str, options: EngineOptions) -> Engine``. The
board's side thus runs engines that it never imports: PyTorch is announced by the host's part.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.bundle.reader import is_bundle, open_bundle
from edge_ttvos.firmware_bridge.engines.base import FALLBACKS, Engine, EngineOptions
from edge_ttvos.firmware_bridge.notices import tell
from edge_ttvos.weights import find_model

GROUP = "edge_ttvos.engines"
CHECKPOINTS = "torch"  # the engine that runs them
# What to type for an engine, on a board too, where no index has this package itself.
COMMANDS = {
    "litert": "pip install ai-edge-litert",
    "tensorrt": "sudo apt install python3-libnvinfer",
    "torch": "pip install 'edge-ttvos[host]'",
}  # others: pip install and their own name


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
        raise EngineError(
            f"engine {name} needs {error.name or error}, which is not installed; type: "
            f"{COMMANDS.get(name, f'pip install {name}')}"
        ) from error
    return opener


def open_engine(
    model: str = "default", engine: str | None = None, options: EngineOptions | None = None
) -> Engine:
    """Open a model with the named engine, or with the one that it was made for.

    Raises:
        EngineError: the engine is not installed, or does not run this model.
        ModelError: the model cannot be read.
    """
    model = find_model(model)
    return load_opener(engine or engine_of(model))(model, options or EngineOptions())


def open_engines(
    model: str = "default", engine: str | None = None, options: EngineOptions | None = None
) -> tuple[Engine, ...]:
    """Open a model at every size that it has, or at the one of ``options``.

    Raises:
        EngineError, ModelError: as ``open_engine``.
    """
    options, model = options or EngineOptions(), find_model(model)
    if options.size is not None or not is_bundle(Path(model)):
        return (open_engine(model, engine, options),)
    with open_bundle(Path(model)) as bundle:
        engine, sizes = engine or runner_of(bundle.manifest.engine), bundle.manifest.sizes
    with ExitStack() as opened:
        engines = []
        for size in sizes:
            engines.append(open_engine(model, engine, replace(options, size=size)))
            opened.callback(engines[-1].close)
        opened.pop_all()
    return tuple(engines)


def runner_of(engine: str) -> str:
    """The engine itself, or the first installed one that stands in for it.

    Where none is installed the engine itself: opening it says what to type.
    """
    for name in (engine, *FALLBACKS.get(engine, ())):
        try:
            load_opener(name)
        except EngineError:
            continue
        if name != engine:
            tell(f"engine {engine} is not installed: {name} stands in for it")
        return name
    return engine


def engine_of(model: str) -> str:
    """The engine that runs a bundle here; checkpoints are run by PyTorch.

    Raises:
        BundleError: a bundle that is damaged, unsafe or newer than this version.
    """
    if not is_bundle(Path(model)):
        return CHECKPOINTS
    with open_bundle(Path(model)) as bundle:
        return runner_of(bundle.manifest.engine)
