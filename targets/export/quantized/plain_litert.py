"""Integer TFLite files of operators that every accelerator knows, with the codes of the others.

- A group convolution is a dense one whose codes are 0 between the groups: the same sums.
- LeakyReLU is PReLU with its one slope, the largest code, for each channel.
- An interleaving of channels is a transposed convolution whose windows do not overlap and whose
  weights pick one channel for each pixel: every sum has one term, the code itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray
from torch import Tensor

from edge_ttvos.contracts import Quantization
from edge_ttvos.files import write_bytes
from edge_ttvos.quantize.graph import Graph, Node
from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.targets.export.plain import block_diagonal
from edge_ttvos.targets.export.quantized.litert import OPERATORS, SUFFIX, Writer
from edge_ttvos.targets.export.quantized.tflite_model import Options

PLAIN = {**OPERATORS, "leaky_relu": ("PRELU", 1), "depth_to_space": ("TRANSPOSE_CONV", 2)}
LARGEST = 127  # of the codes of weights


def export(model: QuantizedModel, graph: Graph, folder: Path) -> tuple[Path, ...]:
    """Write one graph; the paths written.

    Raises:
        OutputError: the file cannot be written.
    """
    path = folder / f"{graph.name}{SUFFIX}"
    write_bytes(path, PlainWriter(model, graph).serialized())
    return (path,)


class PlainWriter(Writer):
    """As ``Writer``, in plain operators."""

    operators = PLAIN

    def _kernel(self, node: Node, codes: Quantization | None) -> Tensor:
        return block_diagonal(super()._kernel(node, codes), node.groups)

    def _leaky_relu(self, node: Node, taken: list[int], codes: Quantization | None) -> Options:
        name, shape = f"{node.name}.slopes", (1, 1, node.shape[-1])
        if codes is None:
            slopes = self.flat.constant(name, np.full(shape, node.slope, np.float32))
        else:
            scale = Quantization(node.slope / LARGEST, 0)
            slopes = self.flat.constant(name, np.full(shape, LARGEST, np.int8), scale)
        taken.append(slopes)
        return "NONE", None

    def _depth_to_space(self, node: Node, taken: list[int], codes: Quantization | None) -> Options:
        factor, channels = node.stride, node.shape[-1]
        picks, name = picking(factor, channels), f"{node.name}.picks"
        if codes is None:
            kernel = self.flat.constant(name, picks.astype(np.float32))
        else:
            kernel = self.flat.kernel(name, picks, np.ones(channels, np.float32))
        shape = self.flat.constant(f"{node.name}.shape", np.array([1, *node.shape], np.int32))
        taken[:] = [shape, kernel, *taken]
        options = schema.TransposeConvOptionsT()
        options.padding = schema.Padding.VALID
        options.strideH = options.strideW = factor
        return "TransposeConvOptions", options


def picking(factor: int, channels: int) -> NDArray[np.int8]:
    """Weights (out, row, column, in) that give pixel (a, b) of a cell the channels of phase (a, b).

    Channels come as (row phase, column phase, channel).
    """
    phases = np.eye(factor**2 * channels, dtype=np.int8)
    return phases.reshape(factor, factor, channels, -1).transpose(2, 0, 1, 3).copy()
