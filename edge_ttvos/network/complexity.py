"""What a frame costs: parameters and multiply-accumulates (MACs) of each part, counted by torch.

``python -m edge_ttvos.network.complexity`` prints the tables of ``docs/reference/complexity.md``.

Counted are convolutions, transposed convolutions and matrix products, one object, any frame but the
first. Not counted are biases, normalisation, activations, softmax, interpolation, means and the
32 × 32 running average. Nothing is computed: the network stands on torch's meta device.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.network.config import PRESETS, NetworkConfig
from edge_ttvos.network.template import TemplateEmbedding, read_template
from edge_ttvos.network.ttvos import TTVOS

SIZES = ((240, 432), (480, 864))  # height and width in pixels, of the reference page
FLOPS_PER_MAC = 2  # as torch counts


@dataclass(frozen=True)
class Cost:
    """One part of the network: its learnt parameters and its MACs for one frame and object."""

    parameters: int = 0
    macs: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.parameters + other.parameters, self.macs + other.macs)


@dataclass(frozen=True)
class Complexity:
    """A network at one size, part by part; a part that it does not have costs nothing.

    Attributes:
        encoder: the backbone, once a frame however many objects there are.
        embed_update: f and g of the previous frame.
        embed_read: q of this frame.
        embed_s8: s8′ of this frame (without long-term matching: the convolutions in its place).
        update: f gᵀ of eq. (1).
        read: TP q of eq. (3).
        similarity: s8′ ⊕ A → Sᴸ.
        short_term: short-term matching.
        decoder: similarity maps and s4 → logits, and w where it is learnt.
    """

    encoder: Cost
    embed_update: Cost
    embed_read: Cost
    embed_s8: Cost
    update: Cost
    read: Cost
    similarity: Cost
    short_term: Cost
    decoder: Cost

    @property
    def rest(self) -> Cost:
        """All but the encoder: what each further object costs."""
        matching = self.embed_update + self.embed_read + self.embed_s8 + self.update + self.read
        return matching + self.similarity + self.short_term + self.decoder

    @property
    def total(self) -> Cost:
        """A frame with one object."""
        return self.encoder + self.rest


@functools.cache
def measure(config: NetworkConfig, height: int, width: int) -> Complexity:
    """Count a network at a frame's size.

    Args:
        config: of the network.
        height: pixels, a multiple of 16.
        width: pixels, a multiple of 16.

    Raises:
        ValueError: a side is not a positive multiple of 16.
    """
    frame = FrameSpec(height, width)
    with torch.device("meta"):
        network = TTVOS(config).eval()
        pixels = torch.empty(1, 3, frame.height, frame.width)
        with _counter() as encoding:
            features = network.encode(pixels)
        state, attention = network.start(features, pixels[:, 0]), None
        with _counter() as embedding:
            modified_s8, maps = network.embed(features.s8, state.masks, features.s8)
        if maps is not None:  # the first update makes the template, the next one is counted
            state = network.update(state, maps)
        with _counter() as reading:
            if maps is not None and state.template is not None:
                attention = read_template(state.template, maps.q)
        with _counter() as decoding:
            output = network.decode(features, modified_s8, attention, features.s16, state.masks)
        with _counter() as updating:
            if maps is not None:
                network.update(replace(state, weight=output.weight), maps)
    f, g, q, s8 = _embedding_costs(network.embedding, embedding)
    return Complexity(
        encoder=_cost(network.backbone, encoding),
        embed_update=f + g,
        embed_read=q,
        embed_s8=s8,
        update=Cost(macs=updating.get_total_flops() // FLOPS_PER_MAC),
        read=Cost(macs=reading.get_total_flops() // FLOPS_PER_MAC),
        similarity=_cost(network.similarity, decoding) if network.similarity else Cost(),
        short_term=_cost(network.short_term, decoding),
        decoder=_cost(network.decoder, decoding),
    )


def _counter() -> FlopCounterMode:
    return FlopCounterMode(display=False)


def _embedding_costs(embed: nn.Module, counter: FlopCounterMode) -> tuple[Cost, ...]:
    """f, g, q and s8′; the convolutions in place of a template count as s8′."""
    if not isinstance(embed, TemplateEmbedding):
        return Cost(), Cost(), Cost(), _cost(embed, counter)
    name = type(embed).__name__
    return tuple(
        _cost(getattr(embed, branch), counter, f"{name}.{branch}")
        for branch in ("f", "g", "q", "s8")
    )


def _cost(module: nn.Module, counter: FlopCounterMode, path: str = "") -> Cost:
    """Of one module; the counter names modules by a path that begins with the outermost's class."""
    counts = counter.get_flop_counts()[path or type(module).__name__]
    parameters = sum(parameter.numel() for parameter in module.parameters())
    return Cost(parameters, sum(counts.values()) // FLOPS_PER_MAC)


@dataclass(frozen=True)
class Grouping:
    """A row of the paper's Table 1 and one reading of it.

    Attributes:
        name: the paper's column, then what this reading counts in it.
        printed: the paper's figure in G, at 480×853; None where it gives none.
        parts: fields of ``Complexity`` that are added up.
    """

    name: str
    printed: float | None
    parts: tuple[str, ...]

    def macs(self, complexity: Complexity) -> int:
        """The sum over the parts."""
        return sum(getattr(complexity, part).macs for part in self.parts)


UPDATE = ("embed_update", "update")
READ = ("embed_read", "read")
SIMILARITY = ("embed_s8", "similarity")
TABLE_1 = (
    Grouping("Update: f, g, f gᵀ", 0.06, UPDATE),
    Grouping("Read: q, TP q", 0.08, READ),
    Grouping("Read: q, TP q, s8′, similarity", 0.08, READ + SIMILARITY),
    Grouping(
        "Seg: the frame without decoder",
        5.29,
        ("encoder", "short_term", *SIMILARITY, *READ, *UPDATE),
    ),
    Grouping("Seg: without Update and Read too", 5.29, ("encoder", "short_term", *SIMILARITY)),
    Grouping("Whole frame", None, ("total",)),
)
TABLE_1_SIZE = (480, 864)  # pixels: the next multiples of 16 to the paper's 480×853
TABLE_1_PARAMETERS = 1.6  # millions, as printed


@dataclass(frozen=True)
class Table:
    """Rows of text under a heading, as Markdown writes them."""

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table, first column left, the others right."""
        lines = [self.heading, ("---", *["---:"] * (len(self.heading) - 1)), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def part_table(config: NetworkConfig) -> Table:
    """Every part's parameters, and its MACs at each of ``SIZES``."""
    measured = [measure(config, *size) for size in SIZES]
    names = (*Complexity.__dataclass_fields__, "rest", "total")
    costs = {name: [getattr(complexity, name) for complexity in measured] for name in names}
    return Table(
        (f"`{config.name}`", "parameters", *(f"MMAC at {h}×{w}" for h, w in SIZES)),
        tuple(
            (name, f"{cost[0].parameters:,}", *(f"{c.macs / 1e6:,.2f}" for c in cost))
            for name, cost in costs.items()
        ),
    )


def paper_table(configs: tuple[NetworkConfig, ...]) -> Table:
    """The paper's Table 1 beside each network at ``TABLE_1_SIZE``, in MACs and in 2 × MACs."""
    measured = [measure(config, *TABLE_1_SIZE) for config in configs]
    columns = (column for c in configs for column in (f"`{c.name}` GMAC", f"`{c.name}` 2 × GMAC"))
    rows = []
    for group in TABLE_1:
        counts = [group.macs(complexity) / 1e9 for complexity in measured]
        printed = "" if group.printed is None else f"{group.printed:.2f}"
        rows.append((group.name, printed, *(f"{c * n:.3f}" for c in counts for n in (1, 2))))
    parameters = ["Parameters, M", f"{TABLE_1_PARAMETERS:.1f}"]
    for complexity in measured:
        parameters += [f"{complexity.total.parameters / 1e6:.3f}", ""]
    return Table(("", "paper, G", *columns), (*rows, tuple(parameters)))


def reference_tables() -> tuple[Table, ...]:
    """The tables of the reference page: each preset by part, then Table 1."""
    presets = tuple(PRESETS.values())
    return (*(part_table(config) for config in presets), paper_table(presets))


if __name__ == "__main__":
    print("\n".join(table.markdown() for table in reference_tables()), end="")
