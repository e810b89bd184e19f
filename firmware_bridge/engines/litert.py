"""LiteRT (TensorFlow Lite) as an engine; XNNPACK runs what it can, which is all of our graphs.

The library goes by three names: ``ai_edge_litert`` today, ``tflite_runtime`` on older systems,
``tf.lite`` where TensorFlow is installed anyway.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.engines.graphs import Arrays, GraphEngine, open_graphs

LIBRARIES = {
    "ai_edge_litert.interpreter": "ai_edge_litert",
    "tflite_runtime.interpreter": "tflite_runtime",
    "tensorflow.lite.python.interpreter": "tensorflow",
}


def _library() -> tuple[Any, str]:
    """The interpreter's class and the library's version."""
    for module, package in LIBRARIES.items():
        try:
            interpreter = import_module(module).Interpreter
        except ImportError:
            continue
        return interpreter, str(getattr(import_module(package), "__version__", "unknown"))
    raise ModuleNotFoundError("none of its libraries is there", name="ai_edge_litert")


INTERPRETER, VERSION = _library()


def open_litert(model: str, options: EngineOptions) -> GraphEngine:
    """Open a bundle whose graphs are .tflite files.

    Raises:
        BundleError: it is no sound bundle.
        EngineError: it was made for another engine, or its graphs do not load.
    """
    return open_graphs("litert", VERSION, LiteRtSession, model, options)


class LiteRtSession:
    """One .tflite file on the CPU.

    Values are copied into and out of the interpreter's own tensors: its Python interface lends
    views of them, but cannot be lent ours.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self._interpreter = INTERPRETER(model_path=str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        signature = self._interpreter.get_signature_runner()
        inputs, outputs = signature.get_input_details(), signature.get_output_details()
        self.inputs = {name: tuple(d["shape"].tolist())[1:] for name, d in inputs.items()}
        self.outputs = {name: tuple(d["shape"].tolist())[1:] or (1,) for name, d in outputs.items()}
        self._inputs = {n: self._interpreter.tensor(d["index"]) for n, d in inputs.items()}
        self._outputs = {n: self._interpreter.tensor(d["index"]) for n, d in outputs.items()}

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """Copy in, run, copy out; no view outlives its copy, as the interpreter demands."""
        for name, view in self._inputs.items():
            np.copyto(view(), inputs[name])
        self._interpreter.invoke()
        for name, view in self._outputs.items():
            np.copyto(outputs[name], view().reshape(outputs[name].shape))
