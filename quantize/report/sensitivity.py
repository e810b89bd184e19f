"""What is lost when one layer, or one buffer of the state, is quantized and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.network.engine import model_spec
from edge_ttvos.quantize.engine import SimulatedEngine
from edge_ttvos.quantize.graph import Graph, macs
from edge_ttvos.quantize.model import exchanged_codes
from edge_ttvos.quantize.recipe import Recipe
from edge_ttvos.quantize.report.scoring import FLOAT_COST, follow, numbers
from edge_ttvos.quantize.report.study import Study, facts
from edge_ttvos.quantize.report.task import Result
from edge_ttvos.quantize.report.workshop import checkpoint_of, graphs_of
from edge_ttvos.quantize.scheme import TEMPLATE, Scheme, key
from edge_ttvos.quantize.simulation import Simulation
from edge_ttvos.quantize.weights import QuantizedKernels

ItemKind = Literal["layer", "state"]

LAYER_BITS = (4, 8)  # of the kernel, and of the layer's result
STATE_BITS = 4
FRAMES = 45  # of a ranked sequence, about


@dataclass(frozen=True)
class Item:
    """What is quantized alone: a layer by its name, or s8, s16, masks, template, update_weight."""

    name: str
    kind: ItemKind
    graph: str
    bits: int


def items(graphs: Sequence[Graph]) -> tuple[Item, ...]:
    """All layers, and all buffers that one frame hands to the next."""
    layers = [
        Item(node.name, "layer", graph.name, LAYER_BITS[0])
        for graph in graphs
        for node in graph.layers
    ]
    state = [Item(name, "state", "state", STATE_BITS) for name in state_keys(graphs)]
    return (*layers, *state)


def state_keys(graphs: Sequence[Graph]) -> dict[str, tuple[str, ...]]:
    """Keys of the values that each buffer holds; the template has none, it stands beside them."""
    encode, embed, decode = graphs
    found: dict[str, tuple[str, ...]] = {
        name: (key(encode, encode.outputs[name]),)
        for name in ("s8", "s16")
        if name in encode.outputs
    }
    found["masks"] = tuple(key(g, "masks") for g in (embed, decode) if "masks" in g.inputs)
    if "f" in embed.outputs:
        found[TEMPLATE] = ()
    if "update_weight" in decode.outputs:
        found["update_weight"] = (key(decode, decode.outputs["update_weight"]),)
    return found


def recipes_of(base: Recipe) -> tuple[Recipe, Recipe]:
    """Of layers, and of buffers: their schemes hold the scales of every item."""
    weights, activations = LAYER_BITS
    layers = replace(base, weights=weights, activations=activations)
    return layers, replace(base, activations=STATE_BITS, carried=STATE_BITS, state=STATE_BITS)


def alone(item: Item | None, graphs: Sequence[Graph], scheme: Scheme) -> Scheme:
    """Of a scheme, what an item needs; of None nothing."""
    if item is None:
        return Scheme({}, None)
    if item.kind == "state":
        kept = state_keys(graphs)[item.name]
        template = scheme.template if item.name == TEMPLATE else None
    else:
        kept, template = (f"{item.graph}/{item.name}",), None
    return Scheme({name: scheme.values[name] for name in kept if name in scheme.values}, template)


@dataclass(frozen=True)
class Alone:
    """J&F with one item quantized; of None the float model's.

    Attributes:
        study: gives model, size and ranked sequences.
        item: the layer or buffer.
        scheme: that ``alone`` left.
    """

    study: Study
    item: Item | None
    scheme: Scheme

    @property
    def name(self) -> str:
        """By graph and item."""
        what = "float" if self.item is None else f"{self.item.graph}-{self.item.name}"
        return f"parts/sensitivity-{what}"

    @property
    def cost(self) -> float:
        """Seconds."""
        height, width = self.study.axes.size
        return len(self.study.ranked) * FRAMES * height * width * FLOAT_COST * 1e-6

    def identity(self) -> dict[str, Any]:
        """Item, bits, size and sequences."""
        return {
            "item": None if self.item is None else vars(self.item),
            "recipes": [facts(recipe) for recipe in recipes_of(self.study.recipe)],
            "size": self.study.axes.size,
            "sequences": self.study.ranked,
        }

    def run(self) -> Result:
        """J&F, J, F."""
        size, dataset = self.study.axes.size, self.study.chosen(self.study.ranked)
        graphs, item = graphs_of(self.study, size), self.item
        layers = tuple(node.name for graph in graphs for node in graph.layers)
        spared = () if item is None else (item.name,)
        floats = tuple(layer for layer in layers if layer not in spared)
        recipe = replace(recipes_of(self.study.recipe)[0], float_layers=floats, wide_layers=())
        kernels = QuantizedKernels.from_graphs(graphs, recipe)
        simulation = Simulation(graphs, kernels, self.scheme).eval()
        spec = model_spec(checkpoint_of(self.study), FrameSpec(*size))
        codes = exchanged_codes(graphs, self.scheme)
        engine = SimulatedEngine(simulation, replace(spec, codes=codes))
        return numbers(follow(engine, dataset), dataset)


def ranking(
    graphs: Sequence[Graph],
    losses: Sequence[tuple[Item, float]],
    fidelity: dict[str, dict[str, float | None]],
) -> list[dict[str, Any]]:
    """Rows of the record, the greatest loss first; equal losses by their fidelity."""
    costs = {node.name: macs(graph, node) for graph in graphs for node in graph.layers}
    rows = [
        {
            "item": item.name,
            "kind": item.kind,
            "graph": item.graph,
            "bits": item.bits,
            "J&F_loss": round(loss, 3),
            **fidelity[item.name],
            "macs": costs.get(item.name),
        }
        for item, loss in losses
    ]
    return sorted(rows, key=lambda row: (-row["J&F_loss"], row["cosine"]))
