"""Mixed precision: the fewest layers, worst first, that must stay exact to hold a drop of J&F.

Chosen on sequences set aside. First the shortest head of the ranking that holds when its layers
stay float (doubled, then halved); then each of them, mildest first, is left out, or in 16 bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from edge_ttvos.quantize.recipe import Recipe
from edge_ttvos.quantize.report.engines import opened
from edge_ttvos.quantize.report.scoring import FRAMES, SIMULATED_COST, follow, numbers
from edge_ttvos.quantize.report.study import Study, facts
from edge_ttvos.quantize.report.task import Result
from edge_ttvos.quantize.report.workshop import checkpoint_of, make_model
from edge_ttvos.quantize.scheme import Scheme

As = Literal["w16", "float"]
Kept = tuple[tuple[str, As], ...]

MOST_TRIES = 24


@dataclass(frozen=True)
class Candidate:
    """A recipe on the sequences set aside; None is the float model.

    Attributes:
        study: gives size and sequences.
        recipe: with its exceptions.
        scheme: its scales.
    """

    study: Study
    recipe: Recipe | None
    scheme: Scheme | None

    @property
    def name(self) -> str:
        """By how many layers it keeps, and a digest of which."""
        if self.recipe is None:
            return "parts/mixed-float"
        floats, wide = self.recipe.float_layers, self.recipe.wide_layers
        digest = hashlib.sha256(repr((floats, wide)).encode()).hexdigest()[:8]
        return f"parts/mixed-{self.recipe.bits}-{len(floats) + len(wide)}-{digest}"

    @property
    def cost(self) -> float:
        """Seconds."""
        height, width = self.study.axes.size
        return len(self.study.choosing) * FRAMES * height * width * SIMULATED_COST * 1e-6

    def identity(self) -> dict[str, Any]:
        """Recipe, size and sequences."""
        return {
            "recipe": None if self.recipe is None else facts(self.recipe),
            "size": self.study.axes.size,
            "sequences": self.study.choosing,
        }

    def run(self) -> Result:
        """J&F, J, F."""
        size, dataset = self.study.axes.size, self.study.chosen(self.study.choosing)
        if self.recipe is None or self.scheme is None:
            model: Any = checkpoint_of(self.study)
        else:
            model = make_model(self.study, self.recipe, self.scheme, size)
        simulated = self.recipe is not None and bool(self.recipe.simulated)
        with opened(model, size, simulated) as engine:
            return numbers(follow(engine, dataset), dataset)


def with_kept(base: Recipe, kept: Kept) -> Recipe:
    """The base, with these layers in float or their results in 16 bits."""
    floats = tuple(layer for layer, how in kept if how == "float")
    wide = tuple(layer for layer, how in kept if how == "w16")
    return replace(base, name=f"mixed-{base.bits}", float_layers=floats, wide_layers=wide)


@dataclass(frozen=True)
class Found:
    """What the search ended with.

    Attributes:
        kept: layers, worst first.
        loss: points of J&F on the sequences set aside.
        reached: whether that is within the drop.
        tried: recipes that were scored.
    """

    kept: Kept
    loss: float
    reached: bool
    tried: int


def search(
    ranked: Sequence[str], max_drop: float, losses: Callable[[list[Kept]], list[float]]
) -> Found:
    """The fewest layers, by a greedy search of at most about ``MOST_TRIES`` recipes.

    Args:
        ranked: layers, worst first.
        max_drop: points of J&F that may be lost.
        losses: scores several recipes side by side.
    """
    tries = Tries(losses)
    kept = _floats(ranked, _head(ranked, max_drop, tries))
    if tries.loss(kept) > max_drop:
        return Found(kept, tries.loss(kept), False, tries.count)
    for layer, _ in reversed(kept):
        if tries.count + 2 > MOST_TRIES:
            break
        without = tuple(pair for pair in kept if pair[0] != layer)
        wide: Kept = tuple((name, "w16" if name == layer else how) for name, how in kept)
        tries.all([without, wide])
        kept = next((k for k in (without, wide) if tries.loss(k) <= max_drop), kept)
    return Found(kept, tries.loss(kept), True, tries.count)


class Tries:
    """Recipes that were scored; each is once.

    Args:
        losses: scores several side by side.
    """

    def __init__(self, losses: Callable[[list[Kept]], list[float]]) -> None:
        self._losses, self._known = losses, dict[Kept, float]()

    @property
    def count(self) -> int:
        """How many."""
        return len(self._known)

    def all(self, recipes: Sequence[Kept]) -> None:
        """Score those that are new, side by side."""
        new = [kept for kept in dict.fromkeys(recipes) if kept not in self._known]
        if new:
            self._known |= dict(zip(new, self._losses(new), strict=True))

    def loss(self, kept: Kept) -> float:
        """Points of J&F that a recipe loses."""
        self.all([kept])
        return self._known[kept]


def _floats(ranked: Sequence[str], count: int) -> Kept:
    return tuple((layer, "float") for layer in ranked[:count])


def _head(ranked: Sequence[str], max_drop: float, tries: Tries) -> int:
    """How many of the worst layers must stay float; all of them where even that does not hold."""
    if tries.loss(()) <= max_drop:
        return 0
    doubled = [2**n for n in range(len(ranked).bit_length()) if 2**n < len(ranked)]
    counts = [*doubled, len(ranked)]
    for pair in (counts[i : i + 2] for i in range(0, len(counts), 2)):
        tries.all([_floats(ranked, count) for count in pair])
        held = [count for count in pair if tries.loss(_floats(ranked, count)) <= max_drop]
        if held:
            return _between(
                max(c for c in (0, *counts) if c < held[0]), held[0], max_drop, ranked, tries
            )
    return len(ranked)


def _between(low: int, high: int, max_drop: float, ranked: Sequence[str], tries: Tries) -> int:
    """The least count above ``low`` that holds, ``high`` holding."""
    while high - low > 1:
        middle = (low + high) // 2
        if tries.loss(_floats(ranked, middle)) <= max_drop:
            high = middle
        else:
            low = middle
    return high
