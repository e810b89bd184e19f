"""LiteRT on a CPU: what XNNPACK takes, and what it takes at full speed."""

from __future__ import annotations

from edge_ttvos.targets.constraints import (
    DOES_NOT_MAP,
    MAPS,
    UNKNOWN,
    Constraint,
    Verdict,
    each_operator,
    whole_graph,
)
from edge_ttvos.targets.operators.base import Operator, Operators
from edge_ttvos.targets.rules.every_engine import floats_or_codes, static_shapes

# The float32 list of XNNPACK's delegate (tensorflow/lite/delegates/xnnpack/README.md), and
# CONCATENATION and TRANSPOSE, which the interpreter shows it to take.
TAKEN = (
    "ABS ADD AVERAGE_POOL_2D CEIL CONCATENATION CONV_2D DEPTH_TO_SPACE DEPTHWISE_CONV_2D "
    "DEQUANTIZE DIV ELU FLOOR FULLY_CONNECTED HARD_SWISH LEAKY_RELU LOGISTIC MAX_POOL_2D MAXIMUM "
    "MEAN MINIMUM MUL NEG PAD PRELU QUANTIZE RELU RELU6 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR "
    "ROUND SOFTMAX SQRT SQUARE SQUARED_DIFFERENCE SUB TRANSPOSE TRANSPOSE_CONV"
)
XNNPACK = frozenset(TAKEN.split())
FLOATS_ONLY = ("AVERAGE_POOL_2D", "PRELU")  # of those: codes are left to LiteRT, which shows it
KEEPING = "ASSIGN_VARIABLE CALL CALL_ONCE HASHTABLE IF READ_VARIABLE VAR_HANDLE WHILE"
STATEFUL = frozenset(KEEPING.split())
STATEFUL_DTYPES = frozenset(("resource", "string", "variant"))
FUSED = frozenset((0, 1, 2, 3))  # of schema.ActivationFunctionType: none, ReLU, −1 to 1, ReLU6
MOST_SIDES = 6  # of a transpose
MOST_TRANSPOSES = 4  # a graph: one for each map that decode doubles or quadruples


@each_operator
def taken_by_xnnpack(operator: Operator) -> Verdict:
    """XNNPACK runs the operator; only what turns the frame's bytes into floats or codes is left to
    LiteRT's own kernels."""
    if operator.domain != "builtin":
        return DOES_NOT_MAP
    if operator.kind == "CAST":
        return MAPS if operator.inputs[0].dtype == "uint8" else UNKNOWN
    if operator.kind in FLOATS_ONLY and operator.inputs[0].dtype != "float32":
        return DOES_NOT_MAP
    return MAPS if operator.kind in XNNPACK else UNKNOWN


@each_operator
def fused_activation(operator: Operator) -> Verdict:
    """An activation inside another operator is ReLU, ReLU6 or ReLU from −1 to 1."""
    return MAPS if operator.attributes.get("fusedActivationFunction", 0) in FUSED else DOES_NOT_MAP


@each_operator
def half_pixel_resize(operator: Operator) -> Verdict:
    """Maps are resized bilinearly, between the centres of pixels, as the network does it."""
    if not operator.kind.startswith("RESIZE_"):
        return MAPS
    at_centres = operator.attributes.get("halfPixelCenters")
    if at_centres is None:
        return UNKNOWN
    corners = operator.attributes.get("alignCorners")
    return MAPS if at_centres and not corners and "BILINEAR" in operator.kind else DOES_NOT_MAP


@each_operator
def no_transposed_convolution(operator: Operator) -> Verdict:
    """No transposed convolution whose windows overlap: a 3×3 convolution and an interleaving of its
    channels compute the same several times faster."""
    if operator.kind != "TRANSPOSE_CONV":
        return MAPS
    sides = (operator.inputs[1].shape or ())[1:3]
    steps = tuple(operator.attributes.get(name) for name in ("strideH", "strideW"))
    return MAPS if sides == steps else DOES_NOT_MAP


@each_operator
def six_sided_transpose(operator: Operator) -> Verdict:
    """A transpose has at most six dimensions."""
    if operator.kind != "TRANSPOSE":
        return MAPS
    if (shape := operator.inputs[0].shape) is None:
        return UNKNOWN
    return MAPS if len(shape) <= MOST_SIDES else DOES_NOT_MAP


@each_operator
def no_memory(operator: Operator) -> Verdict:
    """A graph keeps nothing from run to run and takes no branches: no variables, resources,
    strings, conditions or loops."""
    variable = any(o.variable or o.dtype in STATEFUL_DTYPES for o in operator.operands)
    return DOES_NOT_MAP if variable or operator.kind in STATEFUL else MAPS


@whole_graph
def no_stray_transposes(operators: Operators) -> Verdict:
    """At most four transposes a graph, those that interleave channels: more were left over by the
    change to channel-last."""
    count = sum(operator.kind == "TRANSPOSE" for operator in operators)
    return MAPS if count <= MOST_TRANSPOSES else DOES_NOT_MAP


CONSTRAINTS: tuple[Constraint, ...] = (
    taken_by_xnnpack,
    static_shapes,
    floats_or_codes,
    fused_activation,
    half_pixel_resize,
    no_transposed_convolution,
    six_sided_transpose,
    no_memory,
    no_stray_transposes,
)
