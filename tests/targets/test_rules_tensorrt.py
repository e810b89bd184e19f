"""TensorRT's rules on real Q/DQ graphs that ONNX Runtime's quantizer writes, and on spoilt ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_ttvos.targets.constraints import (
    DOES_NOT_MAP,
    MAPS,
    UNKNOWN,
    Constraint,
    Verdict,
    judged,
    problems,
)
from edge_ttvos.targets.operators import read_operators
from edge_ttvos.targets.operators.base import Operand, Operator
from edge_ttvos.targets.rules import tensorrt as rules

onnx = pytest.importorskip("onnx")
quantization = pytest.importorskip("onnxruntime.quantization")
helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT
INT8 = quantization.QuantType.QInt8

Quantized = Callable[..., Any]
Spoil = Callable[[Any], None]


@pytest.fixture(scope="module")
def float_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Convolution, ReLU, transposed convolution, fully connected layer."""
    random = np.random.default_rng(0)
    shapes = {"w1": (8, 3, 3, 3), "b1": (8,), "w2": (8, 4, 4, 4), "w3": (1024, 5)}
    weights = [
        onnx.numpy_helper.from_array(random.standard_normal(shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["a"], name="conv", pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["r"], name="relu"),
        helper.make_node(
            "ConvTranspose", ["r", "w2"], ["u"], name="up", strides=[2, 2], pads=[1] * 4
        ),
        helper.make_node("Reshape", ["u", "shape"], ["f"], name="flat"),
        helper.make_node("MatMul", ["f", "w3"], ["y"], name="dense"),
    ]

    weights.append(onnx.numpy_helper.from_array(np.array([1, 1024], np.int64), "shape"))
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", FLOAT, (1, 3, 8, 8))],
        [helper.make_tensor_value_info("y", FLOAT, (1, 5))],
        weights,
    )
    path = tmp_path_factory.mktemp("qdq") / "float.onnx"
    opsets = [helper.make_opsetid("", 20)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path)
    return path


class Noise(quantization.CalibrationDataReader):  # type: ignore[misc]
    """A little of it."""

    def __init__(self) -> None:
        random = np.random.default_rng(1)
        frames = (random.standard_normal((1, 3, 8, 8)).astype(np.float32) for _ in range(2))
        self.left: Iterator[dict[str, Any]] = iter([{"x": frame} for frame in frames])

    def get_next(self) -> dict[str, Any] | None:
        return next(self.left, None)


@pytest.fixture
def quantized(float_graph: Path, tmp_path: Path) -> Quantized:
    """The graph with Q/DQ as TensorRT wants it, unless told otherwise."""

    def make(extra: dict[str, Any] | None = None, **changes: Any) -> Any:
        options = {"ActivationSymmetric": True, "WeightSymmetric": True, "QuantizeBias": False}
        arguments = {"activation_type": INT8, "weight_type": INT8, "per_channel": True, **changes}
        path = tmp_path / "quantized.onnx"
        logging.disable(logging.WARNING)  # it would advise to pre-process the graph
        try:
            quantization.quantize_static(
                float_graph,
                path,
                Noise(),
                quant_format=quantization.QuantFormat.QDQ,
                extra_options={**options, **(extra or {})},
                **arguments,
            )
        finally:
            logging.disable(logging.NOTSET)
        return onnx.load(path)

    return make


def broken(model: Any, folder: Path) -> dict[str, set[Verdict]]:
    """Verdicts by the message of the rule that is broken."""
    path = folder / "judged.onnx"
    onnx.save(model, path)
    found: dict[str, set[Verdict]] = {}
    for finding in problems(judged(path.name, read_operators(path), rules.CONSTRAINTS)):
        found.setdefault(finding.message, set()).add(finding.verdict)
    return found


@pytest.mark.parametrize("extra", [{}, {"AddQDQPairToWeight": True}], ids=["codes", "pairs"])
def test_a_graph_as_tensorrt_wants_it(
    extra: dict[str, Any], quantized: Quantized, tmp_path: Path
) -> None:
    model = quantized(extra)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("QuantizeLinear") >= 4
    assert broken(model, tmp_path) == {}


@pytest.mark.parametrize(
    ("extra", "changes", "rule"),
    [
        ({"ActivationSymmetric": False}, {}, rules.symmetric),
        ({}, {"activation_type": quantization.QuantType.QUInt8}, rules.signed_codes),
        ({"QuantizeBias": True}, {}, rules.float_biases),
        ({}, {"per_channel": False}, rules.one_scale_a_channel),
    ],
    ids=["asymmetric", "unsigned", "biases", "per tensor"],
)
def test_what_the_quantizer_may_do_otherwise_is_found(
    extra: dict[str, Any],
    changes: dict[str, Any],
    rule: Constraint,
    quantized: Quantized,
    tmp_path: Path,
) -> None:
    found = broken(quantized(extra, **changes), tmp_path)
    assert found[rule.message] == {DOES_NOT_MAP}


def node_reading(model: Any, kind: str, index: int = 0) -> Any:
    return [node for node in model.graph.node if node.op_type == kind][index]


def initializer(model: Any, name: str) -> Any:
    return next(it for it in model.graph.initializer if it.name == name)


def set_values(model: Any, name: str, values: Any) -> None:
    made = onnx.numpy_helper.from_array(np.asarray(values), name)
    initializer(model, name).CopyFrom(made)


def float_weights(model: Any) -> None:
    conv = node_reading(model, "Conv")
    random = np.random.default_rng(2).standard_normal((8, 3, 3, 3)).astype(np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(random, "plain"))
    conv.input[1] = "plain"


def float_data(model: Any) -> None:
    node_reading(model, "Conv").input[0] = "x"


def weights_by_way_of_another(model: Any) -> None:
    conv = node_reading(model, "Conv")
    between = helper.make_node("Identity", [conv.input[1]], ["between"])
    conv.input[1] = "between"
    nodes = list(model.graph.node)
    nodes.insert(nodes.index(conv), between)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def codes_read_by_another(model: Any) -> None:
    first = node_reading(model, "QuantizeLinear")
    model.graph.node.append(helper.make_node("Identity", [first.output[0]], ["codes"]))


def codes_moved(model: Any) -> None:
    first = node_reading(model, "QuantizeLinear")
    model.graph.node.append(helper.make_node("Transpose", [first.output[0]], ["moved"]))


def constant_joined(model: Any) -> None:
    conv = node_reading(model, "Conv")
    model.graph.node.append(helper.make_node("Concat", [conv.input[1]], ["joined"], axis=0))
    conv.input[1] = conv.input[0]


def scale_below_zero(model: Any) -> None:
    set_values(model, node_reading(model, "QuantizeLinear").input[1], np.float32(-0.1))


def scale_that_is_computed(model: Any) -> None:
    first = node_reading(model, "QuantizeLinear")
    model.graph.node.insert(0, helper.make_node("Identity", [first.input[1]], ["scale"]))
    first.input[1] = "scale"


def zero_point_that_is_computed(model: Any) -> None:
    first = node_reading(model, "QuantizeLinear")
    model.graph.node.insert(0, helper.make_node("Identity", [first.input[2]], ["point"]))
    first.input[2] = "point"


def activation_by_channel(model: Any) -> None:
    first = node_reading(model, "QuantizeLinear")
    set_values(model, first.input[1], np.full(3, 0.1, np.float32))
    set_values(model, first.input[2], np.zeros(3, np.int8))


def weights_along_the_other_side(model: Any) -> None:
    up = node_reading(model, "ConvTranspose")
    decoder = next(n for n in model.graph.node if n.output[0] == up.input[1])
    next(a for a in decoder.attribute if a.name == "axis").i = 0
    set_values(model, decoder.input[1], np.full(8, 0.1, np.float32))
    set_values(model, decoder.input[2], np.zeros(8, np.int8))


FAULTS = {
    float_weights: rules.both_or_neither,
    float_data: rules.both_or_neither,
    weights_by_way_of_another: rules.weights_straight_from_dq,
    codes_read_by_another: rules.codes_only_decoded,
    codes_moved: rules.codes_only_decoded,
    constant_joined: rules.weights_straight_from_dq,
    scale_below_zero: rules.constant_scales,
    scale_that_is_computed: rules.constant_scales,
    zero_point_that_is_computed: rules.symmetric,
    activation_by_channel: rules.one_scale_an_activation,
    weights_along_the_other_side: rules.one_scale_a_channel,
}


@pytest.mark.parametrize(
    ("spoil", "rule"), FAULTS.items(), ids=lambda it: getattr(it, "__name__", None)
)
def test_a_planted_fault_is_found(
    spoil: Spoil, rule: Constraint, quantized: Quantized, tmp_path: Path
) -> None:
    model = quantized()
    spoil(model)
    assert broken(model, tmp_path).get(rule.message, {MAPS}) <= {DOES_NOT_MAP, UNKNOWN}


FRAME, VALUES = Operand((1, 5, 5, 3), "uint8"), Operand((1, 5, 5, 3), "float32")
HALF, CODES = Operand((1, 5, 5, 3), "float16"), Operand((1, 5, 5, 3), "int8")


def one(kind: str, read: Operand = VALUES, made: Operand = VALUES) -> Operator:
    return Operator(kind, (read,), (made,), {}, "ai.onnx", 20)


@pytest.mark.parametrize(
    ("rule", "operator", "verdict"),
    [
        (rules.taken_by_parser, one("Conv"), MAPS),
        (rules.taken_by_parser, one("Loop"), UNKNOWN),
        (rules.bytes_only_cast, one("Cast", FRAME), MAPS),
        (rules.bytes_only_cast, one("Cast", FRAME, HALF), DOES_NOT_MAP),
        (rules.bytes_only_cast, one("Transpose", FRAME, FRAME), DOES_NOT_MAP),
        (rules.known_types, one("Add"), MAPS),
        (rules.known_types, one("Add", HALF), DOES_NOT_MAP),
        (rules.known_types, one("Add", CODES), DOES_NOT_MAP),
        (rules.known_types, one("Transpose", CODES, CODES), UNKNOWN),
        (rules.known_types, one("Add", Operand((1,), "int64")), DOES_NOT_MAP),
        (rules.known_types, one("Add", Operand((1,), "int64", constant=True)), MAPS),
        (rules.known_types, one("Add", Operand(None, "unknown")), UNKNOWN),
    ],
)
def test_a_rule_on_an_operator(rule: Constraint, operator: Operator, verdict: Verdict) -> None:
    assert list(rule.judge((operator,))) == [verdict]


def test_every_rule_of_the_file_is_used() -> None:
    made = {id(v) for v in vars(rules).values() if isinstance(v, Constraint)}
    assert made == {id(it) for it in rules.CONSTRAINTS}
