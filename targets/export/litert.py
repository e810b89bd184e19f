"""LiteRT (TFLite) files, by LiteRT Torch."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from edge_ttvos.targets.export.graphs import Graph
from edge_ttvos.targets.export.quiet import quietly

SUFFIX = ".tflite"


def export(graph: Graph, folder: Path) -> tuple[Path, ...]:
    """Write one graph; the paths written.

    Raises:
        ExportError: the converter failed.
    """
    path = folder / f"{graph.name}{SUFFIX}"
    with quietly(f"{graph.name} to LiteRT"):
        import litert_torch

        model = litert_torch.convert(Named(graph).eval(), sample_kwargs=graph.inputs)
        model.export(str(path))
    return (path,)


class Named(nn.Module):
    """A graph that gives its outputs by name: LiteRT keeps the names of a dictionary."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.module = graph.module
        self.names = graph.outputs

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        return dict(zip(self.names, self.module(**inputs), strict=True))
