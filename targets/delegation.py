"""What engines say themselves about a graph, on the machine that this runs on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

DELEGATE = "DELEGATE"
DEVICE = "CPU"


def left_by_xnnpack(path: Path) -> tuple[str, ...]:
    """Kinds of the operators that LiteRT runs in its own kernels, in the graph's order.

    The interpreter lists a graph's operators and, after them, the delegates that took some of them:
    taken is what lies between a delegate's outputs and its inputs.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    nodes: list[Mapping[str, Any]] = interpreter._get_ops_details()
    operators = [node for node in nodes if node["op_name"] != DELEGATE]
    taken: set[int] = set()
    for node in nodes:
        if node["op_name"] == DELEGATE:
            taken |= _between(operators, node["inputs"], node["outputs"])
    return tuple(node["op_name"] for i, node in enumerate(operators) if i not in taken)


def _between(
    operators: Sequence[Mapping[str, Any]], inputs: Iterable[int], outputs: Iterable[int]
) -> set[int]:
    """Indices of the operators that make ``outputs`` from ``inputs``."""
    makers = {int(tensor): i for i, node in enumerate(operators) for tensor in node["outputs"]}
    given, wanted = set(map(int, inputs)), list(map(int, outputs))
    found: set[int] = set()
    while wanted:
        tensor = wanted.pop()
        maker = makers.get(tensor)
        if tensor in given or maker is None or maker in found:
            continue
        found.add(maker)
        wanted += map(int, operators[maker]["inputs"])
    return found


def refused_by_openvino(path: Path) -> tuple[str, ...]:
    """Kinds of the operators that OpenVINO's CPU plugin says it does not run."""
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    taken = core.query_model(model, DEVICE)
    return tuple(
        node.get_type_name()
        for node in model.get_ordered_ops()
        if node.get_friendly_name() not in taken
    )
