"""ONNX with QuantizeLinear and DequantizeLinear around float operators (Q/DQ), by the same scales.

Source: the ONNX operator reference, opset 20. Kernels are int8 with a scale for each output
channel. Between the graphs values are int8 codes as everywhere; inside, an engine that wants
unsigned activations gets the same codes plus 128.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edge_ttvos import origin
from edge_ttvos.contracts import Quantization
from edge_ttvos.errors import ExportError
from edge_ttvos.files import write_bytes
from edge_ttvos.quantize.graph import Graph, Node
from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.quantize.scheme import key

SUFFIX = ".onnx"
OPSET, IR_VERSION = 20, 10
FRAME = "frame"
TO_FIRST, TO_LAST = [0, 3, 1, 2], [0, 2, 3, 1]
UNSIGNED = 128  # what unsigned codes are higher by


def export(model: QuantizedModel, graph: Graph, folder: Path) -> tuple[Path, ...]:
    """Write one graph for ONNX Runtime; the paths written.

    Its x86 kernels are slower on signed activations than in float, so they get unsigned ones;
    symmetric codes stay signed, as TensorRT takes them alone.

    Raises:
        ExportError: what was written is no valid model.
        OutputError: the file cannot be written.
    """
    path = folder / f"{graph.name}{SUFFIX}"
    write_bytes(path, serialized(model, graph, not model.recipe.symmetric))
    return (path,)


def serialized(model: QuantizedModel, graph: Graph, unsigned: bool = False) -> bytes:
    """The graph as an ONNX model, checked.

    Args:
        model: codes and scales.
        graph: lowered at the size to export.
        unsigned: whether activations inside are uint8.

    Raises:
        ExportError: it is not valid.
    """
    proto = Writer(model, graph, unsigned).proto()
    try:
        onnx.checker.check_model(proto, full_check=True)
    except onnx.checker.ValidationError as error:
        raise ExportError(f"{graph.name} is no valid ONNX model: {error}") from error
    data: bytes = proto.SerializeToString()
    return data


class Writer:
    """One graph on its way into a file; names of values are the nodes'."""

    def __init__(self, model: QuantizedModel, graph: Graph, unsigned: bool) -> None:
        self.model, self.graph, self.unsigned = model, graph, unsigned
        self.nodes: list[Any] = []
        self.fixed: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def proto(self) -> Any:
        """The whole model."""
        for node in self.graph.nodes:
            write = self._fixed_map if node.kind == "constant" else getattr(self, f"_{node.kind}")
            write(node)
        for name, source in self.graph.outputs.items():
            self._output(name, source)
        body = helper.make_graph(self.nodes, self.graph.name, self.inputs, self.outputs, self.fixed)
        return helper.make_model(
            body,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="edge-ttvos",
            producer_version=origin.version(),
        )

    def _codes(self, name: str) -> Quantization | None:
        return self.model.scheme.values.get(key(self.graph, name))

    def _apply(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def _fixed(self, name: str, data: NDArray[Any]) -> str:
        self.fixed.append(numpy_helper.from_array(np.asarray(data, order="C"), name))
        return name

    def _offset(self, codes: Quantization, unsigned: bool) -> NDArray[Any]:
        offset = codes.offset + (UNSIGNED if unsigned else 0)
        return np.array(offset, np.uint8 if unsigned else np.int8)

    def _quantized(self, source: str, target: str, codes: Quantization, unsigned: bool) -> str:
        scale = self._fixed(f"{target}.scale", np.array(codes.scale, np.float32))
        offset = self._fixed(f"{target}.offset", self._offset(codes, unsigned))
        return self._apply("QuantizeLinear", [source, scale, offset], target)

    def _dequantized(self, source: str, target: str, codes: Quantization, unsigned: bool) -> str:
        scale = self._fixed(f"{target}.scale", np.array(codes.scale, np.float32))
        offset = self._fixed(f"{target}.offset", self._offset(codes, unsigned))
        return self._apply("DequantizeLinear", [source, scale, offset], target)

    def _rounded(self, raw: str, node: Node) -> None:
        """A value through its codes, under its node's name."""
        if (codes := self._codes(node.name)) is None:
            self._apply("Identity", [raw], node.name)
            return
        coded = self._quantized(raw, f"{node.name}.codes", codes, self.unsigned)
        self._dequantized(coded, node.name, codes, self.unsigned)

    def _input(self, node: Node) -> None:
        codes, name = self._codes(node.name), f"{node.name}.given"
        if node.name == FRAME:
            kind = TensorProto.UINT8
            self._transposed_frame(node, codes)
        elif codes is None:
            kind = TensorProto.FLOAT
            self._apply("Transpose", [node.name], name, perm=TO_FIRST)
        else:
            kind = TensorProto.INT8
            first = self._apply("Transpose", [node.name], f"{node.name}.first", perm=TO_FIRST)
            self._dequantized(first, name, codes, unsigned=False)
        self.inputs.append(helper.make_tensor_value_info(node.name, kind, [1, *node.shape]))
        if node.name != FRAME and codes is not None and self.unsigned:
            coded = self._quantized(name, f"{name}.unsigned", codes, unsigned=True)
            self._dequantized(coded, f"{name}.values", codes, unsigned=True)

    def _transposed_frame(self, node: Node, codes: Quantization | None) -> None:
        """Bytes are their own values: scale 1, offset 0. TensorRT takes them into a Cast alone."""
        if codes is None and not self.unsigned:
            values = self._apply("Cast", [node.name], f"{node.name}.cast", to=TensorProto.FLOAT)
            self._apply("Transpose", [values], f"{node.name}.given", perm=TO_FIRST)
            return
        first = self._apply("Transpose", [node.name], f"{node.name}.first", perm=TO_FIRST)
        if codes is None:
            self._apply("Cast", [first], f"{node.name}.given", to=TensorProto.FLOAT)
        else:
            self._dequantized(first, f"{node.name}.given", codes, unsigned=True)

    def _value(self, name: str) -> str:
        """What an operator takes under a node's name."""
        if self.graph.node(name).kind != "input":
            return name
        coded = self.unsigned and name != FRAME and self._codes(name) is not None
        return f"{name}.given.values" if coded else f"{name}.given"

    def _taken(self, node: Node) -> list[str]:
        return [self._value(name) for name in node.inputs]

    def _fixed_map(self, node: Node) -> None:
        map_ = self.graph.constants[node.name].permute(2, 0, 1)[None].numpy()
        self._rounded(self._fixed(f"{node.name}.raw", map_.astype(np.float32)), node)

    def _conv(self, node: Node) -> None:
        layer, codes = node.name, self._codes(node.name)
        source = self._codes(node.inputs[0])
        kernel = self._kernel(layer)
        inputs = [self._value(node.inputs[0]), kernel]
        if (bias := self.model.biases.get(layer)) is not None:
            inputs.append(self._bias(layer, bias.numpy(), source if codes else None))
        raw = self._apply(
            "Conv",
            inputs,
            f"{layer}.raw",
            strides=[node.stride] * 2,
            pads=[node.padding] * 4,
            group=node.groups,
        )
        self._rounded(self._activated(raw, node), node)

    def _kernel(self, layer: str) -> str:
        codes = self.model.codes[layer].numpy()
        if layer not in self.model.scales:
            return self._fixed(f"{layer}.weight", codes)
        scales = self.model.scales[layer].numpy()
        parts = [
            self._fixed(f"{layer}.weight.codes", codes),
            self._fixed(f"{layer}.weight.scale", scales),
            self._fixed(f"{layer}.weight.offset", np.zeros(len(scales), np.int8)),
        ]
        return self._apply("DequantizeLinear", parts, f"{layer}.weight", axis=0)

    def _bias(self, layer: str, values: NDArray[np.float32], source: Quantization | None) -> str:
        """int32 in input × weight scale where TFLite has it so; TensorRT wants floats."""
        if source is None or layer not in self.model.scales or self.model.recipe.symmetric:
            return self._fixed(f"{layer}.bias", values)
        scales = np.float32(source.scale) * self.model.scales[layer].numpy()
        codes = np.rint(values.astype(np.float64) / scales).astype(np.int32)
        parts = [
            self._fixed(f"{layer}.bias.codes", codes),
            self._fixed(f"{layer}.bias.scale", scales),
            self._fixed(f"{layer}.bias.offset", np.zeros(len(scales), np.int32)),
        ]
        return self._apply("DequantizeLinear", parts, f"{layer}.bias", axis=0)

    def _activated(self, raw: str, node: Node) -> str:
        return self._apply("Relu", [raw], f"{node.name}.relu") if node.relu else raw

    def _add(self, node: Node) -> None:
        raw = self._apply("Add", self._taken(node), f"{node.name}.raw")
        self._rounded(self._activated(raw, node), node)

    def _concat(self, node: Node) -> None:
        raw = self._apply("Concat", self._taken(node), f"{node.name}.raw", axis=1)
        self._rounded(raw, node)

    def _resize(self, node: Node) -> None:
        height, width, channels = node.shape
        sizes = self._fixed(f"{node.name}.sizes", np.array([1, channels, height, width], np.int64))
        (source,) = self._taken(node)
        raw = self._apply(
            "Resize",
            [source, "", "", sizes],
            f"{node.name}.raw",
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
        self._rounded(raw, node)

    def _average_pool(self, node: Node) -> None:
        sides = [node.stride] * 2
        taken = self._taken(node)
        raw = self._apply(
            "AveragePool", taken, f"{node.name}.raw", kernel_shape=sides, strides=sides
        )
        self._rounded(raw, node)

    def _leaky_relu(self, node: Node) -> None:
        raw = self._apply("LeakyRelu", self._taken(node), f"{node.name}.raw", alpha=node.slope)
        self._rounded(raw, node)

    def _depth_to_space(self, node: Node) -> None:
        taken = self._taken(node)
        raw = self._apply(
            "DepthToSpace", taken, f"{node.name}.raw", blocksize=node.stride, mode="DCR"
        )
        self._rounded(raw, node)

    def _mean(self, node: Node) -> None:
        self._rounded(self._apply("GlobalAveragePool", self._taken(node), f"{node.name}.raw"), node)

    def _sigmoid(self, node: Node) -> None:
        self._rounded(self._apply("Sigmoid", self._taken(node), f"{node.name}.raw"), node)

    def _output(self, name: str, source: str) -> None:
        """Codes (or floats) channel-last; single-channel maps and numbers lose empty sides."""
        node, codes = self.graph.node(source), self._codes(source)
        height, width, channels = node.shape
        kind = TensorProto.FLOAT if codes is None else TensorProto.INT8
        given = source
        if codes is not None:
            given = self._quantized(source, f"{name}.codes.out", codes, unsigned=False)
        if channels > 1:
            self._apply("Transpose", [given], name, perm=TO_LAST)
            shape = [1, height, width, channels]
        else:
            shape = [1] if height == width == 1 else [1, height, width]
            sides = self._fixed(f"{name}.sides", np.array(shape, np.int64))
            self._apply("Reshape", [given, sides], name)
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))
