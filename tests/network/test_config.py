from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Literal

import pytest

from edge_ttvos.network.config import PRESETS, NetworkConfig

Switch = Literal["short_term", "long_term", "update"]


def test_presets_are_the_paper_and_the_authors_release() -> None:
    paper, release = PRESETS["paper"], PRESETS["release"]
    assert (paper.mask_channels, paper.coordinate_channels) == (2, 0)
    assert (paper.scaled_softmax, paper.update) == (False, "average")
    assert (release.mask_channels, release.coordinate_channels) == (6, 3)
    assert (release.scaled_softmax, release.update) == (True, "weighted")
    assert all(preset.name == name for name, preset in PRESETS.items())
    assert all(preset.short_term and preset.long_term for preset in PRESETS.values())
    assert all(preset.template_channels == 32 for preset in PRESETS.values())
    assert NetworkConfig() == release


@pytest.mark.parametrize(
    ("switch", "name", "field", "value"),
    [
        ("short_term", "paper-no-short-term", "short_term", False),
        ("long_term", "paper-no-long-term", "long_term", False),
        ("update", "paper-frozen", "update", "frozen"),
    ],
)
def test_a_switch_changes_one_field_and_the_name(
    switch: Switch, name: str, field: str, value: bool | str
) -> None:
    paper, switched = PRESETS["paper"], PRESETS["paper"].without(switch)
    assert switched.name == name
    unequal = {key for key, kept in vars(paper).items() if getattr(switched, key) != kept}
    assert unequal == {"name", field}
    assert getattr(switched, field) == value


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"mask_history": 0}, "mask_history must be .*at least 1; got 0"),
        ({"template_channels": 30}, "divide template_channels; got 4 and 30"),
        ({"channels_per_group": 0}, "channels_per_group"),
        ({"template_channels": -32}, "template_channels"),
    ],
    ids=str,
)
def test_impossible_networks_are_refused(bad: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        NetworkConfig(**bad)


def test_an_unknown_update_rule_is_refused() -> None:
    with pytest.raises((ValueError, TypeError), match="update"):
        NetworkConfig(update="newest")  # type: ignore[arg-type]


def test_a_configuration_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        PRESETS["paper"].name = "mine"  # type: ignore[misc]
