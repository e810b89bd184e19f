"""Exporters, one file a format: ``export(graph, folder)`` writes ``SUFFIX`` and what goes with it.

By the engine that reads the format.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from edge_ttvos.errors import EngineError, ExportError
from edge_ttvos.targets.export.graphs import Graph

FORMATS = {"litert": "litert", "onnxruntime": "onnx", "openvino": "openvino", "tensorrt": "onnx"}
NEEDED = {"litert": "litert-torch", "onnx": "onnx onnxscript", "openvino": "openvino"}


def exporter(engine: str) -> Callable[[Graph, Path], tuple[Path, ...]]:
    """What writes graphs for an engine.

    Raises:
        ExportError: no format is known for it.
    """
    if engine not in FORMATS:
        raise ExportError(f"nothing exports for engine {engine!r}; known: {', '.join(FORMATS)}")
    export: Callable[[Graph, Path], tuple[Path, ...]]
    export = import_module(f"edge_ttvos.targets.export.{FORMATS[engine]}").export

    def guarded(graph: Graph, folder: Path) -> tuple[Path, ...]:
        try:
            return export(graph, folder)
        except ModuleNotFoundError as error:
            raise EngineError(
                f"exporting for {engine} needs {error.name}, which is not installed; type: "
                f"pip install {NEEDED[FORMATS[engine]]}"
            ) from error

    return guarded
