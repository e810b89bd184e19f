"""OpenVINO's CPU plugin."""

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

# Those of our graphs, as the plugin answers when asked (``delegation.refused_by_openvino``).
RUN = (
    "Add AvgPool Concat Convert Convolution ConvolutionBackpropData DepthToSpace FakeQuantize "
    "Gather GroupConvolution Interpolate Multiply PRelu ReduceMean Relu Reshape Sigmoid Squeeze "
    "Subtract Transpose"
)
CPU = frozenset(RUN.split())
OPSET = 15  # known to 2025.0, the oldest release that we accept


@each_operator
def taken_by_cpu(operator: Operator) -> Verdict:
    """The CPU plugin is known to run the operator."""
    return MAPS if operator.kind in CPU else UNKNOWN


@each_operator
def standard_opset(operator: Operator) -> Verdict:
    """Operators are of OpenVINO's own sets, opset15 at most: no extensions."""
    own = operator.domain == "opset" and 0 < operator.version <= OPSET
    return MAPS if own else DOES_NOT_MAP


@each_operator
def half_pixel_resize(operator: Operator) -> Verdict:
    """Maps are resized bilinearly, between the centres of pixels, as the network does it."""
    if operator.kind != "Interpolate":
        return MAPS
    mode = str(operator.attributes.get("mode"))
    where = operator.attributes.get("coordinate_transformation_mode")
    return MAPS if mode.startswith("linear") and where == "half_pixel" else DOES_NOT_MAP


CONSTRAINTS: tuple[Constraint, ...] = (
    taken_by_cpu,
    standard_opset,
    static_shapes,
    floats_or_codes,
    half_pixel_resize,
)
