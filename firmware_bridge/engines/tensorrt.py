"""TensorRT as an engine: ONNX graphs, from which it builds plans on the board itself.

Building takes minutes; plans are kept (``plans``). The types in the graph are what is computed: no
precision is chosen here.
"""

from __future__ import annotations

import hashlib
import math
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import tensorrt

from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.engines import plans
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.engines.cuda import Gpu, load_runtime
from edge_ttvos.firmware_bridge.engines.graphs import Arrays, GraphEngine, open_graphs
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.firmware_bridge.notices import tell

VERSION: str = tensorrt.__version__
LOG = tensorrt.Logger(tensorrt.Logger.ERROR)
FLAG = tensorrt.NetworkDefinitionCreationFlag


def open_tensorrt(model: str, options: EngineOptions) -> GraphEngine:
    """Open a bundle whose graphs are ONNX files for TensorRT.

    Raises:
        BundleError: it is no sound bundle.
        EngineError: it was made for another engine, this TensorRT is of an unknown major version,
            there is no GPU, or a graph does not build.
    """
    plans.settings_for(VERSION)
    return open_graphs("tensorrt", VERSION, TensorRtSession, model, options)


class TensorRtSession:
    """One ONNX graph on the GPU, with buffers of its own there.

    Args:
        path: the graph.
        threads: idle; the GPU has its own.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self._held = ExitStack()  # what the session has on the GPU
        weakref.finalize(self, self._held.close)
        self._gpu = Gpu(load_runtime())
        self._held.callback(self._gpu.close)
        self.device = f"{self._gpu.name} of {device()}"
        self._engine = plan_engine(path.read_bytes(), self._gpu)
        self._context = self._engine.create_execution_context()
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        self._places = {name: self._place(name) for name in names}
        read = [name for name in names if self._is_input(name)]
        self.inputs = self._shapes(name for name in names if name in read)
        self.outputs = self._shapes(name for name in names if name not in read)

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """Copy in, run, copy out, wait."""
        for name in self.inputs:
            self._gpu.send(inputs[name], self._places[name])
        if not self._context.execute_async_v3(self._gpu.stream):
            raise EngineError(f"TensorRT {VERSION} failed to run a graph; its own words are above")
        for name in self.outputs:
            self._gpu.fetch(self._places[name], outputs[name])
        self._gpu.wait()

    def _place(self, name: str) -> int:
        """Memory on the GPU for a tensor."""
        shape, dtype = self._engine.get_tensor_shape(name), self._engine.get_tensor_dtype(name)
        address = self._gpu.allocate(math.prod(shape) * dtype.itemsize)
        self._held.callback(self._gpu.free, address)
        self._context.set_tensor_address(name, address)
        return address

    def _is_input(self, name: str) -> bool:
        return bool(self._engine.get_tensor_mode(name) == tensorrt.TensorIOMode.INPUT)

    def _shapes(self, names: Any) -> Mapping[str, tuple[int, ...]]:
        return {n: tuple(self._engine.get_tensor_shape(n))[1:] or (1,) for n in names}


def plan_engine(graph: bytes, gpu: Gpu, folder: Path | None = None) -> Any:
    """TensorRT's engine of an ONNX graph: from the kept plan, or from one that is built and kept.

    Raises:
        EngineError: the graph cannot be built, or this TensorRT is unknown.
    """
    folder, settings = folder or plans.cache_folder(), plans.settings_for(VERSION)
    model = hashlib.sha256(graph).hexdigest()
    key = plans.Key(gpu.name, gpu.capability, VERSION, model, settings)
    runtime = tensorrt.Runtime(LOG)
    plan = plans.load(folder, key)
    engine = None if plan is None else runtime.deserialize_cuda_engine(plan)
    if engine is None:
        plan = build(graph, settings)
        plans.store(folder, key, plan)
        engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise EngineError(f"TensorRT {VERSION} does not load the plan that it has built itself")
    return engine


def build(graph: bytes, settings: plans.Settings) -> bytes:
    """A plan of an ONNX graph, for the GPU at hand; takes minutes.

    Raises:
        EngineError: TensorRT does not take the graph; with its own words.
    """
    tell("TensorRT builds its plans of the graphs: this takes minutes, once")
    builder = tensorrt.Builder(LOG)
    typed = int(settings.strongly_typed) << int(FLAG.STRONGLY_TYPED)
    network = builder.create_network(typed)
    parser = tensorrt.OnnxParser(network, LOG)
    if not parser.parse(graph):
        faults = "; ".join(parser.get_error(i).desc() for i in range(parser.num_errors))
        raise EngineError(f"TensorRT {VERSION} does not take the graph: {faults}")
    config = builder.create_builder_config()
    if not settings.tf32:
        config.clear_flag(tensorrt.BuilderFlag.TF32)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineError(f"TensorRT {VERSION} cannot build the graph; its own words are above")
    return bytes(plan)
