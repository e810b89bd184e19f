from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import ModelError
from edge_ttvos.targets.operators import read_operators
from edge_ttvos.targets.operators.base import Operand

onnx = pytest.importorskip("onnx")

FLOAT = onnx.TensorProto.FLOAT
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a 3×3 convolution and a ReLU on (1, 2, 8, 8) frames."""

    def made(height: Any = 8, external: bool = False, **relu: Any) -> Path:
        weights = onnx.TensorProto(
            name="weights", data_type=FLOAT, dims=(4, 2, 3, 3), raw_data=bytes(4 * 72)
        )
        if external:
            weights.ClearField("raw_data")
            weights.data_location = onnx.TensorProto.EXTERNAL
            weights.external_data.add(key="location", value="weights.bin")
        graph = onnx.helper.make_graph(
            [
                onnx.helper.make_node(
                    "Conv", ["x", "weights"], ["y"], strides=[1, 1], pads=[1] * 4, auto_pad="NOTSET"
                ),
                onnx.helper.make_node("Relu", ["y"], ["z"], **relu),
            ],
            "graph",
            [onnx.helper.make_tensor_value_info("x", FLOAT, (1, 2, height, 8))],
            [onnx.helper.make_tensor_value_info("z", FLOAT, None)],
            [weights],
        )
        imports = [onnx.helper.make_opsetid("", 20), onnx.helper.make_opsetid("com.microsoft", 1)]
        path = tmp_path / "graph.onnx"
        path.write_bytes(onnx.helper.make_model(graph, opset_imports=imports).SerializeToString())
        return path

    return made


def test_operators_are_read_whole_with_inferred_shapes(write: Write) -> None:
    conv, relu = read_operators(write())

    assert (conv.kind, conv.domain, conv.version) == ("Conv", "ai.onnx", 20)
    assert conv.inputs == (
        Operand((1, 2, 8, 8), "float32"),
        Operand((4, 2, 3, 3), "float32", constant=True),
    )
    assert conv.attributes == {"strides": (1, 1), "pads": (1,) * 4, "auto_pad": "NOTSET"}
    assert conv.outputs == relu.inputs == (Operand((1, 4, 8, 8), "float32"),)


@pytest.mark.parametrize("height", ["height", None])
def test_a_side_that_may_change_is_not_static(height: Any, write: Write) -> None:
    conv, relu = read_operators(write(height))

    assert conv.inputs[0].shape == (1, 2, -1, 8)
    assert relu.inputs[0].static is False


def test_another_domain_is_told_with_its_own_version(write: Write) -> None:
    _, relu = read_operators(write(domain="com.microsoft"))

    assert (relu.domain, relu.version) == ("com.microsoft", 1)
    assert relu.outputs[0].static is None


def test_weights_in_another_file_are_noticed_and_not_opened(write: Write) -> None:
    conv, _ = read_operators(write(external=True))

    assert conv.inputs[1].external


def test_what_is_no_onnx_is_refused(tmp_path: Path) -> None:
    (tmp_path / "noise.onnx").write_bytes(b"no model at all")

    with pytest.raises(ModelError, match=r"noise\.onnx cannot be read as \.onnx"):
        read_operators(tmp_path / "noise.onnx")
