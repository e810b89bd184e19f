"""OpenVINO's intermediate representation of quantized graphs, by way of ONNX Q/DQ."""

from __future__ import annotations

from pathlib import Path

from edge_ttvos.quantize.graph import Graph
from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.targets.export.openvino import write_representation
from edge_ttvos.targets.export.quantized.onnx import serialized
from edge_ttvos.targets.export.quiet import quietly

SUFFIX = ".xml"


def export(model: QuantizedModel, graph: Graph, folder: Path) -> tuple[Path, ...]:
    """Write one graph, kernels as int8; the paths written.

    Raises:
        ExportError: the converter failed.
    """
    path = folder / f"{graph.name}{SUFFIX}"
    data = serialized(model, graph)
    with quietly(f"{graph.name} to OpenVINO"):
        write_representation(data, path)
    return (path, path.with_suffix(".bin"))
