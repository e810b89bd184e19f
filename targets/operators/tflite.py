"""LiteRT's flatbuffers, by the schema that the library ships (``tensorflow/lite/schema.fbs``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edge_ttvos.targets.operators.base import (
    MOST_VALUES,
    Codes,
    Operand,
    Operator,
    Operators,
    plain_values,
)

IDENTIFIER = b"TFL3"  # at byte 4
CUSTOM = "CUSTOM"


def read(path: Path) -> Operators:
    """The operators of every subgraph; attributes are the fields of the operator's options.

    Raises:
        ValueError: it is no such file.
    """
    from ai_edge_litert import schema_py_generated as schema

    data = path.read_bytes()
    if data[4:8] != IDENTIFIER:
        raise ValueError(f"bytes 4 to 8 must be {IDENTIFIER!r}; got {data[4:8]!r}")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    kinds, dtypes = _names(schema.BuiltinOperator), _names(schema.TensorType)
    found = []
    for number, graph in enumerate(model.subgraphs):
        operands = [
            _operand(
                tensor, f"{number}:{index}", _content(model.buffers[tensor.buffer], data), dtypes
            )
            for index, tensor in enumerate(graph.tensors)
        ]
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            kind = kinds.get(max(code.builtinCode, code.deprecatedBuiltinCode), CUSTOM)
            found.append(
                Operator(
                    kind if kind != CUSTOM else (code.customCode or b"").decode(),
                    tuple(operands[i] for i in operator.inputs if i >= 0),
                    tuple(operands[i] for i in operator.outputs if i >= 0),
                    _attributes(operator),
                    "custom" if kind == CUSTOM else "builtin",
                    code.version,
                )
            )
    return tuple(found)


def _names(enumeration: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def _content(buffer: Any, file: bytes) -> bytes:
    """What a buffer holds: inside the FlatBuffer, or behind it in the same file."""
    if buffer.data is not None:
        return bytes(buffer.data)
    return file[buffer.offset : buffer.offset + buffer.size] if buffer.offset > 1 else b""


def _operand(tensor: Any, name: str, data: bytes, dtypes: dict[int, str]) -> Operand:
    fixed = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
    shape = () if fixed is None else tuple(int(side) for side in fixed)
    constant = len(data) > 0
    ranked = shape or constant or tensor.hasRank
    dtype = dtypes[tensor.type].lower()
    return Operand(
        shape if ranked else None,
        dtype,
        constant,
        variable=bool(tensor.isVariable),
        name=name,
        values=_values(data, dtype) if constant else None,
        codes=_codes(tensor.quantization),
    )


def _values(data: bytes, dtype: str) -> tuple[float, ...] | None:
    try:
        values = np.frombuffer(data, dtype)
    except (TypeError, ValueError):  # strings, packed halves of a byte, a cut-off buffer
        return None
    return tuple(values.tolist()) if values.size <= MOST_VALUES else None


def _codes(parameters: Any) -> Codes | None:
    if parameters is None or parameters.scale is None or not len(parameters.scale):
        return None
    scales = tuple(float(scale) for scale in parameters.scale)
    points = () if parameters.zeroPoint is None else tuple(map(int, parameters.zeroPoint))
    return Codes(scales, points or (0,) * len(scales), int(parameters.quantizedDimension))


def _attributes(operator: Any) -> dict[str, Any]:
    options = operator.builtinOptions or operator.builtinOptions2
    return {} if options is None else plain_values(vars(options))
