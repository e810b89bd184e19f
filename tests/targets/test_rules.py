"""Each constraint on operators made for it: one that maps, one that does not, one unknown."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from edge_ttvos.targets.constraints import DOES_NOT_MAP, MAPS, UNKNOWN, Constraint, Verdict
from edge_ttvos.targets.operators.base import Operand, Operator
from edge_ttvos.targets.rules import every_engine, litert, onnxruntime, openvino

VALUE = Operand((1, 4, 4, 2), "float32")
CODED = Operand((1, 4, 4, 2), "int8")
AXES = Operand((2,), "int32", constant=True)
FRAME = Operand((1, 5, 5, 3), "uint8")
CENTRES = {"halfPixelCenters": True, "alignCorners": False}
CORNERS = {"halfPixelCenters": True, "alignCorners": True}


def operator(kind: str, *inputs: Operand, **attributes: Any) -> Operator:
    return Operator(kind, inputs or (VALUE,), (VALUE,), attributes, "builtin", 1)


def enlarging(stride: int) -> Operator:
    """A transposed convolution with a 4×4 kernel."""
    shape, kernel = (Operand(s, "int8", constant=True) for s in ((4,), (2, 4, 4, 2)))
    return operator("TRANSPOSE_CONV", shape, kernel, VALUE, strideH=stride, strideW=stride)


def onnx(kind: str, **attributes: Any) -> Operator:
    return replace(operator(kind, **attributes), domain="ai.onnx", version=20)


def opset(kind: str, **attributes: Any) -> Operator:
    return replace(operator(kind, **attributes), domain="opset", version=11)


def said(constraint: Constraint, *operators: Operator) -> Verdict:
    (verdict,) = constraint.judge(operators)
    return verdict


def case(constraint: Constraint, one: Operator, verdict: Verdict, name: str) -> Any:
    return pytest.param(constraint, one, verdict, id=f"{constraint.name}: {name}")


CONV = operator("CONV_2D")
CASES = [
    case(every_engine.static_shapes, CONV, MAPS, "fixed"),
    case(
        every_engine.static_shapes,
        operator("CONV_2D", Operand((-1, 4), "float32")),
        DOES_NOT_MAP,
        "open side",
    ),
    case(
        every_engine.static_shapes, operator("CONV_2D", Operand(None, "float32")), UNKNOWN, "rank"
    ),
    case(every_engine.floats_or_codes, operator("MEAN", VALUE, AXES), MAPS, "axes"),
    case(every_engine.floats_or_codes, operator("CAST", FRAME), MAPS, "frame"),
    case(every_engine.floats_or_codes, operator("ADD", FRAME), DOES_NOT_MAP, "bytes added"),
    case(
        every_engine.floats_or_codes,
        operator("ADD", Operand((2,), "int32")),
        DOES_NOT_MAP,
        "whole numbers computed",
    ),
    case(
        every_engine.floats_or_codes,
        operator("CONV_2D", VALUE, Operand((2,), "float16", constant=True)),
        DOES_NOT_MAP,
        "half weights",
    ),
    case(
        every_engine.floats_or_codes, operator("ADD", Operand((2,), "unknown")), UNKNOWN, "no dtype"
    ),
    case(litert.taken_by_xnnpack, CONV, MAPS, "listed"),
    case(litert.taken_by_xnnpack, operator("CAST", FRAME), MAPS, "frame"),
    case(litert.taken_by_xnnpack, operator("CAST"), UNKNOWN, "another cast"),
    case(litert.taken_by_xnnpack, operator("ARG_MAX"), UNKNOWN, "not listed"),
    case(litert.taken_by_xnnpack, replace(CONV, domain="custom"), DOES_NOT_MAP, "custom"),
    case(litert.fused_activation, operator("ADD", fusedActivationFunction=3), MAPS, "ReLU6"),
    case(litert.fused_activation, operator("ADD", fusedActivationFunction=4), DOES_NOT_MAP, "tanh"),
    case(litert.half_pixel_resize, operator("RESIZE_BILINEAR", **CENTRES), MAPS, "centres"),
    case(litert.half_pixel_resize, operator("RESIZE_BILINEAR", **CORNERS), DOES_NOT_MAP, "corners"),
    case(
        litert.half_pixel_resize,
        operator("RESIZE_NEAREST_NEIGHBOR", **CENTRES),
        DOES_NOT_MAP,
        "nearest",
    ),
    case(litert.half_pixel_resize, operator("RESIZE_BILINEAR"), UNKNOWN, "not said"),
    case(litert.half_pixel_resize, CONV, MAPS, "no resize"),
    case(litert.taken_by_xnnpack, operator("PRELU"), MAPS, "floats"),
    case(litert.taken_by_xnnpack, operator("PRELU", CODED), DOES_NOT_MAP, "codes"),
    case(litert.no_transposed_convolution, enlarging(2), DOES_NOT_MAP, "overlaps"),
    case(litert.no_transposed_convolution, enlarging(4), MAPS, "picks"),
    case(litert.no_transposed_convolution, CONV, MAPS, "is none"),
    case(
        litert.six_sided_transpose, operator("TRANSPOSE", Operand((1,) * 6, "float32")), MAPS, "six"
    ),
    case(
        litert.six_sided_transpose,
        operator("TRANSPOSE", Operand((1,) * 7, "float32")),
        DOES_NOT_MAP,
        "seven",
    ),
    case(
        litert.six_sided_transpose,
        operator("TRANSPOSE", Operand(None, "float32")),
        UNKNOWN,
        "no rank",
    ),
    case(litert.no_memory, CONV, MAPS, "none"),
    case(litert.no_memory, operator("WHILE"), DOES_NOT_MAP, "loop"),
    case(litert.no_memory, operator("ADD", Operand((), "resource")), DOES_NOT_MAP, "resource"),
    case(
        litert.no_memory,
        operator("ADD", Operand((2,), "float32", variable=True)),
        DOES_NOT_MAP,
        "variable",
    ),
    case(onnxruntime.taken_by_cpu, onnx("Conv"), MAPS, "run"),
    case(onnxruntime.taken_by_cpu, onnx("Loop"), UNKNOWN, "not run"),
    case(onnxruntime.default_domain, onnx("Conv"), MAPS, "own"),
    case(
        onnxruntime.default_domain, replace(onnx("Conv"), version=21), DOES_NOT_MAP, "newer version"
    ),
    case(
        onnxruntime.default_domain,
        replace(onnx("Conv"), domain="com.microsoft"),
        DOES_NOT_MAP,
        "extension",
    ),
    case(onnxruntime.self_contained, onnx("Conv"), MAPS, "inside"),
    case(
        onnxruntime.self_contained,
        operator("Conv", VALUE, Operand((2,), "float32", constant=True, external=True)),
        DOES_NOT_MAP,
        "outside",
    ),
    case(onnxruntime.half_pixel_resize, onnx("Resize", mode="linear"), MAPS, "default place"),
    case(onnxruntime.half_pixel_resize, onnx("Resize"), DOES_NOT_MAP, "default mode"),
    case(
        onnxruntime.half_pixel_resize,
        onnx("Resize", mode="linear", coordinate_transformation_mode="align_corners"),
        DOES_NOT_MAP,
        "corners",
    ),
    case(openvino.taken_by_cpu, opset("Convolution"), MAPS, "asked"),
    case(openvino.taken_by_cpu, opset("TopK"), UNKNOWN, "not asked"),
    case(openvino.standard_opset, opset("Relu"), MAPS, "own"),
    case(openvino.standard_opset, replace(opset("Relu"), version=16), DOES_NOT_MAP, "newer"),
    case(
        openvino.standard_opset, replace(opset("Relu"), domain="extension"), DOES_NOT_MAP, "foreign"
    ),
    case(
        openvino.half_pixel_resize,
        opset("Interpolate", mode="linear_onnx", coordinate_transformation_mode="half_pixel"),
        MAPS,
        "centres",
    ),
    case(
        openvino.half_pixel_resize,
        opset("Interpolate", mode="cubic", coordinate_transformation_mode="half_pixel"),
        DOES_NOT_MAP,
        "cubic",
    ),
]


@pytest.mark.parametrize(("constraint", "one", "verdict"), CASES)
def test_a_constraint_on_an_operator(
    constraint: Constraint, one: Operator, verdict: Verdict
) -> None:
    assert said(constraint, one) == verdict


@pytest.mark.parametrize(("count", "verdict"), [(4, MAPS), (5, DOES_NOT_MAP)])
def test_four_transposes_are_all_that_a_graph_needs(count: int, verdict: Verdict) -> None:
    graph = (CONV, *[operator("TRANSPOSE")] * count)

    assert said(litert.no_stray_transposes, *graph) == verdict


@pytest.mark.parametrize("rules", [litert, onnxruntime, openvino], ids=lambda m: m.__name__)
def test_every_constraint_of_a_file_is_used_and_tested(rules: ModuleType) -> None:
    made = [value for value in vars(rules).values() if isinstance(value, Constraint)]
    tested = {id(c.values[0]) for c in CASES} | {id(litert.no_stray_transposes)}

    assert set(map(id, made)) == set(map(id, rules.CONSTRAINTS)) <= tested
