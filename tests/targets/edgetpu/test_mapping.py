"""Shares by verdict, on small graphs made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edge_ttvos.targets.constraints import DOES_NOT_MAP, MAPS, UNKNOWN
from edge_ttvos.targets.edgetpu.log import parse_log
from edge_ttvos.targets.edgetpu.mapping import Share, contradictions, map_graph, reached
from edge_ttvos.targets.operators.base import Codes, Operand, Operator
from edge_ttvos.targets.operators.macs import macs

CODES = Codes((0.1,), (0,), 0)


def tensor(name: str, dtype: str = "int8", shape: tuple[int, ...] = (1, 4, 4, 2)) -> Operand:
    return Operand(shape, dtype, name=name, codes=CODES)


def weights(*shape: int) -> Operand:
    return Operand(shape, "int8", constant=True, name=f"weights{shape}", codes=CODES)


BIAS = Operand((2,), "int32", constant=True, name="bias", codes=CODES)


def step(kind: str, read: str, made: str, *more: Operand, **attributes: Any) -> Operator:
    return Operator(kind, (tensor(read), *more), (tensor(made),), attributes, "builtin", 1)


def conv(read: str, made: str) -> Operator:
    return step("CONV_2D", read, made, weights(2, 3, 3, 2), BIAS)


GRAPH = (
    Operator("QUANTIZE", (tensor("x", "float32"),), (tensor("q"),), {}, "builtin", 1),
    conv("q", "a"),
    step("RESIZE_BILINEAR", "a", "r"),
    conv("r", "b"),
    step("LEAKY_RELU", "a", "l"),
    conv("l", "c"),
    conv("a", "d"),
    step("ADD", "b", "e", tensor("c")),
)
ONE = 4 * 4 * 2 * 3 * 3 * 2  # multiply-accumulates of a convolution above


def test_operators_alone_and_as_one_part() -> None:
    found = map_graph("graph", GRAPH)
    assert found.alone == {
        MAPS: Share(5, 4 * ONE),
        UNKNOWN: Share(1, 0),
        DOES_NOT_MAP: Share(2, 0),
    }
    assert found.together == {
        MAPS: Share(2, 2 * ONE),  # a and d: the change of codes at the beginning breaks nothing
        UNKNOWN: Share(2, ONE),  # r and b
        DOES_NOT_MAP: Share(4, ONE),  # the change, l, c, and e that reads c
    }
    assert found.kinds == {"CONV_2D": 2}
    assert (found.parameter_bytes, found.largest_bytes) == (36 + 8, 32 * 4)


def test_reasons_are_given_alone_and_counted() -> None:
    found = map_graph(
        "graph", (conv("x", "a"), step("LEAKY_RELU", "a", "b"), step("LEAKY_RELU", "b", "c"))
    )
    (reason,) = found.to_json()["reasons"]
    assert (reason["operator"], reason["verdict"], reason["count"]) == (
        "LEAKY_RELU",
        DOES_NOT_MAP,
        2,
    )
    assert "published list" in reason["message"]


def test_a_change_of_codes_in_the_middle_does_break() -> None:
    graph = (conv("x", "a"), step("QUANTIZE", "a", "b"), conv("b", "c"))
    assert reached(graph, [MAPS, DOES_NOT_MAP, MAPS]) == [MAPS, DOES_NOT_MAP, DOES_NOT_MAP]


def test_what_the_compiler_maps_less_is_told(printed: Callable[..., str]) -> None:
    graph = tuple(conv(f"x{i}", f"y{i}") for i in range(10))
    log = parse_log(printed())
    assert contradictions(map_graph("encode", graph), log) == [
        "encode: 10 CONV_2D were judged to map; edgetpu_compiler 16.0.384591198 maps 9"
    ]
    assert contradictions(map_graph("encode", graph[:9]), log) == []


@pytest.mark.parametrize(
    ("kind", "inputs", "out", "count"),
    [
        ("CONV_2D", [(1, 9, 9, 4), (8, 3, 3, 2)], (1, 7, 7, 8), 7 * 7 * 8 * 3 * 3 * 2),
        ("DEPTHWISE_CONV_2D", [(1, 9, 9, 4), (1, 3, 3, 8)], (1, 7, 7, 8), 7 * 7 * 8 * 9),
        ("TRANSPOSE_CONV", [(4,), (8, 4, 4, 3), (1, 5, 5, 3)], (1, 10, 10, 8), 25 * 3 * 8 * 16),
        ("FULLY_CONNECTED", [(1, 6), (5, 6)], (1, 5), 30),
        ("BATCH_MATMUL", [(1, 2, 3), (1, 3, 4)], (1, 2, 4), 24),
        ("ADD", [(1, 9), (1, 9)], (1, 9), 0),
    ],
)
def test_multiply_accumulates(
    kind: str, inputs: list[tuple[int, ...]], out: tuple[int, ...], count: int
) -> None:
    operands = tuple(Operand(shape, "int8") for shape in inputs)
    assert macs(Operator(kind, operands, (Operand(out, "int8"),), {}, "builtin", 1)) == count


def test_open_shapes_are_not_counted() -> None:
    open_side = Operand((1, -1, 4, 2), "int8")
    with pytest.raises(ValueError, match="fixed shapes"):
        macs(Operator("CONV_2D", (open_side, weights(2, 3, 3, 2)), (open_side,), {}, "builtin", 1))
