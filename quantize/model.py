"""A quantized model as one file: codes of the kernels, scales of the values, recipe and origin.

Safetensors, no pickle. By layer: ``<layer>.weight`` int8 codes with ``<layer>.scale`` float32 by
output channel (or float32 weights where the layer stays float), and ``<layer>.bias`` float32. The
header holds the network's configuration, the size, the recipe and the scales of all values.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from edge_ttvos.contracts import FrameSpec, ModelSpec, Quantization, TensorCodes
from edge_ttvos.errors import ModelError, QuantizationError
from edge_ttvos.files import write_bytes
from edge_ttvos.firmware_bridge.box_head import read_weights
from edge_ttvos.network.checkpoint import QUANTIZED
from edge_ttvos.network.config import NetworkConfig
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.quantize.graph import Graph
from edge_ttvos.quantize.lower import lower
from edge_ttvos.quantize.recipe import Recipe, as_dict, recipe_of
from edge_ttvos.quantize.scheme import Scheme, key
from edge_ttvos.quantize.simulation import Simulation
from edge_ttvos.quantize.weights import Kernels, QuantizedKernels
from edge_ttvos.records import build
from edge_ttvos.targets.form import Coordinates, Form

SCHEMA = "1"
FILE = "quantized.safetensors"
BOX_HEAD = "box_head"  # the tensor

# Tensors that graphs exchange, by the graph's input or output that tells their codes.
EXCHANGED = {
    "encode": ("s4", "s8", "s16"),
    "embed": ("masks", "coordinates", "modified_s8", "f", "g", "q"),
    "decode": ("attention", "log_odds", "update_weight"),
}


@dataclass(frozen=True)
class QuantizedModel:
    """A network whose kernels are codes and whose values have scales.

    Attributes:
        config: of the network.
        size: height and width in pixels that it runs best at.
        recipe: how it was quantized.
        scheme: scales of values.
        codes: int8 by layer, float32 where the layer stays float.
        scales: (out,) by layer that has codes.
        biases: (out,) float32 by layer.
        origin: of the float model, and what was done to it.
        sha256: of the file.
        box_head: float32 (n,), where the network has one; it is computed in float.
    """

    config: NetworkConfig
    size: tuple[int, int]
    recipe: Recipe
    scheme: Scheme
    codes: Mapping[str, Tensor]
    scales: Mapping[str, Tensor]
    biases: Mapping[str, Tensor]
    origin: Mapping[str, Any]
    sha256: str
    box_head: Tensor | None = None

    def weight(self, layer: str) -> Tensor:
        """What a layer's codes stand for, float32."""
        if layer not in self.scales:
            return self.codes[layer]
        return self.codes[layer].float() * self.scales[layer].view(-1, 1, 1, 1)

    def graphs(self, frame: FrameSpec, coordinates: Coordinates = "buffer") -> tuple[Graph, ...]:
        """Encode, embed and decode at one size, with these weights in float.

        Args:
            frame: the graph's input.
            coordinates: whether ``embed`` holds them or takes them as its last input.
        """
        return tuple(
            Graph(
                graph.name,
                graph.nodes,
                graph.outputs,
                {layer: self.weight(layer) for layer in graph.weights},
                {layer: self.biases[layer] for layer in graph.biases},
                graph.constants,
            )
            for graph in _structure(self.config, frame, coordinates)
        )

    def simulation(self, frame: FrameSpec) -> Simulation:
        """What engines should compute, at one size."""
        graphs = self.graphs(frame)
        return Simulation(graphs, Kernels.of(graphs), self.scheme)

    def spec(self, frame: FrameSpec) -> ModelSpec:
        """What the tracker must know."""
        config = self.config
        return ModelSpec(
            name=str(self.origin.get("name", config.name)),
            sha256=self.sha256,
            precision=self.recipe.bits,
            frame=frame,
            mask_history=config.mask_history,
            scaled_softmax=config.scaled_softmax,
            update=config.update,
            long_term=config.long_term,
            template_channels=config.template_channels,
            codes=exchanged_codes(self.graphs(frame), self.scheme),
            box_head=None if self.box_head is None else self.box_head.numpy(),
        )


def exchanged_codes(graphs: Sequence[Graph], scheme: Scheme) -> tuple[TensorCodes, ...]:
    """Of what graphs hand to one another and to the state; what stays float is left out."""
    found = []
    for graph in graphs:
        for name in EXCHANGED[graph.name]:
            node = graph.outputs.get(name, name)
            if (codes := scheme.values.get(key(graph, node))) is not None:
                found.append(TensorCodes(name, codes))
    if scheme.template is not None:
        found.append(TensorCodes("template", scheme.template))
    return tuple(found)


def save_quantized(
    path: Path,
    kernels: QuantizedKernels,
    scheme: Scheme,
    config: NetworkConfig,
    size: tuple[int, int],
    origin: Mapping[str, Any],
    box_head: Tensor | None = None,
) -> None:
    """Write it, whole or not at all.

    Args:
        path: of the file.
        kernels: codes.
        scheme: scales of values.
        config: of the network.
        size: height and width in pixels that it runs best at.
        origin: of the float model, and what was done to it.
        box_head: its weights in a row, float32, where the network has one.

    Raises:
        OutputError: the file cannot be written.
    """
    recipe = kernels.recipe
    tensors: dict[str, Tensor] = {}
    for layer in kernels.layers:
        if layer in recipe.float_layers:
            tensors[f"{layer}.weight"] = kernels.weight(layer).detach().contiguous()
        else:
            tensors[f"{layer}.weight"] = kernels.codes(layer).contiguous()
            tensors[f"{layer}.scale"] = kernels.scale(layer).contiguous()
        if (bias := kernels.bias(layer)) is not None:
            tensors[f"{layer}.bias"] = bias.detach().contiguous()
    if box_head is not None:
        tensors[BOX_HEAD] = box_head
    values = {name: asdict(codes) for name, codes in scheme.values.items()}
    template = None if scheme.template is None else asdict(scheme.template)
    header = {
        "kind": QUANTIZED,
        "schema": SCHEMA,
        "config": json.dumps(asdict(config)),
        "size": json.dumps(size),
        "recipe": json.dumps(as_dict(recipe)),
        "values": json.dumps(values),
        "template": json.dumps(template),
        "origin": json.dumps(origin),
    }
    write_bytes(path, save(tensors, header))


def load_quantized(path: Path) -> QuantizedModel:
    """Read a quantized model.

    Raises:
        ModelError: missing, cut off, of another kind or schema, or its parts do not fit.
    """
    try:
        data = path.read_bytes()
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(f"model {path} cannot be read: {error}") from error
    if (header.get("kind"), header.get("schema")) != (QUANTIZED, SCHEMA):
        raise ModelError(
            f"model {path} is no quantized model of schema {SCHEMA}; got kind "
            f"{header.get('kind')!r}, schema {header.get('schema')!r}"
        )
    try:
        parts = {name: json.loads(header[name]) for name in HEADER}
        config = build(NetworkConfig, parts["config"])
        recipe = recipe_of(parts["recipe"])
        values = {n: build(Quantization, codes) for n, codes in parts["values"].items()}
        template = parts["template"] and build(Quantization, parts["template"])
        height, width = (int(side) for side in parts["size"])
        model = QuantizedModel(
            config,
            (height, width),
            recipe,
            Scheme(values, template),
            _named(tensors, "weight"),
            _named(tensors, "scale"),
            _named(tensors, "bias"),
            parts["origin"],
            hashlib.sha256(data).hexdigest(),
            tensors[BOX_HEAD] if config.box_head else None,
        )
        _check(model)
    except (KeyError, TypeError, ValueError, QuantizationError, RecursionError) as error:
        raise ModelError(f"model {path} does not fit its own header: {error}") from error
    return model


@functools.lru_cache(maxsize=4)
def _structure(
    config: NetworkConfig, frame: FrameSpec, coordinates: Coordinates = "buffer"
) -> tuple[Graph, ...]:
    """The graphs of any network of that kind; tracing takes seconds. The weights mean nothing."""
    return lower(TTVOS(config).eval(), frame, Form(coordinates))


HEADER = ("config", "size", "recipe", "values", "template", "origin")


def _named(tensors: Mapping[str, Tensor], kind: str) -> dict[str, Tensor]:
    ending = f".{kind}"
    return {n.removesuffix(ending): t for n, t in tensors.items() if n.endswith(ending)}


def _check(model: QuantizedModel) -> None:
    """Every layer of the network has its kernel, in its shape."""
    if model.box_head is not None:
        if model.box_head.dtype != torch.float32:
            raise ValueError(f"{BOX_HEAD} must be float32; got {model.box_head.dtype}")
        read_weights(model.box_head.numpy().tobytes())
    for graph in _structure(model.config, FrameSpec(32, 32)):
        for layer, weight in graph.weights.items():
            if model.codes[layer].shape != weight.shape:
                raise ValueError(f"{layer} must be {tuple(weight.shape)}")
            if model.codes[layer].dtype not in (torch.int8, torch.float32):
                raise ValueError(f"{layer} must be int8 or float32")
