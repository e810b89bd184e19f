"""A static graph as a short list of operators on channel-last maps: what is simulated and exported.

Batch normalisation is folded and ReLU is part of the operator before it, as on every target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Kind = Literal[
    "input",
    "constant",
    "conv",
    "add",
    "concat",
    "resize",
    "average_pool",
    "leaky_relu",
    "depth_to_space",
    "mean",
    "sigmoid",
]

# What these give has the range of what they take: they share its scale.
SAME_SCALE = ("resize", "average_pool", "depth_to_space")


@dataclass(frozen=True)
class Node:
    """One operator and the value that it gives, (height, width, channels).

    Attributes:
        name: unique in its graph; a convolution's is its layer's, ``backbone.stem.1.0``.
        kind: what it does.
        inputs: names of nodes.
        shape: of its value at the size that the graph was lowered for.
        stride: of a convolution; factor of ``depth_to_space``; 8 means that ``resize`` gives 1/8.
        padding: of a convolution, on all four sides, pixels.
        groups: of a convolution.
        relu: whether negative values become 0 afterwards.
        slope: of ``leaky_relu`` below 0.
    """

    name: str
    kind: Kind
    inputs: tuple[str, ...]
    shape: tuple[int, int, int]
    stride: int = 1
    padding: int = 0
    groups: int = 1
    relu: bool = False
    slope: float = 0.0


@dataclass(frozen=True)
class Graph:
    """Encode, embed or decode.

    Attributes:
        name: ``encode``, ``embed`` or ``decode``.
        nodes: in the order of their running.
        outputs: the graph's output names and the nodes that give them.
        weights: kernels (out, in / groups, kh, kw) by layer.
        biases: (out,) by layer; absent where the layer has none.
        constants: (height, width, channels) by node.
    """

    name: str
    nodes: tuple[Node, ...]
    outputs: Mapping[str, str]
    weights: Mapping[str, Tensor]
    biases: Mapping[str, Tensor]
    constants: Mapping[str, Tensor]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the graph's inputs, in order."""
        return tuple(node.name for node in self.nodes if node.kind == "input")

    @property
    def layers(self) -> tuple[Node, ...]:
        """The convolutions."""
        return tuple(node for node in self.nodes if node.kind == "conv")

    def node(self, name: str) -> Node:
        """The node of a name."""
        return next(node for node in self.nodes if node.name == name)

    def users(self, name: str) -> tuple[Node, ...]:
        """Nodes that take the value of another."""
        return tuple(node for node in self.nodes if name in node.inputs)


def macs(graph: Graph, node: Node) -> int:
    """Multiply-accumulate operations of a convolution at the graph's size; 0 for others."""
    if node.kind != "conv":
        return 0
    height, width, channels = node.shape
    return height * width * channels * graph.weights[node.name][0].numel()
