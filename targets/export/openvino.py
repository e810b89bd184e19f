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
    path = folder / f"{graph.name}{SUFFIX}"
    data = serialized(graph)
    with quietly(f"{graph.name} to OpenVINO"):
        write_representation(data, path)
    return (path, path.with_suffix(".bin"))


def write_representation(data: bytes, path: Path) -> None:
    """An ONNX model as an XML file and, beside it, its weights as they are.

    Shapes that the reader computes from other shapes are folded here: it leaves them in the graph
    on some processors (AVX-512) and not on others.
    """
    import openvino
    from openvino.passes import ConstantFolding, Manager

    # not convert_model, which reports to its makers over the network
    model = openvino.Core().read_model(io.BytesIO(data))
    manager = Manager()
    manager.register_pass(ConstantFolding())
    manager.run_passes(model)
    openvino.save_model(model, path, compress_to_fp16=False)
