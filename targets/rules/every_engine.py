"""What every engine of ours wants of a graph, in any format."""

from __future__ import annotations

from edge_ttvos.targets.constraints import DOES_NOT_MAP, MAPS, UNKNOWN, Verdict, each_operator
from edge_ttvos.targets.operators.base import Operator

# What may be done to a frame's bytes; ONNX also keeps unsigned codes between its two.
BYTES = ("CAST", "Cast", "Convert", "Transpose", "QUANTIZE", "QuantizeLinear", "DequantizeLinear")
WHOLE_NUMBERS = ("int32", "int64")


@each_operator
def static_shapes(operator: Operator) -> Verdict:
    """Every side of every tensor is fixed when the graph is exported."""
    static = [operand.static for operand in operator.operands]
    if False in static:
        return DOES_NOT_MAP
    return UNKNOWN if None in static else MAPS


@each_operator
def floats_or_codes(operator: Operator) -> Verdict:
    """Values are float32 or int8 codes; bytes are only the frame's, other whole numbers only
    constants such as axes."""
    for operand in operator.operands:
        is_frame = operand.dtype == "uint8" and operator.kind in BYTES
        is_setting = operand.dtype in WHOLE_NUMBERS and operand.constant
        if operand.dtype == "unknown":
            return UNKNOWN
        if operand.dtype not in ("float32", "int8") and not is_frame and not is_setting:
            return DOES_NOT_MAP
    return MAPS
