from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_ttvos.targets.base import find_target
from edge_ttvos.targets.constraints import UNKNOWN, check, problems
from edge_ttvos.targets.delegation import left_by_xnnpack, refused_by_openvino


def write_interrupted(path: Path) -> None:
    """y = float(argmax(x + x)) + 1: XNNPACK takes both additions and leaves what is between."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    flatbuffers = pytest.importorskip("flatbuffers")
    kinds, dtypes = schema.BuiltinOperator, schema.TensorType
    options = schema.BuiltinOptions
    graph, model = schema.SubGraphT(), schema.ModelT()
    model.version, model.subgraphs = 3, [graph]
    model.operatorCodes, model.buffers = [], [schema.BufferT() for _ in range(3)]
    model.buffers[1].data = list(np.array([3], np.int32).tobytes())
    model.buffers[2].data = list(np.array([1], np.float32).tobytes())
    shape = [1, 4, 4]
    graph.tensors = []
    for sides, dtype, buffer in (
        ([*shape, 3], dtypes.FLOAT32, 0),  # x
        ([*shape, 3], dtypes.FLOAT32, 0),
        ([], dtypes.INT32, 1),  # the axis
        (shape, dtypes.INT32, 0),
        (shape, dtypes.FLOAT32, 0),
        ([1], dtypes.FLOAT32, 2),  # one
        (shape, dtypes.FLOAT32, 0),  # y
    ):
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer, tensor.hasRank = sides, dtype, buffer, True
        graph.tensors.append(tensor)
    argmax = schema.ArgMaxOptionsT()
    argmax.outputType = dtypes.INT32
    graph.inputs, graph.outputs, graph.operators = [0], [6], []
    for kind, inputs, output, which, settings in (
        (kinds.ADD, [0, 0], 1, options.AddOptions, schema.AddOptionsT()),
        (kinds.ARG_MAX, [1, 2], 3, options.ArgMaxOptions, argmax),
        (kinds.CAST, [3], 4, options.NONE, None),
        (kinds.ADD, [4, 5], 6, options.AddOptions, schema.AddOptionsT()),
    ):
        code, operator = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = code.deprecatedBuiltinCode = kind
        code.version = 1
        operator.opcodeIndex, operator.inputs = len(graph.operators), inputs
        operator.outputs = [output]
        operator.builtinOptionsType, operator.builtinOptions = which, settings
        model.operatorCodes.append(code)
        graph.operators.append(operator)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))


def test_operators_between_two_delegates_are_left(tmp_path: Path) -> None:
    path = tmp_path / "odd.tflite"
    write_interrupted(path)

    assert left_by_xnnpack(path) == ("ARG_MAX", "CAST")
    wrong = problems(check(find_target("host"), "litert", [path]))
    assert {finding.operator for finding in wrong} == {"ARG_MAX", "CAST"}
    assert UNKNOWN in {finding.verdict for finding in wrong}


def test_openvino_is_asked_for_every_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openvino = pytest.importorskip("openvino")
    from openvino import opset15

    frame = opset15.parameter((1, 2), np.float32)
    relu = opset15.relu(frame)
    path = tmp_path / "graph.xml"
    openvino.save_model(openvino.Model([opset15.sigmoid(relu)], [frame], "graph"), path)
    assert refused_by_openvino(path) == ()

    class Without(openvino.Core):  # type: ignore[misc]
        """A plugin that does not know Relu."""

        def query_model(self, model: Any, *arguments: Any) -> dict[str, str]:
            taken = dict(super().query_model(model, *arguments))
            return {name: where for name, where in taken.items() if "Relu" not in name}

    monkeypatch.setattr(openvino, "Core", Without)

    assert refused_by_openvino(path) == ("Relu",)
