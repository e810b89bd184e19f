"""Quantized graphs as engines' files, one file a format: ``export(model, graph, folder)``.

What is simulated is what is written: an operator whose values all have codes runs on integers, any
other on floats between a dequantization and, where its own value has codes, a quantization.
"""

from __future__ import annotations

from edge_ttvos.quantize.graph import Graph, Node
from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.quantize.scheme import key


def on_integers(model: QuantizedModel, graph: Graph, node: Node) -> bool:
    """Whether a node's operator takes codes and gives codes."""
    values = model.scheme.values
    coded = all(key(graph, name) in values for name in (*node.inputs, node.name))
    return coded and node.name not in model.recipe.float_layers
