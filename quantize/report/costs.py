"""What a point costs wherever it runs: bytes of its weights, MACs × bits of a frame."""

from __future__ import annotations

from collections.abc import Sequence

from edge_ttvos.quantize.graph import Graph, Node, macs
from edge_ttvos.quantize.recipe import Recipe
from edge_ttvos.quantize.scheme import Scheme

FLOAT = 32  # bits of a float
BYTE = 8


def size_bytes(graphs: Sequence[Graph], recipe: Recipe | None) -> int:
    """Kernels at their bits, float32 scales (one an output channel or one in all) and biases."""
    bits = sum(_layer_bits(graph, node, recipe) for graph in graphs for node in graph.layers)
    return -(-bits // BYTE)


def _layer_bits(graph: Graph, node: Node, recipe: Recipe | None) -> int:
    weight = graph.weights[node.name]
    biases = len(graph.biases.get(node.name, ())) * FLOAT
    if recipe is None or node.name in recipe.float_layers:
        return weight.numel() * FLOAT + biases
    scales = len(weight) if recipe.per_channel else 1
    return weight.numel() * recipe.weights + scales * FLOAT + biases


def mac_bits(graphs: Sequence[Graph], recipe: Recipe | None, scheme: Scheme | None) -> int:
    """Sum over layers of MACs × bits of the kernel × bits of the layer's input; float counts 32.

    One frame with one object, at the graphs' size; the float arithmetic between graphs is left out.
    """
    total = 0
    for graph in graphs:
        for node in graph.layers:
            codes = None if scheme is None else scheme.of(graph, node.inputs[0])
            exact = recipe is None or node.name in recipe.float_layers
            weights = FLOAT if recipe is None or exact else recipe.weights
            total += macs(graph, node) * weights * (FLOAT if codes is None else codes.bits)
    return total
