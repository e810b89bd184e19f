"""CUDA's runtime and TensorRT as far as our engine uses them, on the CPU: ONNX Runtime computes.

They are as strict as the real ones where that has bitten people: memory is checked, a plan of
another version does not load, bytes may only be cast, and a network that is not told to keep to
its types may not hold Q/DQ.
"""

from __future__ import annotations

import ctypes
import importlib
import math
import sys
from enum import IntEnum
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ENGINE = "edge_ttvos.firmware_bridge.engines.tensorrt"


class Cuda:
    """The runtime library: blocks of this machine's memory by their address."""

    def __init__(
        self, name: bytes = b"Simulated Orin", capability: tuple[int, int] = (8, 7)
    ) -> None:
        self.name, self.capability = name, capability
        self.blocks: dict[int, Any] = {}
        self.streams = 0
        self.failing = ""  # name of a call that fails
        self.cudaGetErrorString = _Explained()

    def cudaStreamCreate(self, stream: Any) -> int:  # noqa: N802 - CUDA's own names
        self.streams += 1
        stream._obj.value = 7
        return self._code("cudaStreamCreate")

    def cudaStreamDestroy(self, stream: Any) -> int:  # noqa: N802
        self.streams -= 1
        return self._code("cudaStreamDestroy")

    def cudaStreamSynchronize(self, stream: Any) -> int:  # noqa: N802
        return self._code("cudaStreamSynchronize")

    def cudaGetDeviceProperties(self, properties: Any, device: Any) -> int:  # noqa: N802
        ctypes.memmove(properties, self.name + b"\0", len(self.name) + 1)
        return self._code("cudaGetDeviceProperties")

    def cudaDeviceGetAttribute(self, value: Any, attribute: int, device: Any) -> int:  # noqa: N802
        value._obj.value = self.capability[(75, 76).index(attribute)]
        return self._code("cudaDeviceGetAttribute")

    def cudaMalloc(self, address: Any, count: Any) -> int:  # noqa: N802
        block = ctypes.create_string_buffer(count.value)
        address._obj.value = ctypes.addressof(block)
        self.blocks[address._obj.value] = block
        return self._code("cudaMalloc")

    def cudaFree(self, address: Any) -> int:  # noqa: N802
        del self.blocks[address.value]
        return self._code("cudaFree")

    def cudaMemcpyAsync(  # noqa: N802
        self, target: Any, source: Any, count: Any, kind: Any, stream: Any
    ) -> int:
        on_device = target if kind.value == 1 else source
        assert len(self.blocks[on_device.value]) == count.value, "not the whole tensor"
        ctypes.memmove(target.value, source.value, count.value)
        return self._code("cudaMemcpyAsync")

    def _code(self, call: str) -> int:
        return 2 if call == self.failing else 0


class _Explained:
    restype: Any = None

    def __call__(self, code: Any) -> bytes:
        return b"out of memory"


class _Dtype:
    def __init__(self, name: str) -> None:
        kinds = {"uint8": np.uint8, "int8": np.int8, "float": np.float32}
        self.numpy = np.dtype(kinds[name.removeprefix("tensor(").removesuffix(")")])
        self.itemsize = self.numpy.itemsize


class _Mode(IntEnum):
    INPUT = 1
    OUTPUT = 2


class _Creation(IntEnum):
    EXPLICIT_BATCH = 0
    STRONGLY_TYPED = 1


class _Flag(IntEnum):
    TF32 = 7


class _Network:
    def __init__(self, flags: int, version: str) -> None:
        told = bool(flags >> _Creation.STRONGLY_TYPED & 1)
        self.strongly_typed = told or version.startswith("11.")
        self.graph = b""


class _Config:
    def __init__(self) -> None:
        self.flags = {_Flag.TF32}

    def clear_flag(self, flag: _Flag) -> None:
        self.flags.discard(flag)


class _Fault:
    def __init__(self, text: str) -> None:
        self.text = text

    def desc(self) -> str:
        return self.text


class _Parser:
    def __init__(self, network: _Network, logger: Any) -> None:
        self.network, self.faults = network, [_Fault("")][:0]

    @property
    def num_errors(self) -> int:
        return len(self.faults)

    def get_error(self, index: int) -> _Fault:
        return self.faults[index]

    def parse(self, graph: bytes) -> bool:
        import onnx

        try:
            model = onnx.load_from_string(graph)
        except Exception:
            self.faults.append(_Fault("Failed to parse ONNX model"))
            return False
        given = {i.name for i in model.graph.input if i.type.tensor_type.elem_type == 2}  # uint8
        for node in model.graph.node:
            if given & set(node.input) and node.op_type != "Cast":
                self.faults.append(_Fault(f"{node.op_type}: uint8 is for casts only"))
            if "QuantizeLinear" in node.op_type and not self.network.strongly_typed:
                self.faults.append(_Fault("Q/DQ in a network that is not strongly typed"))
        self.network.graph = graph
        return not self.faults


class _Engine:
    def __init__(self, graph: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        self.session = onnxruntime.InferenceSession(graph, options, providers=providers)
        self.read = {node.name: node for node in self.session.get_inputs()}
        self.written = {node.name: node for node in self.session.get_outputs()}
        self.nodes = {**self.read, **self.written}
        self.num_io_tensors = len(self.nodes)

    def get_tensor_name(self, index: int) -> str:
        return list(self.nodes)[index]

    def get_tensor_mode(self, name: str) -> _Mode:
        return _Mode.INPUT if name in self.read else _Mode.OUTPUT

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.nodes[name].shape)

    def get_tensor_dtype(self, name: str) -> _Dtype:
        return _Dtype(self.nodes[name].type)

    def create_execution_context(self) -> _Context:
        return _Context(self)


class _Context:
    def __init__(self, engine: _Engine) -> None:
        self.engine = engine
        self.addresses: dict[str, int] = {}

    def set_tensor_address(self, name: str, address: int) -> None:
        self.addresses[name] = address

    def execute_async_v3(self, stream: int) -> bool:
        arrays = {name: self._array(name) for name in self.engine.nodes}
        given = {name: arrays[name] for name in self.engine.read}
        results = self.engine.session.run(list(self.engine.written), given)
        for name, result in zip(self.engine.written, results, strict=True):
            arrays[name][...] = result
        return True

    def _array(self, name: str) -> np.ndarray:
        shape, dtype = self.engine.get_tensor_shape(name), self.engine.get_tensor_dtype(name)
        memory = (ctypes.c_char * (math.prod(shape) * dtype.itemsize)).from_address(
            self.addresses[name]
        )
        return np.frombuffer(memory, dtype.numpy).reshape(shape)


def library(version: str) -> Any:
    """A module ``tensorrt`` of a version; ``built`` holds the networks that were built."""
    made: Any = ModuleType("tensorrt")
    made.__version__, made.built = version, []
    made.__spec__ = ModuleSpec("tensorrt", None)  # others look whether there is one
    head = f"plan of {version}\n".encode()

    class Logger:
        ERROR = 1

        def __init__(self, severity: int) -> None:
            """Nothing is logged."""

    class Builder:
        def __init__(self, logger: Any) -> None:
            """There is nothing to set up."""

        def create_network(self, flags: int) -> _Network:
            return _Network(flags, version)

        def create_builder_config(self) -> _Config:
            return _Config()

        def build_serialized_network(self, network: _Network, config: _Config) -> bytes:
            made.built.append((network, config))
            return head + network.graph

    class Runtime:
        def __init__(self, logger: Any) -> None:
            """There is nothing to set up."""

        def deserialize_cuda_engine(self, plan: bytes) -> _Engine | None:
            return _Engine(plan.removeprefix(head)) if plan.startswith(head) else None

    made.Logger, made.Builder, made.Runtime = Logger, Builder, Runtime
    made.OnnxParser, made.NetworkDefinitionCreationFlag = _Parser, _Creation
    made.BuilderFlag, made.TensorIOMode = _Flag, _Mode
    return made


def install(patch: pytest.MonkeyPatch, version: str = "10.3.0", cuda: Cuda | None = None) -> Any:
    """Put both in the place of the real ones; our engine's module, which then runs on them."""
    patch.setitem(sys.modules, "tensorrt", library(version))
    patch.delitem(sys.modules, ENGINE, raising=False)
    module = importlib.import_module(ENGINE)
    del sys.modules[ENGINE]  # so that it is gone afterwards
    patch.setitem(sys.modules, ENGINE, module)
    patch.setattr(module, "load_runtime", lambda: cuda or Cuda())
    return module
