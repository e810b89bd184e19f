"""Integer TFLite files, written operator by operator to the format's published schema.

Source: tensorflow/lite/schema/schema.fbs and the 8-bit quantization specification
(tensorflow.org/lite/performance/quantization_spec): weights symmetric with a scale for each output
channel, biases int32 in input scale × weight scale, activations affine int8.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray
from torch import Tensor

from edge_ttvos import origin
from edge_ttvos.contracts import Quantization
from edge_ttvos.files import write_bytes
from edge_ttvos.quantize.graph import Graph, Node
from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.quantize.scheme import key, on_integers
from edge_ttvos.targets.export.quantized.tflite_model import FlatModel, Options

SUFFIX = ".tflite"
BYTES = Quantization(1.0, 0)  # of the camera's frame, uint8
FRAME = "frame"

# Operators by kind, and the version of each that takes int8.
OPERATORS = {
    "conv": ("CONV_2D", 3),
    "add": ("ADD", 2),
    "concat": ("CONCATENATION", 2),
    "resize": ("RESIZE_BILINEAR", 3),
    "average_pool": ("AVERAGE_POOL_2D", 2),
    "leaky_relu": ("LEAKY_RELU", 2),
    "depth_to_space": ("DEPTH_TO_SPACE", 1),
    "mean": ("MEAN", 2),
    "sigmoid": ("LOGISTIC", 2),
}


def export(model: QuantizedModel, graph: Graph, folder: Path) -> tuple[Path, ...]:
    """Write one graph; the paths written.

    Raises:
        OutputError: the file cannot be written.
    """
    path = folder / f"{graph.name}{SUFFIX}"
    write_bytes(path, Writer(model, graph).serialized())
    return (path,)


class Writer:
    """One graph on its way into a file.

    Each value stands as codes, as floats, or as both where both kinds of operators take it.

    Attributes:
        operators: by kind of node, the format's name and version.
    """

    operators = OPERATORS

    def __init__(self, model: QuantizedModel, graph: Graph) -> None:
        self.model, self.graph = model, graph
        self.flat = FlatModel(f"edge-ttvos {origin.version()}, {graph.name}")
        self._codes: dict[tuple[str, Quantization], int] = {}  # tensors by value and scale
        self._floats: dict[str, int] = {}

    def serialized(self) -> bytes:
        """The whole file."""
        for node in self.graph.nodes:
            self._write(node)
        outputs = {name: self._output(name, node) for name, node in self.graph.outputs.items()}
        return self.flat.serialized(self.flat.inputs, outputs)

    def _quantization(self, name: str) -> Quantization | None:
        return self.model.scheme.values.get(key(self.graph, name))

    def _write(self, node: Node) -> None:
        if node.kind == "input":
            self._input(node)
        elif node.kind == "constant":
            return  # written in the form that an operator takes it in
        elif on_integers(self.graph, node, self.model.scheme, self.model.recipe):
            codes = self._quantization(node.name)
            assert codes is not None
            self._codes[node.name, codes] = self._operate(node, codes)
        else:
            self._floats[node.name] = self._operate(node, None)

    def _input(self, node: Node) -> None:
        codes = self._quantization(node.name)
        if node.name == FRAME:
            given = self.flat.tensor(node.name, node.shape, "UINT8", BYTES)
        else:
            given = self.flat.tensor(node.name, node.shape, "INT8" if codes else "FLOAT32", codes)
        self.flat.inputs[node.name] = given
        if codes is None:
            self._floats[node.name] = (
                self.flat.convert("CAST", given, node.shape) if node.name == FRAME else given
            )
        elif node.name == FRAME:
            self._codes[node.name, codes] = self.flat.convert("QUANTIZE", given, node.shape, codes)
        else:
            self._codes[node.name, codes] = given

    def _taken(self, name: str, codes: Quantization | None) -> int:
        """The tensor of a value in these codes, or in floats; converted where it is not there."""
        if name in self.graph.constants:
            return self._constant(name, codes)
        shape, own = self.graph.node(name).shape, self._quantization(name)
        if codes is None:
            if name not in self._floats:
                assert own is not None
                given = self._codes[name, own]
                self._floats[name] = self.flat.convert("DEQUANTIZE", given, shape)
            return self._rounded(name, shape, own)
        if (name, codes) not in self._codes:
            source = self._floats[name] if own in (None, codes) else self._taken(name, own)
            self._codes[name, codes] = self.flat.convert("QUANTIZE", source, shape, codes)
        return self._codes[name, codes]

    def _constant(self, name: str, codes: Quantization | None) -> int:
        """A fixed map in these codes, through its own ones, or what its own stand for."""
        own = self._quantization(name)
        values = self.graph.constants[name].numpy()[None]
        if own is not None:
            values = (coded(values, own).astype(np.float32) - own.offset) * np.float32(own.scale)
        if codes is None:
            return self.flat.constant(name, values)
        if (name, codes) not in self._codes:
            fixed = coded(values, codes)
            self._codes[name, codes] = self.flat.constant(f"{name}.codes", fixed, codes)
        return self._codes[name, codes]

    def _rounded(self, name: str, shape: tuple[int, ...], own: Quantization | None) -> int:
        """Floats that a float operator made are what their codes stand for, where they have any."""
        if own is None or (name, own) in self._codes:
            return self._floats[name]
        self._codes[name, own] = self.flat.convert("QUANTIZE", self._floats[name], shape, own)
        self._floats[name] = self.flat.convert("DEQUANTIZE", self._codes[name, own], shape)
        return self._floats[name]

    def _operate(self, node: Node, codes: Quantization | None) -> int:
        """The node's operator, in codes or in floats; the tensor that it gives."""
        taken = self._inputs(node, codes)
        options = getattr(self, f"_{node.kind}")(node, taken, codes)
        operator, version = self.operators[node.kind]
        dtype = "INT8" if codes else "FLOAT32"
        result = self.flat.tensor(node.name, node.shape, dtype, codes)
        self.flat.operator(operator, version, taken, result, options)
        return result

    def _inputs(self, node: Node, codes: Quantization | None) -> list[int]:
        if codes is None:
            return [self._taken(name, None) for name in node.inputs]
        same = node.kind == "concat"
        found = []
        for name in node.inputs:
            own = codes if same else self._quantization(name)
            assert own is not None
            found.append(self._taken(name, own))
        return found

    def _conv(self, node: Node, taken: list[int], codes: Quantization | None) -> Options:
        layer = node.name
        weights = self._kernel(node, codes).permute(0, 2, 3, 1).contiguous().numpy()
        bias = self.model.biases.get(layer)
        values = np.zeros(len(weights), np.float32) if bias is None else bias.numpy()
        if node.padding and not self._pads_itself(node):
            taken[0] = self._padded(node, taken[0], codes)
        if codes is None:
            taken += [self.flat.constant(f"{layer}.weight", weights)]
            taken += [self.flat.constant(f"{layer}.bias", values)]
        else:
            source = self._quantization(node.inputs[0])
            assert source is not None
            scales = self.model.scales[layer].numpy()
            taken += [self.flat.kernel(f"{layer}.weight", weights, scales)]
            taken += [self.flat.bias(f"{layer}.bias", values, np.float32(source.scale) * scales)]
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.SAME if self._pads_itself(node) else schema.Padding.VALID
        options.strideH = options.strideW = node.stride
        options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = activation(node)
        return "Conv2DOptions", options

    def _kernel(self, node: Node, codes: Quantization | None) -> Tensor:
        """A convolution's codes, or what they stand for: (out, in / groups, kh, kw)."""
        return self.model.codes[node.name] if codes else self.model.weight(node.name)

    def _pads_itself(self, node: Node) -> bool:
        """Whether the format's SAME padding is ours: evenly on both sides, so not with stride 2."""
        return node.padding > 0 and node.stride == 1

    def _padded(self, node: Node, source: int, codes: Quantization | None) -> int:
        height, width, channels = self.graph.node(node.inputs[0]).shape
        side = node.padding
        shape = (height + side, width + side, channels)
        if height % 2 or width % 2:  # an odd side's last window reaches one pixel further
            shape = (height + side + height % 2, width + side + width % 2, channels)
        after = (shape[0] - height - side, shape[1] - width - side)
        pads = np.array([[0, 0], [side, after[0]], [side, after[1]], [0, 0]], np.int32)
        own = self._quantization(node.inputs[0]) if codes else None
        given = self.flat.tensor(f"{node.name}.pad", shape, "INT8" if own else "FLOAT32", own)
        around = self.flat.constant(f"{node.name}.pads", pads)
        self.flat.operator("PAD", 2, [source, around], given, ("PadOptions", schema.PadOptionsT()))
        return given

    def _add(self, node: Node, taken: list[int], codes: Quantization | None) -> Options:
        options = schema.AddOptionsT()
        options.fusedActivationFunction = activation(node)
        return "AddOptions", options

    def _concat(self, node: Node, taken: list[int], codes: Quantization | None) -> Options:
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        return "ConcatenationOptions", options

    def _resize(self, node: Node, taken: list[int], codes: Quantization | None) -> Options:
        taken.append(self.flat.constant(f"{node.name}.size", np.array(node.shape[:2], np.int32)))
        options = schema.ResizeBilinearOptionsT()
        options.halfPixelCenters = True
        return "ResizeBilinearOptions", options

    def _average_pool(self, node: Node, taken: list[int], codes: Quantization | None) -> Options:
        options = schema.Pool2DOptionsT()
        options.padding = schema.Padding.VALID
        options.strideH = options.strideW = node.stride
        options.filterHeight = options.filterWidth = node.stride
        return "Pool2DOptions", options

    def _leaky_relu(self, node: Node, taken: list[int], codes: Quantization | None) -> Options:
        options = schema.LeakyReluOptionsT()
        options.alpha = node.slope
        return "LeakyReluOptions", options

    def _depth_to_space(self, node: Node, taken: list[int], codes: Quantization | None) -> Options:
        options = schema.DepthToSpaceOptionsT()
        options.blockSize = node.stride
        return "DepthToSpaceOptions", options

    def _mean(self, node: Node, taken: list[int], codes: Quantization | None) -> Options:
        taken.append(self.flat.constant(f"{node.name}.axes", np.array([1, 2], np.int32)))
        options = schema.ReducerOptionsT()
        options.keepDims = True
        return "ReducerOptions", options

    def _sigmoid(self, node: Node, taken: list[int], codes: Quantization | None) -> Options:
        return "NONE", None

    def _output(self, name: str, source: str) -> int:
        """A graph's output; single-channel maps and single numbers lose their empty sides."""
        node, codes = self.graph.node(source), self._quantization(source)
        given = self._taken(source, codes)
        height, width, channels = node.shape
        if channels > 1:
            return given
        shape = (1,) if height == width == 1 else (1, height, width)
        return self.flat.reshape(name, given, shape, "INT8" if codes else "FLOAT32", codes)


def activation(node: Node) -> int:
    """What is fused into an operator."""
    kinds = schema.ActivationFunctionType
    return int(kinds.RELU if node.relu else kinds.NONE)


def coded(values: NDArray[np.float32], codes: Quantization) -> NDArray[np.int8]:
    """A constant's codes."""
    rounded = np.rint(values / codes.scale) + codes.offset
    whole: NDArray[np.int8] = np.clip(rounded, codes.least, codes.most).astype(np.int8)
    return whole
