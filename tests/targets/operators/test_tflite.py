"""A LiteRT file made by hand through the schema: no converter, so any oddity can be put in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import ModelError
from edge_ttvos.targets.operators import read_operators
from edge_ttvos.targets.operators.base import Operand

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
flatbuffers = pytest.importorskip("flatbuffers")

WEIGHTS = 1  # index of the buffer that holds something; 0 is the empty one of the format
Write = Callable[..., Path]


def tensor(shape: tuple[int, ...] | None, buffer: int = 0, **more: Any) -> Any:
    made = schema.TensorT()
    made.type, made.buffer = schema.TensorType.FLOAT32, buffer
    if shape is not None:
        made.shape, made.hasRank = list(shape), True
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write one RESIZE_BILINEAR: ``write(tensors, inputs)``; the last tensor is its output."""

    def made(tensors: list[Any], inputs: tuple[int, ...] = (0, 1), **code: Any) -> Path:
        operator, graph, model = schema.OperatorT(), schema.SubGraphT(), schema.ModelT()
        operator.opcodeIndex, operator.inputs = 0, list(inputs)
        operator.outputs = [len(tensors) - 1]
        operator.builtinOptionsType = schema.BuiltinOptions.ResizeBilinearOptions
        operator.builtinOptions = schema.ResizeBilinearOptionsT()
        operator.builtinOptions.halfPixelCenters = True
        kind = schema.OperatorCodeT()
        kind.builtinCode, kind.version = schema.BuiltinOperator.RESIZE_BILINEAR, 3
        for name, value in code.items():
            setattr(kind, name, value)
        graph.tensors, graph.operators, graph.inputs = tensors, [operator], [0]
        graph.outputs = operator.outputs
        empty, weights = schema.BufferT(), schema.BufferT()
        weights.data = [1, 2, 3, 4]
        model.version, model.operatorCodes, model.subgraphs = 3, [kind], [graph]
        model.buffers = [empty, weights]
        builder = flatbuffers.Builder(256)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        path = tmp_path / "graph.tflite"
        path.write_bytes(bytes(builder.Output()))
        return path

    return made


SIDES = [tensor((1, 4, 4, 2)), tensor((1,), WEIGHTS), tensor((1, 8, 8, 2))]


def test_an_operator_is_read_whole(write: Write) -> None:
    (found,) = read_operators(write(SIDES))

    assert (found.kind, found.domain, found.version) == ("RESIZE_BILINEAR", "builtin", 3)
    assert found.inputs == (
        Operand((1, 4, 4, 2), "float32"),
        Operand((1,), "float32", constant=True),
    )
    assert found.outputs == (Operand((1, 8, 8, 2), "float32"),)
    assert found.attributes == {"alignCorners": False, "halfPixelCenters": True}


def test_a_side_that_may_change_is_not_static(write: Write) -> None:
    open_side = tensor((1, 4, 4, 2), shapeSignature=[-1, 4, 4, 2])
    (found,) = read_operators(write([open_side, *SIDES[1:]]))

    assert found.inputs[0].shape == (-1, 4, 4, 2)
    assert found.inputs[0].static is False


def test_without_a_shape_nothing_is_known(write: Write) -> None:
    (found,) = read_operators(write([tensor(None), *SIDES[1:]]))

    assert found.inputs[0].shape is None
    assert found.inputs[0].static is None


def test_an_absent_input_is_left_out(write: Write) -> None:
    (found,) = read_operators(write(SIDES, (0, -1)))

    assert len(found.inputs) == 1


def test_a_variable_is_noticed(write: Write) -> None:
    (found,) = read_operators(write([tensor((2,), isVariable=True), *SIDES[1:]]))

    assert found.inputs[0].variable


def test_a_custom_operator_has_its_own_name_and_domain(write: Write) -> None:
    custom = {"builtinCode": schema.BuiltinOperator.CUSTOM, "customCode": "edgetpu-custom-op"}
    (found,) = read_operators(write(SIDES, **custom))

    assert (found.kind, found.domain) == ("edgetpu-custom-op", "custom")


@pytest.mark.parametrize("keep", [0, 6, 60])
def test_a_damaged_file_is_refused(keep: int, write: Write) -> None:
    path = write(SIDES)
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(ModelError, match=r"graph\.tflite cannot be read as \.tflite"):
        read_operators(path)
