"""LiteRT (TFLite) files, by LiteRT Torch."""

from __future__ import annotations

from pathlib import Path

from edge_ttvos.targets.export.graphs import Graph

SUFFIX = ".tflite"


def export(graph: Graph, folder: Path) -> tuple[Path, ...]:
    import litert_torch

    model = litert_torch.convert(graph.module.eval(), tuple(graph.inputs.values()))
    path = folder / f"{graph.name}{SUFFIX}"
    model.export(str(path))
    return (path,)
