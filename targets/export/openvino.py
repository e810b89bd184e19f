"""OpenVINO's intermediate representation: an XML file and its weights, by way of ONNX."""

from __future__ import annotations

import io
from pathlib import Path

from edge_ttvos.targets.export.graphs import Graph
from edge_ttvos.targets.export.onnx import serialized
from edge_ttvos.targets.export.quiet import quietly

SUFFIX = ".xml"


def export(graph: Graph, folder: Path) -> tuple[Path, ...]:
    """Write one graph, float32 weights kept as they are; the paths written.

    Raises:
        ExportError: a converter failed.
    """
    import openvino

    path = folder / f"{graph.name}{SUFFIX}"
    data = serialized(graph)
    with quietly(f"{graph.name} to OpenVINO"):
        # not convert_model, which reports to its makers over the network
        model = openvino.Core().read_model(io.BytesIO(data))
        openvino.save_model(model, path, compress_to_fp16=False)
    return (path, path.with_suffix(".bin"))
