"""LiteRT (TFLite) files, by LiteRT Torch, in a process of its own.

The converter loads JAX, whose threads stay: a process that had loaded it could not fork any more,
and one that trained afterwards crashed in its data workers. So it comes and goes with each graph.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from edge_ttvos.errors import ExportError
from edge_ttvos.targets.export.graphs import Graph
from edge_ttvos.targets.export.quiet import LAST_WORDS

SUFFIX = ".tflite"
CONVERTER = "litert_torch"


def export(graph: Graph, folder: Path) -> tuple[Path, ...]:
    """Write one graph; the paths written.

    Raises:
        ExportError: the converter failed; with the last that it said.
        ModuleNotFoundError: it is not installed.
    """
    if find_spec(CONVERTER) is None:
        raise ModuleNotFoundError(f"No module named {CONVERTER!r}", name=CONVERTER)
    path = folder / f"{graph.name}{SUFFIX}"
    with tempfile.TemporaryDirectory() as handed:
        given = Path(handed, graph.name)
        torch.save(graph, given)
        command = [sys.executable, "-m", __name__, str(given), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = done.stderr.strip()[-LAST_WORDS:]
        raise ExportError(f"{graph.name} to LiteRT cannot be exported: {words}")
    return (path,)


def convert(given: str, path: str) -> None:
    """Read a graph that ``export`` has saved, and write it in LiteRT's format."""
    import litert_torch

    graph: Graph = torch.load(given, weights_only=False)
    model = litert_torch.convert(Named(graph).eval(), sample_kwargs=graph.inputs)
    model.export(path)


class Named(nn.Module):
    """A graph that gives its outputs by name: LiteRT keeps the names of a dictionary."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.module = graph.module
        self.names = graph.outputs

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        return dict(zip(self.names, self.module(**inputs), strict=True))


if __name__ == "__main__":
    convert(*sys.argv[1:])
