from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_ttvos.errors import ModelError
from edge_ttvos.targets.operators import read_operators
from edge_ttvos.targets.operators.base import Operand

openvino = pytest.importorskip("openvino")

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a 3×3 convolution and a ReLU on frames of a shape."""
    from openvino import opset15

    def made(shape: tuple[int, ...] = (1, 2, 8, 8), half: bool = False) -> Path:
        frame = opset15.parameter(shape, np.float32, name="x")
        weights = opset15.constant(np.ones((4, 2, 3, 3), np.float32))
        conv = opset15.convolution(frame, weights, [1, 1], [1, 1], [1, 1], [1, 1])
        path = tmp_path / "graph.xml"
        model = openvino.Model([opset15.relu(conv)], [frame], "graph")
        openvino.save_model(model, path, compress_to_fp16=half)
        return path

    return made


def test_operators_are_read_whole(write: Write) -> None:
    conv, relu = read_operators(write())

    assert (conv.kind, conv.domain, conv.version) == ("Convolution", "opset", 1)
    assert conv.inputs == (
        Operand((1, 2, 8, 8), "float32"),
        Operand((4, 2, 3, 3), "float32", constant=True),
    )
    assert tuple(conv.attributes["strides"]) == (1, 1)
    assert conv.outputs == relu.inputs == relu.outputs == (Operand((1, 4, 8, 8), "float32"),)


def test_a_side_that_may_change_is_not_static(write: Write) -> None:
    conv, relu = read_operators(write((-1, 2, 8, 8)))

    assert conv.inputs[0].shape == (-1, 2, 8, 8)
    assert relu.outputs[0].static is False


def test_half_precision_weights_show(write: Write) -> None:
    operators = read_operators(write(half=True))

    assert "float16" in {operand.dtype for o in operators for operand in o.operands}


def test_without_its_weights_a_graph_is_refused(write: Write) -> None:
    path = write()
    path.with_suffix(".bin").unlink()

    with pytest.raises(ModelError, match=r"graph\.xml cannot be read as \.xml"):
        read_operators(path)
