"""OpenVINO's intermediate representation, by the library; its weights stand beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from edge_ttvos.targets.operators.base import (
    UNKNOWN_SIDE,
    Operand,
    Operator,
    Operators,
    plain_values,
)

NO_OPERATORS = ("Parameter", "Constant", "Result")
DTYPES = {"f": "float", "u": "uint", "i": "int"}


def read(path: Path) -> Operators:
    """The operators in the order that they can run in."""
    import openvino

    model = openvino.Core().read_model(path)
    found = []
    for node in model.get_ordered_ops():
        if node.get_type_name() in NO_OPERATORS:
            continue
        version = re.fullmatch(r"(\D*)(\d*)", str(node.get_type_info().version_id))
        inputs = [port.get_source_output() for port in node.inputs()]
        found.append(
            Operator(
                node.get_type_name(),
                tuple(_operand(port) for port in inputs),
                tuple(_operand(port) for port in node.outputs()),
                plain_values(node.get_attributes()),
                version[1] if version else "unknown",
                int(version[2] or 0) if version else 0,
            )
        )
    return tuple(found)


def _operand(port: Any) -> Operand:
    partial = port.get_partial_shape()
    shape = None
    if not partial.rank.is_dynamic:
        shape = tuple(UNKNOWN_SIDE if side.is_dynamic else side.get_length() for side in partial)
    dtype = re.sub(r"^[fui](?=\d)", lambda m: DTYPES[m[0]], port.get_element_type().get_type_name())
    return Operand(shape, dtype, port.get_node().get_type_name() == "Constant")
