"""The graphs run in PyTorch, each value rounded to its codes: what every engine should compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edge_ttvos.quantize.graph import Graph, Node
from edge_ttvos.quantize.observers import fake
from edge_ttvos.quantize.scheme import Scheme, key
from edge_ttvos.quantize.weights import Kernels

Values = dict[str, Tensor]
Listener = Callable[[str, Tensor], None]


class Simulation(nn.Module):
    """Encode, embed and decode at one size, for any batch.

    Args:
        graphs: lowered for that size.
        kernels: weights and biases by layer, float or quantized.
        scheme: scales of the values; None: all stay float.
    """

    def __init__(self, graphs: Sequence[Graph], kernels: Kernels, scheme: Scheme | None) -> None:
        super().__init__()
        self.graphs = {graph.name: graph for graph in graphs}
        self.kernels = kernels
        self.scheme = scheme
        self.listen: Listener = lambda name, value: None

    def forward(self, name: str, inputs: Mapping[str, Tensor]) -> Values:
        """Run one graph.

        Args:
            name: of the graph.
            inputs: (batch, channels, height, width) float by name; rounded to their codes here.

        Returns:
            (batch, channels, height, width) float by the graph's output names.
        """
        graph = self.graphs[name]
        values: Values = {}
        for node in graph.nodes:
            value = self.value(graph, node, values, inputs)
            self.listen(key(graph, node.name), value)
            values[node.name] = self._rounded(graph, node, value)
        return {output: values[source] for output, source in graph.outputs.items()}

    def _rounded(self, graph: Graph, node: Node, value: Tensor) -> Tensor:
        codes = None if self.scheme is None else self.scheme.of(graph, node.name)
        return value if codes is None else fake(value, codes)

    def value(
        self, graph: Graph, node: Node, values: Values, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """A node's value before it is rounded, from those of its inputs."""
        taken = [values[name] for name in node.inputs]
        if node.kind == "input":
            return inputs[node.name]
        if node.kind == "constant":
            batch = next(iter(inputs.values())).shape[0]
            map_ = graph.constants[node.name].permute(2, 0, 1)
            return map_.expand(batch, *map_.shape)
        if node.kind == "conv":
            kernel, bias = self.kernels.kernel(node.name), self.kernels.bias(node.name)
            given = F.conv2d(taken[0], kernel, bias, node.stride, node.padding, 1, node.groups)
            return given.relu() if node.relu else given
        return OPERATORS[node.kind](node, taken)


def _add(node: Node, taken: list[Tensor]) -> Tensor:
    total = taken[0] + taken[1]
    return total.relu() if node.relu else total


def _resize(node: Node, taken: list[Tensor]) -> Tensor:
    return F.interpolate(taken[0], node.shape[:2], mode="bilinear", align_corners=False)


def depth_to_space(node: Node, taken: list[Tensor]) -> Tensor:
    """Channels (row, column, channel) to pixels, as ``targets.export.upsampling.interleave``."""
    batch, channels, height, width = taken[0].shape
    factor = node.stride
    cells = taken[0].view(batch, factor, factor, channels // factor**2, height, width)
    pixels = cells.permute(0, 3, 4, 1, 5, 2)
    return pixels.reshape(batch, channels // factor**2, factor * height, factor * width)


OPERATORS: dict[str, Callable[[Node, list[Tensor]], Tensor]] = {
    "add": _add,
    "concat": lambda node, taken: torch.cat([t.float() for t in taken], dim=1),
    "resize": _resize,
    "average_pool": lambda node, taken: F.avg_pool2d(taken[0], node.stride),
    "leaky_relu": lambda node, taken: F.leaky_relu(taken[0], node.slope),
    "depth_to_space": depth_to_space,
    "mean": lambda node, taken: taken[0].mean(dim=(2, 3), keepdim=True),
    "sigmoid": lambda node, taken: taken[0].sigmoid(),
}
