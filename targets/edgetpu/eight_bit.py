"""Graphs with 8-bit codes throughout, as the Edge TPU's compiler wants them.

A float graph is judged on a copy that ai-edge-quantizer makes of it. The copy's scales come from
noise: it has the operators, shapes and types of a quantized graph, which is all that judging takes,
and must never be run for its answers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import EngineError
from edge_ttvos.files import write_bytes
from edge_ttvos.targets.export.quiet import quietly
from edge_ttvos.targets.operators.base import Operators
from edge_ttvos.targets.rules.edgetpu import CODES

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
SIGNATURE = "serving_default"


def has_codes(operators: Operators) -> bool:
    """Whether anything that has weights computes with 8-bit codes: a float graph has none."""
    return any(
        operand.dtype in CODES
        for operator in operators
        if operator.kind in WEIGHTED
        for operand in operator.inputs[:2]
    )


def eight_bit_copy(path: Path, folder: Path) -> Path:
    """Quantize a float LiteRT graph for judging; the copy's path.

    Raises:
        EngineError: ai-edge-quantizer is not installed.
        ExportError: it failed.
    """
    try:
        from ai_edge_quantizer import quantizer, recipe
    except ModuleNotFoundError as error:
        raise EngineError(
            f"judging for the Edge TPU needs {error.name}, which is not installed; type: "
            "pip install ai-edge-quantizer"
        ) from error
    with quietly(f"{path.name} with 8-bit codes"):
        work = quantizer.Quantizer(str(path), recipe.static_wi8_ai8())
        ranges = work.calibrate({SIGNATURE: [noise(path)]})
        data: bytes = bytes(work.quantize(ranges).quantized_model)
    copy = folder / path.name
    write_bytes(copy, data)
    return copy


def noise(path: Path) -> dict[str, NDArray[Any]]:
    """Something for every input of a graph, by name."""
    from ai_edge_litert.interpreter import Interpreter

    random = np.random.default_rng(0)
    details = Interpreter(model_path=str(path)).get_signature_runner().get_input_details()
    return {
        name: random.integers(0, 256, detail["shape"]).astype(np.uint8)
        if detail["dtype"] == np.uint8
        else random.standard_normal(detail["shape"]).astype(np.float32)
        for name, detail in details.items()
    }
