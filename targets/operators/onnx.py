"""ONNX files, by onnx with inferred shapes; values in other files are noticed, never opened."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from edge_ttvos.targets.operators.base import (
    MOST_VALUES,
    UNKNOWN_SIDE,
    Operand,
    Operator,
    Operators,
    plain_values,
)

DEFAULT_DOMAIN = "ai.onnx"  # also written as nothing at all


def read(path: Path) -> Operators:
    """The nodes of the graph; of subgraphs in attributes only the name is kept."""
    import onnx

    model = onnx.load(path, load_external_data=False)
    model = onnx.shape_inference.infer_shapes(model)
    versions = {entry.domain or DEFAULT_DOMAIN: entry.version for entry in model.opset_import}
    operands = _operands(onnx, model.graph)
    return tuple(
        Operator(
            node.op_type,
            _look_up(operands, node.input),
            _look_up(operands, node.output),
            plain_values({a.name: _value(onnx, a) for a in node.attribute}),
            node.domain or DEFAULT_DOMAIN,
            versions.get(node.domain or DEFAULT_DOMAIN, 0),
        )
        for node in model.graph.node
    )


def _operands(onnx: Any, graph: Any) -> dict[str, Operand]:
    found = {}
    for value in (*graph.input, *graph.output, *graph.value_info):
        tensor = value.type.tensor_type
        shape = None
        if tensor.HasField("shape"):
            shape = tuple(
                side.dim_value if side.HasField("dim_value") else UNKNOWN_SIDE
                for side in tensor.shape.dim
            )
        found[value.name] = Operand(shape, _dtype(onnx, tensor.elem_type), name=value.name)
    for tensor in graph.initializer:
        external = tensor.data_location == onnx.TensorProto.EXTERNAL
        dtype = _dtype(onnx, tensor.data_type)
        values = None if external else _values(onnx, tensor)
        name = tensor.name
        found[name] = Operand(tuple(tensor.dims), dtype, True, external, name=name, values=values)
    return found


def _values(onnx: Any, tensor: Any) -> tuple[float, ...] | None:
    if math.prod(tensor.dims) > MOST_VALUES or tensor.data_type == onnx.TensorProto.STRING:
        return None
    return tuple(onnx.numpy_helper.to_array(tensor).flatten().tolist())


def _look_up(operands: Mapping[str, Operand], names: Iterable[str]) -> tuple[Operand, ...]:
    return tuple(operands.get(name, Operand(None, "unknown", name=name)) for name in names if name)


def _dtype(onnx: Any, number: int) -> str:
    if number == onnx.TensorProto.UNDEFINED:
        return "unknown"
    name = str(onnx.TensorProto.DataType.Name(number)).lower()
    return {"float": "float32", "double": "float64"}.get(name, name)


def _value(onnx: Any, attribute: Any) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    return getattr(value, "name", value)
