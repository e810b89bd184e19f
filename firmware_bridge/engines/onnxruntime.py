"""ONNX Runtime as an engine: graphs in ONNX, input and output bound to the arena's memory.

On the GPU where the installed package has a provider for it, else on the CPU.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.engines.graphs import Arrays, GraphEngine, open_graphs
from edge_ttvos.firmware_bridge.engines.plans import cache_folder
from edge_ttvos.firmware_bridge.machine import device

VERSION: str = onnxruntime.__version__
TENSORRT, CUDA, CPU = (f"{n}ExecutionProvider" for n in ("Tensorrt", "CUDA", "CPU"))
WITH = {TENSORRT: "GPU (TensorRT) of ", CUDA: "GPU (CUDA) of "}
DTYPES = {"tensor(float)": np.float32, "tensor(int8)": np.int8, "tensor(uint8)": np.uint8}
QUANTIZED = b"QuantizeLinear"  # a node's type, as the file spells it


def open_onnxruntime(model: str, options: EngineOptions) -> GraphEngine:
    """Open a bundle whose graphs are ONNX files.

    Raises:
        BundleError: it is no sound bundle.
        EngineError: it was made for another engine, or its graphs do not load.
    """
    return open_graphs("onnxruntime", VERSION, OnnxSession, model, options)


def choose_providers(
    available: Sequence[str], quantized: bool, cache: Path
) -> list[tuple[str, dict[str, str]]]:
    """Providers in the order in which they get the graph's nodes, with their settings.

    Float32 stays float32: neither is allowed to round products to 10 bits.

    Args:
        available: in the installed package.
        quantized: whether the graph has Q/DQ nodes, which TensorRT must be told.
        cache: folder for TensorRT's plans.
    """
    settings = {
        TENSORRT: {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(cache / f"onnxruntime-{VERSION}"),
            "trt_int8_enable": str(int(quantized)),
            "trt_fp16_enable": str(int(quantized)),
        },
        CUDA: {"use_tf32": "0"},
        CPU: {},
    }
    return [(name, options) for name, options in settings.items() if name in available]


class OnnxSession:
    """One ONNX file, on what ``choose_providers`` finds."""

    def __init__(self, path: Path, threads: int) -> None:
        self._session = _open(path, _options(threads))
        self.device = WITH.get(self._session.get_providers()[0], "") + device()
        self._binding = self._session.io_binding()
        self.inputs = _shapes(self._session.get_inputs())
        self.outputs = _shapes(self._session.get_outputs())

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """Run on the arrays' own memory."""
        for name, shape in self.inputs.items():
            self._binding.bind_input(name, *_place(inputs[name], shape))
        for name, shape in self.outputs.items():
            self._binding.bind_output(name, *_place(outputs[name], shape))
        self._session.run_with_iobinding(self._binding)


def operator_times(path: Path, threads: int, runs: int) -> dict[str, float]:
    """Milliseconds of a run of one graph by kind of operator, from ONNX Runtime's own profile.

    Args:
        path: an ONNX file.
        threads: 0: the library's choice.
        runs: that are averaged, after one that is not counted.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = _options(threads)
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = _open(path, options)
        inputs = {
            node.name: np.zeros(node.shape, DTYPES[node.type]) for node in session.get_inputs()
        }
        for _ in range(1 + runs):
            session.run(None, inputs)
        events = json.loads(Path(session.end_profiling()).read_text())
    kernels = [event for event in events if event["name"].endswith("_kernel_time")]
    total: Counter[str] = Counter()
    for event in kernels[len(kernels) // (1 + runs) :]:
        total[event["args"]["op_name"]] += event["dur"] / 1e3 / runs
    return dict(total)


def _options(threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    # between two graphs there is NumPy's work: threads that spin meanwhile would slow it
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _open(path: Path, options: Any) -> Any:
    providers = choose_providers(
        onnxruntime.get_available_providers(), QUANTIZED in path.read_bytes(), cache_folder()
    )
    return onnxruntime.InferenceSession(str(path), options, providers=providers)


def _place(array: NDArray[Any], shape: tuple[int, ...]) -> tuple[str, int, Any, list[int], int]:
    return "cpu", 0, array.dtype.type, _batched(shape), array.ctypes.data


def _batched(shape: tuple[int, ...]) -> list[int]:
    return [1] if shape == (1,) else [1, *shape]


def _shapes(nodes: Any) -> Mapping[str, tuple[int, ...]]:
    return {node.name: tuple(node.shape[1:]) or (1,) for node in nodes}
