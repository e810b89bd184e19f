"""Readers of graph files, one a format: ``read(path)`` lists the operators in order.

A reader takes no engine's word for what a file holds: LiteRT's is read by its schema, ONNX by its
own library with inferred shapes, OpenVINO's by the library that also runs it.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from edge_ttvos.errors import EngineError, ModelError
from edge_ttvos.targets.operators.base import Operators

READERS = {".tflite": "tflite", ".onnx": "onnx", ".xml": "openvino"}  # modules by suffix


def read_operators(path: Path) -> Operators:
    """All operators of a graph file, of its subgraphs too.

    Raises:
        ModelError: no such format, or the file is damaged or missing.
        EngineError: the library that reads the format is not installed.
    """
    if path.suffix not in READERS:
        raise ModelError(f"a graph is one of {', '.join(READERS)}; got {path.name}")
    reader = import_module(f"{__name__}.{READERS[path.suffix]}")
    try:
        operators: Operators = reader.read(path)
    except ModuleNotFoundError as error:
        raise EngineError(
            f"reading {path.suffix} files needs {error.name}, which is not installed; type: "
            "pip install 'edge-ttvos[host]'"
        ) from error
    except Exception as error:  # each library raises its own
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(f"{path} cannot be read as {path.suffix}: {lines[0]}") from error
    return operators
