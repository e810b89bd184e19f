"""ONNX Runtime on a CPU."""

from __future__ import annotations

from edge_ttvos.targets.constraints import (
    DOES_NOT_MAP,
    MAPS,
    UNKNOWN,
    Constraint,
    Verdict,
    each_operator,
)
from edge_ttvos.targets.operators.base import Operator
from edge_ttvos.targets.rules.every_engine import floats_or_codes, static_shapes

# Those of our graphs, as their runs show.
RUN = (
    "Add AveragePool Cast Concat Conv ConvTranspose DepthToSpace DequantizeLinear Gather "
    "GlobalAveragePool LeakyRelu QuantizeLinear ReduceMean Relu Reshape Resize Sigmoid Squeeze "
    "Transpose"
)
CPU = frozenset(RUN.split())
OPSET = 20  # what the exporter writes and the oldest release that we accept, 1.20, reads


@each_operator
def taken_by_cpu(operator: Operator) -> Verdict:
    """The CPU provider is known to run the operator."""
    return MAPS if operator.kind in CPU else UNKNOWN


@each_operator
def default_domain(operator: Operator) -> Verdict:
    """Operators are ONNX's own, of version 20 at most: no extensions."""
    own = operator.domain == "ai.onnx" and 0 < operator.version <= OPSET
    return MAPS if own else DOES_NOT_MAP


@each_operator
def self_contained(operator: Operator) -> Verdict:
    """Weights stand in the file itself: a graph that names other files is refused."""
    external = any(operand.external for operand in operator.operands)
    return DOES_NOT_MAP if external else MAPS


@each_operator
def half_pixel_resize(operator: Operator) -> Verdict:
    """Maps are resized bilinearly, between the centres of pixels, as the network does it."""
    if operator.kind != "Resize":
        return MAPS
    mode = operator.attributes.get("mode", "nearest")
    where = operator.attributes.get("coordinate_transformation_mode", "half_pixel")
    fits = mode == "linear" and where in ("half_pixel", "pytorch_half_pixel")
    return MAPS if fits else DOES_NOT_MAP


CONSTRAINTS: tuple[Constraint, ...] = (
    taken_by_cpu,
    default_domain,
    self_contained,
    static_shapes,
    floats_or_codes,
    half_pixel_resize,
)
