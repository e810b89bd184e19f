"""TensorRT 10 and 11: what their ONNX parser takes, and how quantized graphs must be written.

Sources: docs.nvidia.com/deeplearning/tensorrt (working with quantized types; data types),
onnx-tensorrt's list of operators, and the faults that people report by number:
github.com/NVIDIA/TensorRT 4021, 4366; microsoft/onnxruntime 14229.
"""

from __future__ import annotations

from edge_ttvos.targets.constraints import (
    DOES_NOT_MAP,
    MAPS,
    UNKNOWN,
    Constraint,
    Verdict,
    each_operator,
    wired_operator,
)
from edge_ttvos.targets.operators.base import Operand, Operator
from edge_ttvos.targets.operators.wiring import Wiring
from edge_ttvos.targets.rules.every_engine import WHOLE_NUMBERS, static_shapes
from edge_ttvos.targets.rules.onnxruntime import (
    default_domain,
    half_pixel_resize,
    self_contained,
)

PARSED = (
    "Add AveragePool Cast Clip Concat Constant Conv ConvTranspose DepthToSpace DequantizeLinear "
    "Div Gather Gemm GlobalAveragePool Identity LeakyRelu MatMul MaxPool Mul PRelu Pad "
    "QuantizeLinear ReduceMean Relu Reshape Resize Sigmoid Slice Softmax Squeeze Sub Transpose "
    "Unsqueeze"
)
TAKEN = frozenset(PARSED.split())
QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"
CODING = (QUANTIZE, DEQUANTIZE)
MOVING = ("Reshape", "Transpose")
LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")  # whose second input is their weights
WEIGHTS = 1


@each_operator
def taken_by_parser(operator: Operator) -> Verdict:
    """TensorRT's ONNX parser is known to take the operator."""
    return MAPS if operator.kind in TAKEN else UNKNOWN


@each_operator
def bytes_only_cast(operator: Operator) -> Verdict:
    """The frame's bytes go into a Cast to floats and nowhere else: TensorRT has uint8 at the border
    of a network only."""
    if operator.kind in CODING or all(o.dtype != "uint8" for o in operator.operands):
        return MAPS
    cast = operator.kind == "Cast" and operator.outputs[0].dtype == "float32"
    return MAPS if cast else DOES_NOT_MAP


@each_operator
def known_types(operator: Operator) -> Verdict:
    """Values are float32, or codes between a Q and a DQ; whole numbers are settings, and constant.
    Whether codes may be transposed and reshaped in between could not be read."""
    moved = False
    for operand in operator.operands:
        if operand.dtype == "unknown":
            return UNKNOWN
        setting = operand.constant and operand.dtype in WHOLE_NUMBERS
        codes = operator.kind in CODING or operand.dtype == "uint8"
        if operator.kind in MOVING and operand.dtype == "int8":
            codes = moved = True
        if operand.dtype != "float32" and not setting and not codes:
            return DOES_NOT_MAP
    return UNKNOWN if moved else MAPS


@each_operator
def symmetric(operator: Operator) -> Verdict:
    """Codes are symmetric: every zero point is the constant 0."""
    if operator.kind not in CODING or len(operator.inputs) < 3:
        return MAPS
    point = operator.inputs[2]
    if not point.constant:
        return DOES_NOT_MAP
    if point.values is None:
        return UNKNOWN
    return DOES_NOT_MAP if any(point.values) else MAPS


@each_operator
def signed_codes(operator: Operator) -> Verdict:
    """Activations and weights are int8: unsigned codes are not taken."""
    codes = _codes(operator)
    if codes is None or codes.dtype in ("int8", "int32"):  # int32: float_biases
        return MAPS
    return UNKNOWN if codes.dtype == "unknown" else DOES_NOT_MAP


@each_operator
def float_biases(operator: Operator) -> Verdict:
    """Biases stay in float32: TensorRT dequantizes no int32."""
    codes = _codes(operator)
    return DOES_NOT_MAP if codes is not None and codes.dtype == "int32" else MAPS


@each_operator
def constant_scales(operator: Operator) -> Verdict:
    """Scales are constants above 0."""
    if operator.kind not in CODING:
        return MAPS
    scale = operator.inputs[1]
    if not scale.constant:
        return DOES_NOT_MAP
    if scale.values is None:
        return UNKNOWN
    return MAPS if all(value > 0 for value in scale.values) else DOES_NOT_MAP


@wired_operator
def one_scale_an_activation(operator: Operator, wiring: Wiring) -> Verdict:
    """An activation has one scale; only weights have one for each channel."""
    if operator.kind not in CODING or _of_weights(operator, wiring):
        return MAPS
    shape = operator.inputs[1].shape
    if shape is None:
        return UNKNOWN
    return MAPS if shape in ((), (1,)) else DOES_NOT_MAP


@wired_operator
def one_scale_a_channel(operator: Operator, wiring: Wiring) -> Verdict:
    """Weights have a scale for each output channel."""
    decoder = _weights_decoder(operator, wiring)
    if decoder is None:
        return MAPS
    weights, scale = operator.inputs[WEIGHTS].shape, decoder.inputs[1].shape
    grouped = operator.attributes.get("group", 1) != 1 and operator.kind == "ConvTranspose"
    if weights is None or scale is None or grouped:  # its outputs lie along two sides
        return UNKNOWN
    axis = _output_axis(operator, len(weights))
    right = scale == (weights[axis],) and _axis(decoder, len(weights)) == axis
    return MAPS if right else DOES_NOT_MAP


@wired_operator
def both_or_neither(operator: Operator, wiring: Wiring) -> Verdict:
    """A layer gets both its data and its weights from a DQ, or neither: what becomes of one alone
    is not published."""
    if operator.kind not in LAYERS:
        return MAPS
    makers = [wiring.maker(operand) for operand in operator.inputs[: WEIGHTS + 1]]
    decoded = [maker is not None and maker.kind == DEQUANTIZE for maker in makers]
    return MAPS if len(set(decoded)) == 1 else UNKNOWN


@wired_operator
def weights_straight_from_dq(operator: Operator, wiring: Wiring) -> Verdict:
    """Dequantized constants go straight into a layer, as its weights; of others, joined to
    values, nothing is published."""
    if operator.kind != DEQUANTIZE or not _of_weights(operator, wiring):
        return MAPS
    readers = wiring.readers(operator.outputs[0])
    if all(reader.kind == "Concat" for reader, _ in readers):
        return UNKNOWN
    straight = all(reader.kind in LAYERS and index >= WEIGHTS for reader, index in readers)
    return MAPS if straight else DOES_NOT_MAP


@wired_operator
def codes_only_decoded(operator: Operator, wiring: Wiring) -> Verdict:
    """What a Q gives is read by a DQ and nothing else, unless the graph gives it away."""
    if operator.kind != QUANTIZE:
        return MAPS
    kinds = {reader.kind for reader, _ in wiring.readers(operator.outputs[0])}
    if kinds <= {DEQUANTIZE}:
        return MAPS
    return UNKNOWN if kinds <= {DEQUANTIZE, *MOVING} else DOES_NOT_MAP


def _codes(operator: Operator) -> Operand | None:
    """The codes that a Q gives or a DQ reads."""
    if operator.kind == QUANTIZE:
        return operator.outputs[0]
    return operator.inputs[0] if operator.kind == DEQUANTIZE else None


def _of_weights(operator: Operator, wiring: Wiring) -> bool:
    """Whether a Q or DQ codes a constant, if need be by the Q before it."""
    source = operator.inputs[0]
    maker = wiring.maker(source)
    return source.constant or (maker is not None and maker.inputs[0].constant)


def _weights_decoder(operator: Operator, wiring: Wiring) -> Operator | None:
    if operator.kind not in LAYERS:
        return None
    maker = wiring.maker(operator.inputs[WEIGHTS])
    coded = maker is not None and maker.kind == DEQUANTIZE and _of_weights(maker, wiring)
    return maker if coded else None


def _output_axis(layer: Operator, sides: int) -> int:
    """Of the weights: (o, i, kh, kw), (i, o, kh, kw), (o, i) if transposed, else (…, i, o)."""
    if layer.kind == "Conv" or (layer.kind == "Gemm" and layer.attributes.get("transB", 0)):
        return 0
    return 1 if layer.kind == "ConvTranspose" else sides - 1


def _axis(decoder: Operator, sides: int) -> int:
    return int(decoder.attributes.get("axis", 1)) % sides


CONSTRAINTS: tuple[Constraint, ...] = (
    taken_by_parser,
    default_domain,
    self_contained,
    static_shapes,
    bytes_only_cast,
    known_types,
    half_pixel_resize,
    symmetric,
    signed_codes,
    float_biases,
    constant_scales,
    one_scale_an_activation,
    one_scale_a_channel,
    both_or_neither,
    weights_straight_from_dq,
    codes_only_decoded,
)
