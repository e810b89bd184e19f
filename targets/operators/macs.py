"""Multiply-accumulates of LiteRT's operators, by their shapes."""

from __future__ import annotations

import math
from collections.abc import Callable

from edge_ttvos.targets.operators.base import Operator, Shape


def macs(operator: Operator) -> int:
    """Multiply-accumulates of one run; 0 for what multiplies no matrix and convolves nothing.

    Raises:
        ValueError: a shape is not fixed.
    """
    count = COUNTS.get(operator.kind)
    return 0 if count is None else count(operator)


def _convolution(operator: Operator) -> int:
    """Weights are (outputs, kh, kw, inputs of a group)."""
    return math.prod(_shape(operator.outputs[0].shape)) * math.prod(_weights(operator)[1:])


def _depthwise(operator: Operator) -> int:
    """Weights are (1, kh, kw, outputs)."""
    return math.prod(_shape(operator.outputs[0].shape)) * math.prod(_weights(operator)[1:3])


def _transposed(operator: Operator) -> int:
    """Weights are (outputs, kh, kw, inputs); every input meets the whole kernel."""
    outputs, height, width, _ = _weights(operator)
    return math.prod(_shape(operator.inputs[2].shape)) * outputs * height * width


def _dense(operator: Operator) -> int:
    """Weights are (outputs, inputs)."""
    return math.prod(_shape(operator.outputs[0].shape)) * _weights(operator)[-1]


def _product(operator: Operator) -> int:
    """Every output is a sum over the last side of the first matrix, unless that is transposed."""
    side = -2 if operator.attributes.get("adjX") else -1
    return math.prod(_shape(operator.outputs[0].shape)) * _shape(operator.inputs[0].shape)[side]


def _weights(operator: Operator) -> Shape:
    return _shape(operator.inputs[1].shape)


def _shape(shape: Shape | None) -> Shape:
    if shape is None or any(side < 0 for side in shape):
        raise ValueError(f"multiply-accumulates are counted of fixed shapes; got {shape}")
    return shape


COUNTS: dict[str, Callable[[Operator], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed,
    "FULLY_CONNECTED": _dense,
    "BATCH_MATMUL": _product,
}
