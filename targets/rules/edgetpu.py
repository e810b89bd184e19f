"""The Edge TPU: what its compiler maps, as far as its makers have published it.

Source: the table of supported operations and its limits (coral.ai/docs/edgetpu/models-intro), read
in mirrors of several years (developer.axis.com, ARTPEC-7, has most of the last one); what people
report of the compiler, by number, from github.com/google-coral/edgetpu/issues. Nobody outside has
the compiler's own rules: a limit that is published without its number is ``unknown`` here.
"""

from __future__ import annotations

from edge_ttvos.targets.constraints import (
    DOES_NOT_MAP,
    MAPS,
    UNKNOWN,
    Constraint,
    Verdict,
    each_operator,
)
from edge_ttvos.targets.operators.base import Operand, Operator, Shape
from edge_ttvos.targets.rules.every_engine import static_shapes

PUBLISHED = (
    "ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D EXPAND_DIMS FULLY_CONNECTED "
    "L2_NORMALIZATION LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL PACK PAD PRELU QUANTIZE "
    "REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR "
    "RESIZE_NEAREST_NEIGHBOR RSQRT SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SQUARED_DIFFERENCE SQUEEZE "
    "STRIDED_SLICE SUB SUM TANH TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM"
)
LISTED = frozenset(PUBLISHED.split())
# Listed with a limit that names no number, that no mirror shows whole, or that is not judged here.
UNCERTAIN = (
    "EXPAND_DIMS L2_NORMALIZATION PACK REDUCE_MAX REDUCE_MIN RSQRT SOFTMAX SPACE_TO_DEPTH SPLIT "
    "SQUARED_DIFFERENCE SQUEEZE SUM TRANSPOSE UNIDIRECTIONAL_SEQUENCE_LSTM"
)
OPEN = frozenset(UNCERTAIN.split())
CODES = ("int8", "uint8")
WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
UNFUSED = ("AVERAGE_POOL_2D", "CONCATENATION", "MAX_POOL_2D")
INNER = 3  # sides that may be larger than one
ALONG_MAP = {1, 2}  # axes y and x of (batch, y, x, channels)


@each_operator
def listed(operator: Operator) -> Verdict:
    """The published list names the operator, and its limits could be read in full."""
    if operator.domain != "builtin" or operator.kind not in LISTED:
        return DOES_NOT_MAP
    return UNKNOWN if operator.kind in OPEN else MAPS


@each_operator
def eight_bit_codes(operator: Operator) -> Verdict:
    """Values are 8-bit codes; whole numbers of 32 bits are biases and settings, and constant."""
    for operand in operator.operands:
        if operand.dtype == "unknown":
            return UNKNOWN
        setting = operand.constant and operand.dtype in ("int32", "int64")
        if operand.dtype not in CODES and not setting:
            return DOES_NOT_MAP
    return MAPS


@each_operator
def three_inner_sides(operator: Operator) -> Verdict:
    """Of a tensor's sides only the three inner ones are larger than 1."""
    for shape in map(_computed, operator.operands):
        if shape is None:
            return UNKNOWN
        if any(side != 1 for side in shape[:-INNER]):
            return DOES_NOT_MAP
    return MAPS


def _computed(operand: Operand) -> Shape | None:
    """A tensor's shape; of constants nothing is asked."""
    return () if operand.constant else operand.shape


@each_operator
def constant_parameters(operator: Operator) -> Verdict:
    """Weights and biases are constants."""
    if operator.kind not in WEIGHTED:
        return MAPS
    return MAPS if all(operand.constant for operand in operator.inputs[1:]) else DOES_NOT_MAP


@each_operator
def one_group(operator: Operator) -> Verdict:
    """A convolution has one group: nothing is published about several."""
    if operator.kind != "CONV_2D":
        return MAPS
    data, weights = operator.inputs[0].shape, operator.inputs[1].shape
    return MAPS if data and weights and data[-1] == weights[-1] else UNKNOWN


@each_operator
def one_dilation(operator: Operator) -> Verdict:
    """A convolution is dilated as much along x as along y."""
    wide = operator.attributes.get("dilationWFactor", 1)
    return MAPS if wide == operator.attributes.get("dilationHFactor", 1) else DOES_NOT_MAP


@each_operator
def no_fused_activation(operator: Operator) -> Verdict:
    """Pooling and concatenation have no activation inside."""
    if operator.kind not in UNFUSED:
        return MAPS
    return DOES_NOT_MAP if operator.attributes.get("fusedActivationFunction", 0) else MAPS


@each_operator
def constants_joined(operator: Operator) -> Verdict:
    """A constant is joined only to a single other input, and only if it is all zeros."""
    constants = [o for o in operator.inputs if o.constant]
    if operator.kind != "CONCATENATION" or not constants:
        return MAPS
    if len(operator.inputs) != 2 or len(constants) != 1:
        return DOES_NOT_MAP
    (constant,) = constants
    if constant.values is None or constant.codes is None:
        return UNKNOWN
    zero = set(constant.codes.zero_points)
    return MAPS if set(constant.values) <= zero and len(zero) == 1 else DOES_NOT_MAP


@each_operator
def padded_along_the_map(operator: Operator) -> Verdict:
    """Padding is along x and y only."""
    if operator.kind != "PAD":
        return MAPS
    amounts = operator.inputs[1].values
    if amounts is None or len(amounts) != 8:
        return UNKNOWN
    return DOES_NOT_MAP if any((*amounts[:2], *amounts[-2:])) else MAPS


@each_operator
def averaged_along_the_map(operator: Operator) -> Verdict:
    """Means are taken along x and y only."""
    if operator.kind != "MEAN":
        return MAPS
    axes, shape = operator.inputs[1].values, operator.inputs[0].shape
    if axes is None or shape is None or len(shape) != 4:
        return UNKNOWN
    return MAPS if {int(axis) % 4 for axis in axes} <= ALONG_MAP else DOES_NOT_MAP


@each_operator
def plain_weights(operator: Operator) -> Verdict:
    """A fully connected layer has weights of the default format and a one-dimensional output."""
    if operator.kind != "FULLY_CONNECTED":
        return MAPS
    (output,) = operator.outputs
    if output.shape is None:
        return UNKNOWN
    default = not operator.attributes.get("weightsFormat", 0)
    flat = all(side == 1 for side in output.shape[:-1])
    return MAPS if default and flat else DOES_NOT_MAP


@each_operator
def one_slope_a_channel(operator: Operator) -> Verdict:
    """PReLU's slopes are constants of one dimension."""
    if operator.kind != "PRELU":
        return MAPS
    slopes = operator.inputs[1]
    flat = slopes.constant and all(side == 1 for side in (slopes.shape or ())[:-1])
    return MAPS if flat else DOES_NOT_MAP


@each_operator
def unbroken_slices(operator: Operator) -> Verdict:
    """A strided slice takes every element of its range, and neither adds nor skips dimensions."""
    if operator.kind != "STRIDED_SLICE":
        return MAPS
    strides = operator.inputs[3].values if len(operator.inputs) > 3 else None
    if strides is None:
        return UNKNOWN
    masks = [operator.attributes.get(name, 0) for name in ("ellipsisMask", "newAxisMask")]
    return DOES_NOT_MAP if any(masks) or set(strides) != {1} else MAPS


@each_operator
def sizes_of_resizes(operator: Operator) -> Verdict:
    """Whether a map is resized depends on its size, by a rule that is not published (edgetpu #31);
    compilers before 16 were seen to refuse resizing between pixels' centres (#396)."""
    return UNKNOWN if operator.kind.startswith("RESIZE_") else MAPS


@each_operator
def sizes_of_reshapes(operator: Operator) -> Verdict:
    """A reshape that only adds or drops sides of 1 maps; whether another does depends on its size,
    by a rule that is not published."""
    if operator.kind != "RESHAPE":
        return MAPS
    shapes = [operator.inputs[0].shape, operator.outputs[0].shape]
    before, after = ([side for side in shape or () if side != 1] for shape in shapes)
    return MAPS if None not in shapes and before == after else UNKNOWN


@each_operator
def limits_of_transposed_convolutions(operator: Operator) -> Verdict:
    """Transposed convolutions are listed without a limit, but the compiler was seen to map some and
    to refuse others (edgetpu #684, #686)."""
    return UNKNOWN if operator.kind == "TRANSPOSE_CONV" else MAPS


CONSTRAINTS: tuple[Constraint, ...] = (
    listed,
    eight_bit_codes,
    static_shapes,
    three_inner_sides,
    constant_parameters,
    one_group,
    one_dilation,
    no_fused_activation,
    constants_joined,
    padded_along_the_map,
    averaged_along_the_map,
    plain_weights,
    one_slope_a_channel,
    unbroken_slices,
    sizes_of_resizes,
    sizes_of_reshapes,
    limits_of_transposed_convolutions,
)
