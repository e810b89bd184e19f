"""LiteRT (TensorFlow Lite) as an engine; XNNPACK runs what it can, which is all of our graphs.

The library goes by three names: ``ai_edge_litert`` today, ``tflite_runtime`` on older systems,
``tf.lite`` where TensorFlow is installed anyway. A graph that has its compiled form beside it runs
on an Edge TPU where there is one.
"""

from __future__ import annotations

import ctypes
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from edge_ttvos.firmware_bridge.bundle.paths import compiled_path
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.engines.graphs import Arrays, GraphEngine, open_graphs
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.firmware_bridge.notices import tell

LIBRARIES = {
    "ai_edge_litert.interpreter": "ai_edge_litert",
    "tflite_runtime.interpreter": "tflite_runtime",
    "tensorflow.lite.python.interpreter": "tensorflow",
}
EDGE_TPU = "libedgetpu.so.1"  # the Edge TPU's runtime, a delegate of the interpreter


def _library() -> tuple[Any, str]:
    """The interpreter's module and the library's version."""
    for module, package in LIBRARIES.items():
        try:
            interpreter = import_module(module)
        except ImportError:
            continue
        return interpreter, str(getattr(import_module(package), "__version__", "unknown"))
    raise ModuleNotFoundError("none of its libraries is there", name="ai_edge_litert")


LIBRARY, VERSION = _library()


def open_litert(model: str, options: EngineOptions) -> GraphEngine:
    """Open a bundle whose graphs are .tflite files.

    Raises:
        BundleError: it is no sound bundle.
        EngineError: it was made for another engine, or its graphs do not load.
    """
    return open_graphs("litert", VERSION, LiteRtSession, model, options)


def edge_tpu() -> Any | None:
    """The Edge TPU as a delegate; None, and a notice, where runtime or device are missing."""
    try:
        ctypes.CDLL(EDGE_TPU)  # a delegate whose library is missing complains when it is dropped
        return LIBRARY.load_delegate(EDGE_TPU)
    except (OSError, ValueError) as error:
        tell(f"no Edge TPU, the CPU runs everything: {EDGE_TPU} cannot be used: {error}")
        return None


class LiteRtSession:
    """One .tflite file on the CPU, or on an Edge TPU if it was compiled for one and one is there.

    Values are copied into and out of the interpreter's own tensors: its Python interface lends
    views of them, but cannot be lent ours.
    """

    def __init__(self, path: Path, threads: int) -> None:
        compiled = path.with_name(compiled_path(path.name))
        delegate = edge_tpu() if compiled.is_file() else None
        plain = LIBRARY.Interpreter(model_path=str(path), num_threads=threads)
        self._interpreter, self.device = plain, device()
        if delegate is not None:
            self._interpreter = LIBRARY.Interpreter(
                model_path=str(compiled), num_threads=threads, experimental_delegates=[delegate]
            )
            self.device = f"Edge TPU with {device()}"
        self._interpreter.allocate_tensors()
        signature = plain.get_signature_runner()
        inputs, outputs = signature.get_input_details(), signature.get_output_details()
        self.inputs = {name: tuple(d["shape"].tolist())[1:] for name, d in inputs.items()}
        self.outputs = {name: tuple(d["shape"].tolist())[1:] or (1,) for name, d in outputs.items()}
        self._inputs = self._views(inputs, "get_input_details", plain)
        self._outputs = self._views(outputs, "get_output_details", plain)

    def _views(self, named: Any, listing: str, plain: Any) -> dict[str, Any]:
        """Access to tensors by name; a compiled graph has those of the plain one in its order."""
        places = [detail["index"] for detail in getattr(plain, listing)()]
        indices = [detail["index"] for detail in getattr(self._interpreter, listing)()]
        return {
            name: self._interpreter.tensor(indices[places.index(detail["index"])])
            for name, detail in named.items()
        }

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """Copy in, run, copy out; no view outlives its copy, as the interpreter demands."""
        for name, view in self._inputs.items():
            np.copyto(view(), inputs[name])
        self._interpreter.invoke()
        for name, view in self._outputs.items():
            np.copyto(outputs[name], view().reshape(outputs[name].shape))
