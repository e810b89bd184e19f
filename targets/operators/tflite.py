"""LiteRT's flatbuffers, by the schema that the library ships (``tensorflow/lite/schema.fbs``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_ttvos.targets.operators.base import Operand, Operator, Operators, plain_values

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
    for graph in model.subgraphs:
        operands = [_operand(tensor, model.buffers, dtypes) for tensor in graph.tensors]
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


def _operand(tensor: Any, buffers: Any, dtypes: dict[int, str]) -> Operand:
    fixed = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
    shape = () if fixed is None else tuple(int(side) for side in fixed)
    data = buffers[tensor.buffer].data
    constant = data is not None and len(data) > 0
    ranked = shape or constant or tensor.hasRank
    return Operand(
        shape if ranked else None,
        dtypes[tensor.type].lower(),
        constant,
        variable=bool(tensor.isVariable),
    )


def _attributes(operator: Any) -> dict[str, Any]:
    options = operator.builtinOptions or operator.builtinOptions2
    return {} if options is None else plain_values(vars(options))
