"""The search alone: what a recipe loses is given by a rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_ttvos.quantize.recipe import Recipe, as_toml, load_recipe
from edge_ttvos.quantize.report.mixed import MOST_TRIES, Found, Kept, search, with_kept

LAYERS = [f"layer{i}" for i in range(40)]


class Rule:
    """Each of some layers costs points unless it is kept; 16 bits help only those named.

    Args:
        costs: points by layer.
        wide: layers that 16 bits are enough for.
    """

    def __init__(self, costs: dict[str, float], wide: tuple[str, ...] = ()) -> None:
        self.costs, self.wide = costs, wide
        self.batches: list[int] = []

    def __call__(self, recipes: list[Kept]) -> list[float]:
        self.batches.append(len(recipes))
        return [self.loss(dict(kept)) for kept in recipes]

    def loss(self, kept: dict[str, str]) -> float:
        """Of one recipe."""
        saved = {n for n, how in kept.items() if how == "float" or n in self.wide}
        return sum(cost for name, cost in self.costs.items() if name not in saved)


def test_nothing_is_kept_where_nothing_is_lost() -> None:
    assert search(LAYERS, 1.0, Rule({"layer3": 0.5})) == Found((), 0.5, True, 1)


def test_the_layers_that_matter_are_found_and_no_others() -> None:
    rule = Rule({"layer0": 3.0, "layer2": 2.0, "layer5": 0.4}, wide=("layer2",))
    found = search(LAYERS, 1.0, rule)

    assert found.kept == (("layer0", "float"), ("layer2", "w16"))
    assert (found.reached, found.loss) == (True, 0.4)
    assert found.tried == sum(rule.batches)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 39, 40])
def test_any_head_of_the_ranking_is_found(count: int) -> None:
    found = search(LAYERS, 0.5, Rule(dict.fromkeys(LAYERS[:count], 1.0)))

    assert found.kept[:count] == tuple((layer, "float") for layer in LAYERS[:count])
    assert len(found.kept) == count
    assert found.reached


def test_the_search_ends_even_where_much_could_be_tried() -> None:
    found = search(LAYERS, 0.5, Rule(dict.fromkeys(LAYERS, 1.0)))

    assert found.tried <= MOST_TRIES


def test_a_drop_that_cannot_be_held_is_said() -> None:
    found = search(LAYERS, 0.5, Rule({"the state": 2.0}))

    assert not found.reached
    assert found.loss == 2.0


def test_the_recipe_is_one_that_quantize_reads(tmp_path: Path) -> None:
    kept: Kept = (("a", "float"), ("b", "w16"))
    recipe = with_kept(Recipe("w4a8sfloat", weights=4), kept)
    path = tmp_path / "recipe.toml"
    path.write_text(as_toml(recipe))

    assert load_recipe(path) == recipe
    assert (recipe.float_layers, recipe.wide_layers) == (("a",), ("b",))
