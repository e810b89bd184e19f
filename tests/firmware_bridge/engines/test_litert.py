"""Which of two files LiteRT runs: the plain graph, or the one compiled for an Edge TPU."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
flatbuffers = pytest.importorskip("flatbuffers")

from edge_ttvos.firmware_bridge.engines import litert  # noqa: E402 - needs the library
from edge_ttvos.firmware_bridge.notices import tell  # noqa: E402

PLAIN, COMPILED = "encode.tflite", "encode_edgetpu.tflite"


def graph(kind: int, options: Any, options_type: int) -> bytes:
    """z = x (kind) y on four values, under the names of a signature."""
    model, part, operator = schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    code, signature = schema.OperatorCodeT(), schema.SignatureDefT()
    code.builtinCode = code.deprecatedBuiltinCode = kind
    code.version = 1
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0, 1], [2]
    operator.builtinOptions, operator.builtinOptionsType = options, options_type
    part.tensors = []
    for name in ("first", "second", "result"):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.hasRank, tensor.buffer = name, [1, 4], True, 0
        part.tensors.append(tensor)
    part.inputs, part.outputs, part.operators = [0, 1], [2], [operator]
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs, signature.outputs = [], []
    for group, name, index in (("inputs", "b", 1), ("inputs", "a", 0), ("outputs", "z", 2)):
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, index
        getattr(signature, group).append(entry)
    model.version, model.subgraphs, model.operatorCodes = 3, [part], [code]
    model.buffers, model.signatureDefs = [schema.BufferT()], [signature]
    builder = flatbuffers.Builder(512)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


SUM = graph(schema.BuiltinOperator.ADD, schema.AddOptionsT(), schema.BuiltinOptions.AddOptions)
DIFFERENCE = graph(
    schema.BuiltinOperator.SUB, schema.SubOptionsT(), schema.BuiltinOptions.SubOptions
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A graph that adds, and beside it a "compiled" one that subtracts: it tells which one ran."""
    (tmp_path / PLAIN).write_bytes(SUM)
    (tmp_path / COMPILED).write_bytes(DIFFERENCE)
    return tmp_path


@pytest.fixture
def edge_tpu(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """An Edge TPU whose delegate takes nothing: the interpreter then runs the graph itself."""
    given: list[Any] = []

    def interpreter(experimental_delegates: Any = (), **arguments: Any) -> Any:
        given.extend(experimental_delegates)
        return real.Interpreter(**arguments)

    real = litert.LIBRARY
    simulated = SimpleNamespace(Interpreter=interpreter, load_delegate=lambda name: f"the {name}")
    monkeypatch.setattr(litert, "LIBRARY", simulated)
    monkeypatch.setattr(litert.ctypes, "CDLL", lambda name: None)
    return given


def result(path: Path) -> tuple[list[float], str]:
    session = litert.LiteRtSession(path, threads=1)
    assert (session.inputs, session.outputs) == ({"a": (4,), "b": (4,)}, {"z": (4,)})
    out = np.zeros(4, np.float32)
    given = {"a": np.full(4, 5, np.float32), "b": np.arange(4, dtype=np.float32)}
    session.run(given, {"z": out})
    return out.tolist(), session.device


def test_the_compiled_graph_runs_where_there_is_an_edge_tpu(
    folder: Path, edge_tpu: list[Any]
) -> None:
    values, device = result(folder / PLAIN)
    assert values == [5, 4, 3, 2], "the compiled graph, its tensors by the plain one's names"
    assert device.startswith("Edge TPU with ")
    assert edge_tpu == [f"the {litert.EDGE_TPU}"]


def test_without_one_the_plain_graph_runs_and_it_is_told_once(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litert, "EDGE_TPU", "libedgetpu-there-is-none.so.1")
    tell.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            values, device = result(folder / PLAIN)
            assert values == [5, 6, 7, 8]
            assert "Edge TPU" not in device
    (told,) = caplog.messages
    assert told.startswith("no Edge TPU, the CPU runs everything: libedgetpu-there-is-none.so.1")


def test_a_graph_that_was_not_compiled_asks_for_no_edge_tpu(
    folder: Path, edge_tpu: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    (folder / COMPILED).unlink()
    assert result(folder / PLAIN)[0] == [5, 6, 7, 8]
    assert (edge_tpu, caplog.messages) == ([], [])
