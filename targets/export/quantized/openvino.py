"""OpenVINO's intermediate representation with dequantizations around float operators.

Source: OpenVINO's operation sets, 15 at most. A value is rounded by a FakeQuantize whose results
are the codes themselves, uint8: ours plus 128. Subtract and Multiply make values of them, with the
very scales of the model; the CPU plugin fuses both into integer operators. Kernels are int8.

A join whose parts have its codes already is not rounded again: the plugin (2026.4.1) crashes while
it compiles one that is, where its codes lie around 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset15 as ops

from edge_ttvos.contracts import Quantization
from edge_ttvos.errors import ExportError
from edge_ttvos.quantize.graph import Graph, Node
from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.quantize.scheme import key

SUFFIX = ".xml"
FRAME = "frame"
TO_FIRST, TO_LAST = [0, 3, 1, 2], [0, 2, 3, 1]
ROWS_COLUMNS = [2, 3]
UNSIGNED = 128  # what codes inside are higher by
LEVELS = 256


def export(model: QuantizedModel, graph: Graph, folder: Path) -> tuple[Path, ...]:
    """Write one graph; the paths written, its weights beside it.

    Raises:
        ExportError: the library refuses the graph, or cannot write it.
    """
    path = folder / f"{graph.name}{SUFFIX}"
    try:
        openvino.save_model(Writer(model, graph).written(), path, compress_to_fp16=False)
    except RuntimeError as error:
        raise ExportError(f"{graph.name} cannot be written for OpenVINO: {error}") from error
    return (path, path.with_suffix(".bin"))


class Writer:
    """One graph on its way into a file; names of operations are the nodes'."""

    def __init__(self, model: QuantizedModel, graph: Graph) -> None:
        self.model, self.graph = model, graph
        self._values: dict[str, Any] = {}
        self._inputs: list[Any] = []

    def written(self) -> openvino.Model:
        """The whole model."""
        for node in self.graph.nodes:
            write = self._fixed_map if node.kind == "constant" else getattr(self, f"_{node.kind}")
            raw = write(node)
            self._values[node.name] = self._rounded(raw, node)
        outputs = [self._output(name, source) for name, source in self.graph.outputs.items()]
        return openvino.Model(outputs, self._inputs, self.graph.name)

    def _rounded(self, raw: Any, node: Node) -> Any:
        """A value through its codes; bytes and joined codes are their own."""
        codes = self._codes(node.name)
        if codes is None or node.name == FRAME:
            return raw
        if node.kind == "concat" and all(self._codes(name) == codes for name in node.inputs):
            return raw
        return _rounded(raw, codes, node.name)

    def _codes(self, name: str) -> Quantization | None:
        return self.model.scheme.values.get(key(self.graph, name))

    def _taken(self, node: Node) -> list[Any]:
        return [self._values[name] for name in node.inputs]

    def _input(self, node: Node) -> Any:
        codes = self._codes(node.name)
        dtype = np.uint8 if node.name == FRAME else np.float32 if codes is None else np.int8
        given = ops.parameter([1, *node.shape], dtype, name=node.name)
        given.output(0).get_tensor().set_names({node.name})
        self._inputs.append(given)
        values = ops.convert(ops.transpose(given, np.array(TO_FIRST)), np.float32)
        if node.name == FRAME or codes is None:
            return values
        return _dequantized(values, codes.offset, codes.scale, f"{node.name}.given")

    def _fixed_map(self, node: Node) -> Any:
        map_ = self.graph.constants[node.name].permute(2, 0, 1)[None].numpy()
        return _constant(map_, np.float32)

    def _conv(self, node: Node) -> Any:
        sides = [node.stride] * 2, [node.padding] * 2, [node.padding] * 2, [1, 1]
        (source,), kernel = self._taken(node), self._kernel(node)
        convolve = ops.convolution if node.groups == 1 else ops.group_convolution
        value = convolve(source, kernel, *sides)
        if (bias := self.model.biases.get(node.name)) is not None:
            value = ops.add(value, _constant(bias.numpy().reshape(1, -1, 1, 1), np.float32))
        return _activated(value, node)

    def _kernel(self, node: Node) -> Any:
        """Values of int8 codes, (out, in, kh, kw), or (groups, out / groups, …)."""
        codes = self.model.codes[node.name].numpy()
        parts = (len(codes),) if node.groups == 1 else (node.groups, len(codes) // node.groups)
        codes = codes.reshape(*parts, *codes.shape[1:])
        if node.name not in self.model.scales:
            return _constant(codes, np.float32)
        scales = self.model.scales[node.name].numpy().reshape(*parts, 1, 1, 1)
        coded = _constant(codes, np.int8, f"{node.name}.weight.codes")
        values = ops.convert(coded, np.float32)
        return ops.multiply(values, _constant(scales, np.float32, f"{node.name}.weight.scale"))

    def _add(self, node: Node) -> Any:
        return _activated(ops.add(*self._taken(node)), node)

    def _concat(self, node: Node) -> Any:
        return ops.concat(self._taken(node), axis=1)

    def _resize(self, node: Node) -> Any:
        (source,) = self._taken(node)
        return ops.interpolate(
            source,
            np.array(node.shape[:2]),
            mode="linear_onnx",
            shape_calculation_mode="sizes",
            coordinate_transformation_mode="half_pixel",
            axes=np.array(ROWS_COLUMNS),
        )

    def _average_pool(self, node: Node) -> Any:
        (source,), sides = self._taken(node), [node.stride] * 2
        return ops.avg_pool(source, sides, [0, 0], [0, 0], sides, exclude_pad=True)

    def _leaky_relu(self, node: Node) -> Any:
        (source,) = self._taken(node)
        return ops.prelu(source, _constant(np.array([node.slope]), np.float32))

    def _depth_to_space(self, node: Node) -> Any:
        (source,) = self._taken(node)
        return ops.depth_to_space(source, "blocks_first", node.stride)

    def _mean(self, node: Node) -> Any:
        (source,) = self._taken(node)
        return ops.reduce_mean(source, np.array(ROWS_COLUMNS), keep_dims=True)

    def _sigmoid(self, node: Node) -> Any:
        return ops.sigmoid(*self._taken(node))

    def _output(self, name: str, source: str) -> Any:
        """Codes (or floats) channel-last; single-channel maps and numbers lose empty sides."""
        given, codes = self._values[source], self._codes(source)
        height, width, channels = self.graph.node(source).shape
        if codes is not None:
            ends = codes.least, codes.most
            given = ops.convert(_quantized(given, codes, codes.offset, ends), np.int8)
        if channels > 1:
            given = ops.transpose(given, np.array(TO_LAST))
        else:
            shape = [1] if height == width == 1 else [1, height, width]
            given = ops.reshape(given, np.array(shape), special_zero=False)
        given.output(0).get_tensor().set_names({name})
        return given


def _constant(data: NDArray[Any], dtype: type, name: str | None = None) -> Any:
    return ops.constant(np.ascontiguousarray(data, dtype), name=name)


def _activated(value: Any, node: Node) -> Any:
    return ops.relu(value) if node.relu else value


def _rounded(raw: Any, codes: Quantization, name: str) -> Any:
    """A value through its codes, unsigned."""
    offset = codes.offset + UNSIGNED
    coded = _quantized(raw, codes, offset, (0, LEVELS - 1))
    values = ops.convert(ops.convert(coded, np.uint8), np.float32)
    return _dequantized(values, offset, codes.scale, name)


def _quantized(raw: Any, codes: Quantization, offset: int, ends: tuple[int, int]) -> Any:
    """Codes as floats, between ``ends``."""
    limits = [np.float32(codes.scale * (end - offset)) for end in ends]
    return ops.fake_quantize(raw, *limits, *map(np.float32, ends), LEVELS)


def _dequantized(codes: Any, offset: int, scale: float, name: str) -> Any:
    """Values of codes that are floats already."""
    shifted = ops.subtract(codes, _constant(np.array(offset), np.float32, f"{name}.offset"))
    return ops.multiply(shifted, _constant(np.array(scale), np.float32, f"{name}.scale"), name=name)
