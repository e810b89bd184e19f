"""From a float checkpoint to a quantized model: lower → calibrate → choose → (train) → save."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.data.pool import Pool
from edge_ttvos.errors import QuantizationError
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.network.engine import rounded_up
from edge_ttvos.quantize.calibrate import calibrate
from edge_ttvos.quantize.graph import Graph, macs
from edge_ttvos.quantize.lower import lower
from edge_ttvos.quantize.model import FILE, save_quantized
from edge_ttvos.quantize.qat import STATE, QatTrainer
from edge_ttvos.quantize.recipe import Recipe
from edge_ttvos.quantize.scheme import Scheme, build_scheme, check_layers, key, on_integers
from edge_ttvos.quantize.weights import QuantizedKernels

FILES = (FILE, STATE, "quantize.json")  # what a run leaves in its folder

Method = Literal["ptq", "qat"]
Listener = Callable[[str, float], None]


@dataclass(frozen=True)
class Order:
    """What to quantize, and how.

    Attributes:
        checkpoint: the float network.
        method: after training, or with some more of it.
        recipe: bits, observers, plans.
        strict: whether a layer that stays float is an error.
        size: height and width that calibration and the model run at; None: the checkpoint's.
        resume: whether an interrupted ``qat`` goes on.
    """

    checkpoint: Checkpoint
    method: Method
    recipe: Recipe
    strict: bool = False
    size: tuple[int, int] | None = None
    resume: bool = False

    @property
    def graph_size(self) -> tuple[int, int]:
        """The size, rounded up to what a graph can have."""
        return rounded_up(self.size or self.checkpoint.size)


@dataclass(frozen=True)
class Quantized:
    """What came of it.

    Attributes:
        path: of the model.
        layers: rows of name, precision (``int8``, ``int4`` …, ``float``), MACs at the model's size
            and weights.
        values: number of values by the bits of their codes; 0 stands for float.
        bytes: of the file.
    """

    path: Path
    layers: tuple[tuple[str, str, int, int], ...]
    values: dict[int, int]
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "model": str(self.path),
            "bytes": self.bytes,
            "layers": {
                name: {"precision": precision, "macs": macs_, "weights": weights}
                for name, precision, macs_, weights in self.layers
            },
            "layers_by_precision": count(precision for _, precision, *_ in self.layers),
            "values_by_bits": {str(bits or "float"): n for bits, n in self.values.items()},
        }


def quantize(
    order: Order, pool: Pool, folder: Path, listen: Listener = lambda what, share: None
) -> Quantized:
    """Quantize and save; the folder's model is written last, whole or not at all.

    Args:
        order: what to do.
        pool: training material; sequences calibrate, ``qat`` trains on all of it.
        folder: of the run.
        listen: called with what is being done and the share done.

    Raises:
        QuantizationError: an unknown layer, too little to calibrate on, a constant or NaN, or a
            float island where ``strict`` forbids it.
        TrainingError: the loss of ``qat`` became NaN.
        OutputError: a file cannot be written.
        KeyboardInterrupt: ``qat`` was interrupted; its state is saved.
    """
    checkpoint, recipe = order.checkpoint, order.recipe
    size = order.graph_size
    frame = FrameSpec(*size)
    graphs = lower(checkpoint.network, frame)
    check_layers(graphs, recipe)
    if order.strict:
        require_integers(graphs, recipe)
    part = 1.0 if order.method == "ptq" else 0.3
    seen = calibrate(
        checkpoint,
        frame,
        graphs,
        pool.sequences,
        recipe.calibration,
        lambda share: listen("calibrate", part * share),
    )
    scheme = build_scheme(graphs, recipe, seen)
    kernels = QuantizedKernels.from_graphs(graphs, recipe)
    if order.method == "qat":
        trainer = QatTrainer(checkpoint, scheme, recipe, folder)
        if order.resume:
            trainer.resume()
        trainer.fit(pool, lambda share, what: listen(f"train, {what}", part + 0.7 * share))
        kernels = trainer.kernels
    path = folder / FILE
    origin = {
        "name": checkpoint.origin.get("name", checkpoint.network.config.name),
        "float_sha256": checkpoint.sha256,
        "method": order.method,
        "calibrated_at": list(size),
    }
    network = checkpoint.network
    save_quantized(path, kernels, scheme, network.config, size, origin, network.flat_box_head)
    return describe(path, graphs, scheme, recipe)


def describe(path: Path, graphs: tuple[Graph, ...], scheme: Scheme, recipe: Recipe) -> Quantized:
    """What of a quantized model is integer, and what is not."""
    layers = tuple(
        (node.name, precision(graph, node.name, scheme, recipe), macs(graph, node), weights)
        for graph in graphs
        for node in graph.layers
        for weights in (graph.weights[node.name].numel(),)
    )
    every = [scheme.of(graph, node.name) for graph in graphs for node in graph.nodes]
    values = count(0 if codes is None else codes.bits for codes in every)
    return Quantized(path, layers, values, path.stat().st_size)


def require_integers(graphs: tuple[Graph, ...], recipe: Recipe) -> None:
    """Raises:
    QuantizationError: an operator that the recipe leaves in float.
    """
    islands = list(recipe.float_layers)
    if recipe.symmetric:  # whose frames have no codes
        islands += [node.name for g in graphs for node in g.layers if "frame" in node.inputs]
    if islands:
        raise QuantizationError(
            f"--strict: {', '.join(islands)} would be computed in float, as recipe {recipe.name} "
            "says; change float_layers or symmetric, or leave --strict out"
        )


def precision(graph: Graph, layer: str, scheme: Scheme, recipe: Recipe) -> str:
    """``w8a8``, ``w8a16`` …; ``float`` where a layer is computed in float32."""
    codes = scheme.values.get(key(graph, layer))
    if codes is None or not on_integers(graph, graph.node(layer), scheme, recipe):
        return "float"
    return f"w{recipe.weights}a{codes.bits}"


def count(items: Any) -> dict[Any, int]:
    """How often each stands there, in the order of its first."""
    found: dict[Any, int] = {}
    for item in items:
        found[item] = found.get(item, 0) + 1
    return found
