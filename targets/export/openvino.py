"""OpenVINO's intermediate representation: an XML file and its weights."""

from __future__ import annotations

import io
from pathlib import Path

from edge_ttvos.targets.export.graphs import Graph
from edge_ttvos.targets.export.onnx import serialized

SUFFIX = ".xml"


def export(graph: Graph, folder: Path) -> tuple[Path, ...]:
    """Write one graph, float32 weights kept as they are; the paths written.

    Raises:
        OutputError: a file cannot be written.
    """
    import openvino

    model = openvino.convert_model(io.BytesIO(serialized(graph)))
    path = folder / f"{graph.name}{SUFFIX}"
    openvino.save_model(model, path, compress_to_fp16=False)
    return (path, path.with_suffix(".bin"))
