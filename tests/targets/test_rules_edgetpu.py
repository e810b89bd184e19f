"""Each limit of the Edge TPU on operators made for it: mapping, not mapping, unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edge_ttvos.targets.constraints import DOES_NOT_MAP, MAPS, UNKNOWN, Constraint, Verdict
from edge_ttvos.targets.operators.base import Codes, Operand, Operator
from edge_ttvos.targets.rules import edgetpu as rules

MAP = Operand((1, 8, 8, 4), "int8")
FLOATS = Operand((1, 8, 8, 4), "float32")
BIAS = Operand((6,), "int32", constant=True)
WEIGHTS = Operand((6, 3, 3, 4), "int8", constant=True)
TWO = {"dilationWFactor": 2, "dilationHFactor": 2}


def operator(kind: str, *inputs: Operand, out: Operand = MAP, **attributes: Any) -> Operator:
    return Operator(kind, inputs or (MAP,), (out,), attributes, "builtin", 1)


def setting(*values: float, dtype: str = "int32", codes: Codes | None = None) -> Operand:
    return Operand((len(values),), dtype, constant=True, values=values, codes=codes)


def joined(*values: float, more: tuple[Operand, ...] = ()) -> Operator:
    constant = setting(*values, dtype="int8", codes=Codes((0.1,), (-3,), 0))
    return operator("CONCATENATION", MAP, constant, *more)


CONV = operator("CONV_2D", MAP, WEIGHTS, BIAS)
DENSE = operator("FULLY_CONNECTED", MAP, WEIGHTS, out=Operand((1, 1, 10), "int8"))
SLICE = ("STRIDED_SLICE", MAP, setting(0, 0), setting(4, 4))
CASES: list[tuple[Constraint, Operator, Verdict]] = [
    (rules.listed, CONV, MAPS),
    (rules.listed, operator("TRANSPOSE"), UNKNOWN),
    (rules.listed, operator("TRANSPOSE_CONV"), MAPS),
    (rules.limits_of_transposed_convolutions, operator("TRANSPOSE_CONV"), UNKNOWN),
    (rules.limits_of_transposed_convolutions, CONV, MAPS),
    (rules.listed, operator("LEAKY_RELU"), DOES_NOT_MAP),
    (rules.listed, operator("BATCH_MATMUL"), DOES_NOT_MAP),
    (rules.listed, replace(CONV, domain="custom"), DOES_NOT_MAP),
    (rules.eight_bit_codes, CONV, MAPS),
    (rules.eight_bit_codes, operator("ADD", FLOATS), DOES_NOT_MAP),
    (rules.eight_bit_codes, operator("ADD", Operand((1, 4), "int16")), DOES_NOT_MAP),
    (rules.eight_bit_codes, operator("ADD", Operand((6,), "int32")), DOES_NOT_MAP),
    (rules.eight_bit_codes, operator("ADD", Operand((6,), "unknown")), UNKNOWN),
    (rules.three_inner_sides, operator("ADD", Operand((1, 1, 2, 3, 4), "int8")), MAPS),
    (rules.three_inner_sides, operator("ADD", Operand((1, 2, 2, 3, 4), "int8")), DOES_NOT_MAP),
    (rules.three_inner_sides, operator("ADD", Operand((2, 8, 8, 4), "int8")), DOES_NOT_MAP),
    (rules.three_inner_sides, operator("ADD", Operand(None, "int8")), UNKNOWN),
    (rules.three_inner_sides, CONV, MAPS),
    (rules.constant_parameters, CONV, MAPS),
    (
        rules.constant_parameters,
        operator("CONV_2D", MAP, replace(WEIGHTS, constant=False)),
        DOES_NOT_MAP,
    ),
    (rules.constant_parameters, operator("ADD", MAP, MAP), MAPS),
    (rules.one_group, CONV, MAPS),
    (rules.one_group, operator("CONV_2D", MAP, replace(WEIGHTS, shape=(6, 3, 3, 2))), UNKNOWN),
    (rules.one_group, operator("ADD"), MAPS),
    (rules.one_dilation, replace(CONV, attributes=TWO), MAPS),
    (rules.one_dilation, replace(CONV, attributes={"dilationWFactor": 2}), DOES_NOT_MAP),
    (rules.no_fused_activation, operator("MAX_POOL_2D", fusedActivationFunction=0), MAPS),
    (rules.no_fused_activation, operator("MAX_POOL_2D", fusedActivationFunction=1), DOES_NOT_MAP),
    (rules.no_fused_activation, operator("CONV_2D", fusedActivationFunction=1), MAPS),
    (rules.constants_joined, operator("CONCATENATION", MAP, MAP, MAP), MAPS),
    (rules.constants_joined, joined(-3, -3), MAPS),
    (rules.constants_joined, joined(-3, 5), DOES_NOT_MAP),
    (rules.constants_joined, joined(-3, -3, more=(MAP,)), DOES_NOT_MAP),
    (
        rules.constants_joined,
        operator("CONCATENATION", MAP, Operand((9,), "int8", constant=True)),
        UNKNOWN,
    ),
    (rules.padded_along_the_map, operator("PAD", MAP, setting(0, 0, 1, 1, 2, 0, 0, 0)), MAPS),
    (
        rules.padded_along_the_map,
        operator("PAD", MAP, setting(0, 0, 1, 1, 1, 1, 0, 1)),
        DOES_NOT_MAP,
    ),
    (rules.padded_along_the_map, operator("PAD", MAP, Operand((4, 2), "int32")), UNKNOWN),
    (rules.padded_along_the_map, operator("ADD"), MAPS),
    (rules.averaged_along_the_map, operator("MEAN", MAP, setting(1, 2)), MAPS),
    (rules.averaged_along_the_map, operator("MEAN", MAP, setting(-2)), MAPS),
    (rules.averaged_along_the_map, operator("MEAN", MAP, setting(0, 1)), DOES_NOT_MAP),
    (rules.averaged_along_the_map, operator("MEAN", MAP, setting(3)), DOES_NOT_MAP),
    (rules.averaged_along_the_map, operator("MEAN", MAP, Operand((2,), "int32")), UNKNOWN),
    (rules.plain_weights, DENSE, MAPS),
    (rules.plain_weights, replace(DENSE, attributes={"weightsFormat": 1}), DOES_NOT_MAP),
    (rules.plain_weights, replace(DENSE, outputs=(Operand((2, 10), "int8"),)), DOES_NOT_MAP),
    (rules.plain_weights, replace(DENSE, outputs=(Operand(None, "int8"),)), UNKNOWN),
    (rules.one_slope_a_channel, operator("PRELU", MAP, setting(1, 2, dtype="int8")), MAPS),
    (
        rules.one_slope_a_channel,
        operator("PRELU", MAP, Operand((8, 8, 4), "int8", constant=True)),
        DOES_NOT_MAP,
    ),
    (rules.one_slope_a_channel, operator("PRELU", MAP, MAP), DOES_NOT_MAP),
    (rules.unbroken_slices, operator(*SLICE, setting(1, 1)), MAPS),
    (rules.unbroken_slices, operator(*SLICE, setting(1, 2)), DOES_NOT_MAP),
    (rules.unbroken_slices, operator(*SLICE, setting(1, 1), newAxisMask=1), DOES_NOT_MAP),
    (rules.unbroken_slices, operator(*SLICE), UNKNOWN),
    (rules.sizes_of_resizes, operator("RESIZE_BILINEAR"), UNKNOWN),
    (rules.sizes_of_resizes, CONV, MAPS),
    (rules.sizes_of_reshapes, operator("RESHAPE", out=Operand((8, 1, 8, 4), "int8")), MAPS),
    (rules.sizes_of_reshapes, operator("RESHAPE", out=Operand((1, 8, 16, 2), "int8")), UNKNOWN),
    (rules.sizes_of_reshapes, operator("RESHAPE", out=Operand(None, "int8")), UNKNOWN),
]


def name(value: object) -> str | None:
    return value.name if isinstance(value, Constraint) else None


@pytest.mark.parametrize(("constraint", "one", "verdict"), CASES, ids=name)
def test_a_limit_on_an_operator(constraint: Constraint, one: Operator, verdict: Verdict) -> None:
    assert list(constraint.judge((one,))) == [verdict]


def test_every_limit_is_used_and_tested() -> None:
    made = {id(v) for v in vars(rules).values() if isinstance(v, Constraint)}
    shared = {id(rules.static_shapes)}  # of every engine: tested there

    assert made == {id(it) for it in rules.CONSTRAINTS}
    assert made == {id(constraint) for constraint, _, _ in CASES} | shared


def test_what_is_uncertain_is_listed() -> None:
    assert rules.OPEN < rules.LISTED
