"""A TFLite flatbuffer being filled: tensors, constants, operators, one signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_ttvos.contracts import Quantization

IDENTIFIER = b"TFL3"
SIGNATURE = "serving_default"
SCHEMA_VERSION = 3

Options = tuple[str, Any]  # of an operator: the union's member by name, and its record

CONVERSIONS = {"QUANTIZE": ("INT8", 2), "DEQUANTIZE": ("FLOAT32", 2), "CAST": ("FLOAT32", 1)}
DTYPES = {"float32": "FLOAT32", "int8": "INT8", "int32": "INT32"}


class FlatModel:
    """One subgraph.

    Args:
        description: of the file, for whoever opens it.
    """

    def __init__(self, description: str) -> None:
        self.inputs: dict[str, int] = {}
        self._model = schema.ModelT()
        self._model.version = SCHEMA_VERSION
        self._model.description = description
        self._model.buffers = [schema.BufferT()]  # the first is empty, as the schema demands
        self._model.operatorCodes = []
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._kinds: dict[tuple[str, int], int] = {}

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: str,
        codes: Quantization | None = None,
        batched: bool = True,
    ) -> int:
        """A value (height, width, channels) without data; its index."""
        scale = None if codes is None else np.array([codes.scale], np.float32)
        offset = None if codes is None else np.array([codes.offset], np.int64)
        sides = (1, *shape) if batched else shape
        return self._tensor(name, sides, dtype, scale, offset)

    def constant(self, name: str, data: NDArray[Any], codes: Quantization | None = None) -> int:
        """Fixed data of its own shape; its index."""
        scale = None if codes is None else np.array([codes.scale], np.float32)
        offset = None if codes is None else np.array([codes.offset], np.int64)
        return self._tensor(name, data.shape, DTYPES[data.dtype.name], scale, offset, data)

    def kernel(self, name: str, codes: NDArray[np.int8], scales: NDArray[np.float32]) -> int:
        """Symmetric weights with a scale for each output channel, the first side."""
        zeros = np.zeros(len(scales), np.int64)
        return self._tensor(name, codes.shape, "INT8", scales, zeros, codes)

    def bias(self, name: str, values: NDArray[np.float32], scales: NDArray[np.float32]) -> int:
        """Floats as int32 in the scales of input × weight."""
        limits = np.iinfo(np.int32)
        codes = np.clip(np.rint(values.astype(np.float64) / scales), limits.min, limits.max)
        zeros = np.zeros(len(scales), np.int64)
        return self._tensor(name, values.shape, "INT32", scales, zeros, codes.astype(np.int32))

    def convert(
        self, kind: str, source: int, shape: tuple[int, ...], codes: Quantization | None = None
    ) -> int:
        """Codes to floats, floats or other codes to codes, bytes to floats; the result's index."""
        dtype, version = CONVERSIONS[kind]
        name = self._graph.tensors[source].name.decode()
        given = self.tensor(f"{name}.{kind.lower()}", shape, dtype, codes)
        self.operator(kind, version, [source], given, ("NONE", None))
        return given

    def reshape(
        self,
        name: str,
        source: int,
        shape: tuple[int, ...],
        dtype: str,
        codes: Quantization | None,
    ) -> int:
        """The same values in another shape, batch included; the result's index."""
        options = schema.ReshapeOptionsT()
        options.newShape = np.array(shape, np.int32)
        sides = self.constant(f"{name}.shape", options.newShape)
        given = self.tensor(name, shape, dtype, codes, batched=False)
        self.operator("RESHAPE", 1, [source, sides], given, ("ReshapeOptions", options))
        return given

    def operator(
        self, kind: str, version: int, inputs: list[int], output: int, options: Options
    ) -> None:
        """One operator more, after all others."""
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(kind, version)
        operator.inputs = np.array(inputs, np.int32)
        operator.outputs = np.array([output], np.int32)
        member, record = options
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, member)
        operator.builtinOptions = record
        self._graph.operators.append(operator)

    def serialized(self, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> bytes:
        """The file, with its one signature."""
        self._graph.inputs = np.array(list(inputs.values()), np.int32)
        self._graph.outputs = np.array(list(outputs.values()), np.int32)
        signature = schema.SignatureDefT()
        signature.signatureKey = SIGNATURE
        signature.subgraphIndex = 0
        signature.inputs, signature.outputs = _maps(inputs), _maps(outputs)
        self._model.subgraphs, self._model.signatureDefs = [self._graph], [signature]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self._model.Pack(builder), IDENTIFIER)
        return bytes(builder.Output())

    def _tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: str,
        scale: NDArray[np.float32] | None = None,
        offset: NDArray[np.int64] | None = None,
        data: NDArray[Any] | None = None,
    ) -> int:
        tensor = schema.TensorT()
        tensor.name = name.encode()
        tensor.shape = np.array(shape, np.int32)
        tensor.type = getattr(schema.TensorType, dtype)
        tensor.hasRank = True
        tensor.buffer = 0 if data is None else self._buffer(data)
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = scale, offset
            tensor.quantization.quantizedDimension = 0
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _buffer(self, data: NDArray[Any]) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        return len(self._model.buffers) - 1

    def _code(self, kind: str, version: int) -> int:
        if (kind, version) not in self._kinds:
            code = schema.OperatorCodeT()
            code.builtinCode = getattr(schema.BuiltinOperator, kind)
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)  # as older readers look for it
            code.version = version
            self._kinds[kind, version] = len(self._model.operatorCodes)
            self._model.operatorCodes.append(code)
        return self._kinds[kind, version]


def _maps(tensors: Mapping[str, int]) -> list[Any]:
    found = []
    for name, index in tensors.items():
        pair = schema.TensorMapT()
        pair.name, pair.tensorIndex = name.encode(), index
        found.append(pair)
    return found
