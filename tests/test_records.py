"""Records inside records; plain ones are tested with the recipes and checkpoints that use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from edge_ttvos.records import build, plain


@dataclass(frozen=True)
class Leaf:
    size: tuple[int, int]
    share: float | None = None


@dataclass(frozen=True)
class Tree:
    leaf: Leaf
    leaves: tuple[Leaf, ...]
    colour: tuple[int, int, int]
    named: Mapping[str, Leaf]
    both: float = field(metadata={"key": "J&F"})


TABLE: dict[str, Any] = {
    "leaf": {"size": [1, 2], "share": None},
    "leaves": [{"size": [3, 4], "share": 1}],
    "colour": [5, 6, 7],
    "named": {"a": {"size": [8, 9], "share": 0.5}},
    "J&F": 2,
}
TREE = Tree(Leaf((1, 2)), (Leaf((3, 4), 1.0),), (5, 6, 7), {"a": Leaf((8, 9), 0.5)}, 2.0)


@dataclass(frozen=True)
class Bare:
    leaves: tuple[Leaf, ...] = ()
    named: Mapping[str, Leaf] = field(default_factory=dict)


def test_what_has_a_default_may_be_missing() -> None:
    assert build(Bare, {}) == Bare()
    with pytest.raises(ValueError, match="missing key leaves, named"):
        build(Bare, {}, defaults=False)


def test_tables_become_records_and_come_back() -> None:
    assert build(Tree, TABLE) == TREE
    assert plain(TREE) == TABLE


def test_what_is_a_record_already_stays() -> None:
    assert build(Tree, {**TABLE, "leaf": TREE.leaf, "leaves": TREE.leaves}) == TREE


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("leaf", [1, 2], "leaf must be a table of keys and values; got [1, 2]"),
        ("leaf", {"size": [1, 2], "rest": 1}, "leaf: unknown key rest"),
        ("leaf", {"share": 1}, "leaf: missing key size"),
        ("leaves", {"size": [1, 2]}, "leaves must be a list"),
        ("leaves", [{"size": "3x4"}], "leaves[0]: size must be two whole numbers"),
        ("leaves", [{"size": [3, 4], "share": True}], "leaves[0]: share must be a finite number"),
        ("leaves", [{"size": [3, 4], "share": 10**400}], "leaves[0]: share must be a finite"),
        ("colour", [5, 6], "colour must be a list of 3; got [5, 6]"),
        ("colour", [5, 6, 7.0], "colour[2] must be a whole number; got 7.0"),
        ("named", [1], "named must be a table of keys and values"),
        ("named", {"a": None}, "named: a must be a table of keys and values; got None"),
        ("J&F", "x" * 1000, "J&F must be a finite number; got 'xxx"),
    ],
)
def test_a_part_that_does_not_fit_is_named(key: str, value: Any, says: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        build(Tree, {**TABLE, key: value})
    assert str(caught.value).startswith(says)
    assert len(str(caught.value)) < 200


def test_defaults_may_be_had_or_not() -> None:
    assert build(Leaf, {"size": [1, 2]}) == Leaf((1, 2))
    with pytest.raises(ValueError, match="missing key share"):
        build(Leaf, {"size": [1, 2]}, defaults=False)
    with pytest.raises(ValueError, match="leaf: missing key share"):
        build(Tree, {**TABLE, "leaf": {"size": [1, 2]}}, defaults=False)
