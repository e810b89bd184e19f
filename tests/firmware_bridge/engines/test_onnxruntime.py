"""Where ONNX Runtime puts a graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from edge_ttvos.firmware_bridge.engines import onnxruntime as engine
from edge_ttvos.firmware_bridge.machine import device

EVERY = ["CPUExecutionProvider", "AzureExecutionProvider"]
GPU = ["CUDAExecutionProvider", "TensorrtExecutionProvider", *EVERY]


@pytest.mark.parametrize(
    ("available", "chosen"),
    [
        (EVERY, ["CPU"]),
        (GPU, ["Tensorrt", "CUDA", "CPU"]),
        ([*GPU[:1], *EVERY], ["CUDA", "CPU"]),
    ],
)
def test_gpus_come_first_and_the_cpu_takes_the_rest(
    available: list[str], chosen: list[str], tmp_path: Path
) -> None:
    found = engine.choose_providers(available, False, tmp_path)
    assert [name for name, _ in found] == [f"{name}ExecutionProvider" for name in chosen]


def test_no_float_is_rounded_and_codes_are_announced(tmp_path: Path) -> None:
    plain, quantized = (dict(engine.choose_providers(GPU, it, tmp_path)) for it in (False, True))
    assert plain[engine.CUDA] == {"use_tf32": "0"}
    assert (
        plain[engine.TENSORRT]["trt_int8_enable"],
        plain[engine.TENSORRT]["trt_fp16_enable"],
    ) == (
        "0",
        "0",
    )
    assert quantized[engine.TENSORRT]["trt_int8_enable"] == "1"
    assert str(tmp_path) in plain[engine.TENSORRT]["trt_engine_cache_path"]


def test_a_graph_runs_on_what_the_session_says(write_graph: Callable[..., Path]) -> None:
    session = engine.OnnxSession(write_graph(3.0), threads=1)
    result = np.zeros((2, 3), np.float32)
    session.run({"x": np.ones((2, 3), np.float32)}, {"y": result})
    assert result.tolist() == [[3, 3, 3]] * 2
    assert session.device == device()
