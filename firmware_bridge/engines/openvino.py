"""OpenVINO as an engine: its intermediate representation, tensors on the arena's memory."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import openvino

from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.engines.graphs import Arrays, GraphEngine, open_graphs
from edge_ttvos.firmware_bridge.machine import device

VERSION: str = openvino.get_version().partition("-")[0]
DEVICE, CAPABILITIES = "CPU", "OPTIMIZATION_CAPABILITIES"


def open_openvino(model: str, options: EngineOptions) -> GraphEngine:
    """Open a bundle whose graphs are OpenVINO's.

    Raises:
        BundleError: it is no sound bundle.
        EngineError: it was made for another engine, its graphs do not load, or the processor has
            no bfloat16 and it is asked for.
    """
    if options.bfloat16 and "BF16" not in openvino.Core().get_property(DEVICE, CAPABILITIES):
        raise EngineError("this processor does not compute in bfloat16")
    session = partial(OpenVinoSession, precision="bf16" if options.bfloat16 else "f32")
    return open_graphs("openvino", VERSION, session, model, options)


class OpenVinoSession:
    """One XML file and its weights on the CPU, computed in float32 unless told otherwise."""

    def __init__(self, path: Path, threads: int, precision: str = "f32") -> None:
        settings = _settings(threads, precision)
        compiled = openvino.Core().compile_model(str(path), DEVICE, settings)
        self.device = device()
        self._request = compiled.create_infer_request()
        self.inputs = {port.any_name: tuple(port.shape)[1:] for port in compiled.inputs}
        self.outputs = {port.any_name: tuple(port.shape)[1:] or (1,) for port in compiled.outputs}

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """Run on the arrays' own memory."""
        for name in self.inputs:
            self._request.set_tensor(name, _tensor(inputs, name))
        for name in self.outputs:
            self._request.set_tensor(name, _tensor(outputs, name))
        self._request.infer()


def operator_times(path: Path, threads: int, runs: int) -> dict[str, float]:
    """Milliseconds of a run of one graph by kind of operator, as OpenVINO counts them.

    Args:
        path: an XML file.
        threads: 0: the library's choice.
        runs: that are averaged, after one that is not counted.
    """
    settings = {**_settings(threads, "f32"), "PERF_COUNT": True}
    request = openvino.Core().compile_model(str(path), DEVICE, settings).create_infer_request()
    for tensor in request.input_tensors:
        tensor.data[:] = 0
    request.infer()
    total: Counter[str] = Counter()
    for _ in range(runs):
        request.infer()
        for entry in request.get_profiling_info():
            total[entry.node_type] += 1e3 * entry.real_time.total_seconds() / runs
    return dict(total)


def _settings(threads: int, precision: str) -> dict[str, Any]:
    return {
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
    }


def _tensor(arrays: Arrays, name: str) -> openvino.Tensor:
    array = arrays[name]
    return openvino.Tensor(array if array.shape == (1,) else array[None], shared_memory=True)
