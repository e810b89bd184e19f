"""ONNX files, by PyTorch's exporter over ``torch.export``."""

from __future__ import annotations

from pathlib import Path

import torch

from edge_ttvos.files import write_bytes
from edge_ttvos.targets.export.graphs import Graph
from edge_ttvos.targets.export.quiet import quietly

OPSET = 20
SUFFIX = ".onnx"


def export(graph: Graph, folder: Path) -> tuple[Path, ...]:
    """Write one graph as one self-contained file; the paths written.

    Raises:
        ExportError: PyTorch's exporter failed, or its result is no valid model.
        OutputError: the file cannot be written.
    """
    path = folder / f"{graph.name}{SUFFIX}"
    write_bytes(path, serialized(graph))
    return (path,)


def serialized(graph: Graph) -> bytes:
    """The graph as an ONNX model, checked; its inputs and outputs have the graph's names.

    Raises:
        ExportError: as ``export``.
    """
    import onnx
    import onnxscript  # noqa: F401 - the exporter's own need, missed here by its name

    with quietly(f"{graph.name} to ONNX"):
        program = torch.onnx.export(
            graph.module.eval(),
            tuple(graph.inputs.values()),
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        assert program is not None
        model = program.model_proto
        onnx.checker.check_model(model, full_check=True)
        data: bytes = model.SerializeToString()
    return data
