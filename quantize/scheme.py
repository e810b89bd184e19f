"""Which value has which scale: from what observers saw, and from what values share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_ttvos.contracts import Quantization
from edge_ttvos.errors import QuantizationError
from edge_ttvos.quantize.graph import SAME_SCALE, Graph, Node
from edge_ttvos.quantize.observers import Observed, choose, codes_of
from edge_ttvos.quantize.recipe import Recipe

# Values that graphs hand to one another, by the names of their inputs.
CARRIED = {"previous_s8": "s8", "previous_s16": "s16"}
FROM_STATE = ("s8", "s16", "masks")  # with their twins of the frame before
FRAME_BITS = 8
TEMPLATE = "template"
WIDE_BITS = 16

# Beyond these log-odds a pixel's probability is within 0.0004 of 0 or 1: a tenth of a mask's code.
LOG_ODDS = 8.0


@dataclass(frozen=True)
class Scheme:
    """Scales of values by key (``graph/node``); what has none stays float.

    Attributes:
        values: by key; those that share a scale hold equal records.
        template: of the running average, None: float32.
    """

    values: Mapping[str, Quantization]
    template: Quantization | None

    def of(self, graph: Graph, name: str) -> Quantization | None:
        """Of a node's value."""
        return self.values.get(key(graph, name))


def key(graph: Graph, name: str) -> str:
    """How a value is called among all graphs."""
    return f"{graph.name}/{name}"


def on_integers(graph: Graph, node: Node, scheme: Scheme, recipe: Recipe) -> bool:
    """Whether a node's operator takes codes and gives codes; else it is a float island."""
    coded = all(key(graph, name) in scheme.values for name in (*node.inputs, node.name))
    return coded and node.name not in recipe.float_layers


def check_layers(graphs: Sequence[Graph], recipe: Recipe) -> None:
    """Raises:
    QuantizationError: a layer of the recipe that the network does not have.
    """
    known = [node.name for graph in graphs for node in graph.layers]
    for layer in (*recipe.float_layers, *recipe.wide_layers):
        if layer not in known:
            close = [name for name in known if layer in name or name in layer] or known
            raise QuantizationError(
                f"there is no layer {layer!r}; known are {', '.join(close[:6])}"
                f"{', …' if len(close) > 6 else ''} ({len(known)} in all)"
            )


def build_scheme(graphs: Sequence[Graph], recipe: Recipe, seen: Mapping[str, Observed]) -> Scheme:
    """Choose all scales.

    Args:
        graphs: encode, embed, decode.
        recipe: bits, observer, exceptions.
        seen: what observers saw, by key; the template under ``TEMPLATE``.

    Raises:
        QuantizationError: an unknown layer, or a value that was constant or never seen.
    """
    check_layers(graphs, recipe)
    owners = Owners(graphs)
    chooser = Chooser(owners, recipe, seen)
    chosen: dict[str, Quantization | None] = {}
    for name in owners.nodes:
        if (owner := owners.of(name)) not in chosen:
            chosen[owner] = chooser.codes(owner)
    pairs = ((name, chosen[owners.of(name)]) for name in owners.nodes)
    template = None if recipe.state is None else choose(seen[TEMPLATE], recipe, recipe.state)
    return Scheme({name: codes for name, codes in pairs if codes is not None}, template)


class Owners:
    """Who decides a value's scale: itself, or the value that it shares one with."""

    def __init__(self, graphs: Sequence[Graph]) -> None:
        self.nodes = {key(graph, node.name): node for graph in graphs for node in graph.nodes}
        self._given: dict[str, str] = {}
        made = {name: key(graph, node) for graph in graphs for name, node in graph.outputs.items()}
        for graph in graphs:
            for node in graph.nodes:
                if node.kind == "input":
                    name = CARRIED.get(node.name, node.name)
                    self._given[key(graph, node.name)] = made.get(name) or _first(graphs, name)
                elif node.kind in SAME_SCALE:
                    self._given[key(graph, node.name)] = key(graph, node.inputs[0])
        for graph in graphs:
            for node in graph.nodes:
                if node.kind == "concat":
                    self._gather(graph, node, key(graph, node.name))
        self.carried = {self.of(made.get(name) or _first(graphs, name)) for name in FROM_STATE}

    def of(self, name: str) -> str:
        """The key of the value that decides."""
        while (given := self._given.get(name, name)) != name:
            name = given
        return name

    def _gather(self, graph: Graph, node: Node, whole: str) -> None:
        """Parts that nothing else takes are made in the scale of the whole."""
        for source in node.inputs:
            if self._made_here(graph, source):
                self._given[key(graph, source)] = whole
                part = graph.node(source)
                if part.kind in SAME_SCALE:
                    self._gather(graph, part, whole)

    def _made_here(self, graph: Graph, name: str) -> bool:
        """Whether a value, and what it shares its scale with, has no other use."""
        node = graph.node(name)
        if node.kind == "input" or len(graph.users(name)) > 1:
            return False
        return node.kind not in SAME_SCALE or self._made_here(graph, node.inputs[0])


def _first(graphs: Sequence[Graph], name: str) -> str:
    """The first graph's input of that name."""
    return next(key(graph, name) for graph in graphs if name in graph.inputs)


@dataclass(frozen=True)
class Chooser:
    """Scales of the values that decide for themselves."""

    owners: Owners
    recipe: Recipe
    seen: Mapping[str, Observed]

    def codes(self, owner: str) -> Quantization | None:
        """Of one value; None where it stays float."""
        node, name = self.owners.nodes[owner], owner.partition("/")[2]
        if name == "frame":  # bytes as they are; symmetric codes would halve them
            return None if self.recipe.symmetric else Quantization(1.0, -128, FRAME_BITS)
        if name in self.recipe.float_layers:
            return None
        bits = self._bits(owner, node)
        if name == "masks":
            return codes_of(0.0, 1.0, bits, self.recipe.symmetric)
        if name == "last.convolution":
            return Quantization(LOG_ODDS / 2 ** (bits - 1), 0, bits)
        if node.kind == "sigmoid":  # over all codes, as TFLite demands
            return codes_of(0.0, 1.0 - 2.0**-bits, bits, self.recipe.symmetric)
        return choose(self.seen[owner], self.recipe, bits)

    def _bits(self, owner: str, node: Node) -> int:
        if node.name in self.recipe.wide_layers:
            return WIDE_BITS
        carried = owner in self.owners.carried
        return self.recipe.carried_bits if carried else self.recipe.activations
