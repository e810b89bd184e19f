"""Cosine and signal-to-noise ratio of every layer and state buffer, each quantized alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.network.engine import model_spec
from edge_ttvos.quantize.engine import SimulatedEngine
from edge_ttvos.quantize.graph import Graph, Node
from edge_ttvos.quantize.observers import fake
from edge_ttvos.quantize.report.sensitivity import recipes_of, state_keys
from edge_ttvos.quantize.report.study import Study, facts
from edge_ttvos.quantize.report.task import Result
from edge_ttvos.quantize.report.workshop import checkpoint_of, graphs_of
from edge_ttvos.quantize.scheme import TEMPLATE, Scheme, key
from edge_ttvos.quantize.simulation import Simulation, Values
from edge_ttvos.quantize.weights import Kernels, QuantizedKernels

FRAMES = 10  # of each ranked sequence, evenly spread over its whole


class Sums:
    """Of float values a and quantized values b: Σab, Σa², Σb², Σ(a − b)²."""

    def __init__(self) -> None:
        self.product = self.signal = self.coded = self.noise = 0.0

    def add(self, exact: Tensor, coded: Tensor) -> None:
        """Another frame's."""
        a, b = exact.flatten().double(), coded.flatten().double()
        self.product += float(a @ b)
        self.signal += float(a @ a)
        self.coded += float(b @ b)
        self.noise += float((a - b).square().sum())

    def to_json(self) -> dict[str, float | None]:
        """``cosine``, 1 where both are zero; ``sqnr_db``, null without noise or without signal."""
        scale = math.sqrt(self.signal * self.coded)
        cosine = self.product / scale if scale else float(self.signal == self.coded)
        finite = self.noise > 0 and self.signal > 0
        ratio = round(10 * math.log10(self.signal / self.noise), 2) if finite else None
        return {"cosine": round(cosine, 6), "sqnr_db": ratio}


class Probe(Simulation):
    """The float simulation; beside each layer and state value, what quantizing it alone gives.

    Args:
        graphs: of the model.
        kernels: quantized, of layers.
        layers: scales of layers.
        state: scales of state buffers.
    """

    def __init__(
        self, graphs: Sequence[Graph], kernels: QuantizedKernels, layers: Scheme, state: Scheme
    ) -> None:
        super().__init__(graphs, Kernels.of(graphs), None)
        self.coded, self.layers, self.state = kernels, layers, state
        self.looking = False
        self.sums: dict[str, Sums] = {}
        self._names = {k: name for name, keys in state_keys(graphs).items() for k in keys[:1]}

    def value(
        self, graph: Graph, node: Node, values: Values, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """A node's float value, as without a probe."""
        exact = super().value(graph, node, values, inputs)
        if not self.looking:
            return exact
        name = key(graph, node.name)
        if node.kind == "conv":
            self.compare(node.name, exact, self._layer(name, node, values[node.inputs[0]]))
        if name in self._names and (codes := self.state.values.get(name)) is not None:
            self.compare(self._names[name], exact, fake(exact, codes))
        return exact

    def compare(self, name: str, exact: Tensor, coded: Tensor) -> None:
        """One frame of one item."""
        self.sums.setdefault(name, Sums()).add(exact, coded)

    def _layer(self, name: str, node: Node, taken: Tensor) -> Tensor:
        kernel, bias = self.coded.kernel(node.name), self.coded.bias(node.name)
        value = F.conv2d(taken, kernel, bias, node.stride, node.padding, 1, node.groups)
        codes = self.layers.values.get(name)
        value = value.relu() if node.relu else value
        return value if codes is None else fake(value, codes)


@dataclass(frozen=True)
class Fidelity:
    """All layers and buffers in one run of the float model over the ranked sequences.

    Attributes:
        study: gives model, size and sequences.
        layers: scales of layers.
        state: scales of state buffers.
    """

    study: Study
    layers: Scheme
    state: Scheme

    @property
    def name(self) -> str:
        """There is one."""
        return "parts/fidelity"

    @property
    def cost(self) -> float:
        """Seconds."""
        height, width = self.study.axes.size
        return len(self.study.ranked) * 50 * height * width * 1e-6

    def identity(self) -> dict[str, Any]:
        """Bits, size, sequences, frames."""
        return {
            "recipes": [facts(recipe) for recipe in recipes_of(self.study.recipe)],
            "size": self.study.axes.size,
            "sequences": self.study.ranked,
            "frames": FRAMES,
        }

    def run(self) -> Result:
        """``{item: {"cosine", "sqnr_db"}}``."""
        size = self.study.axes.size
        graphs = graphs_of(self.study, size)
        recipe = replace(recipes_of(self.study.recipe)[0], float_layers=(), wide_layers=())
        kernels = QuantizedKernels.from_graphs(graphs, recipe)
        probe = Probe(graphs, kernels, self.layers, self.state).eval()
        spec = model_spec(checkpoint_of(self.study), FrameSpec(*size))
        tracker = Tracker(SimulatedEngine(probe, spec), max_objects=1)
        for sequence in self.study.chosen(self.study.ranked):
            _follow(tracker, sequence.frames, sequence.start_masks(sequence.frames[0].stem), probe)
        return {name: sums.to_json() for name, sums in probe.sums.items()}


def _follow(tracker: Tracker, frames: Sequence[Any], masks: dict[int, Any], probe: Probe) -> None:
    """The state is the model's own; one frame in so many is looked at."""
    tracker.start(read_image(frames[0]), masks)
    step = max(1, len(frames) // FRAMES)
    for index, path in enumerate(frames[1:], start=1):
        probe.looking = index % step == 0
        tracker.step(read_image(path))
        if probe.looking and probe.state.template is not None:
            template = torch.from_numpy(tracker.memory.slots[0].template)
            probe.compare(TEMPLATE, template, fake(template, probe.state.template))
    probe.looking = False
