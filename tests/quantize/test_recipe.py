from __future__ import annotations

from pathlib import Path

import pytest

from edge_ttvos.errors import QuantizationError
from edge_ttvos.quantize.recipe import (
    Calibration,
    Recipe,
    as_dict,
    as_toml,
    load_recipe,
    parse_bits,
    recipe_of,
)


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("w8a8", (8, 8, None)),
        ("w8a8sfloat", (8, 8, None)),
        ("w8a8s8", (8, 8, 8)),
        ("w2a16s4", (2, 16, 4)),
    ],
)
def test_bits(text: str, bits: tuple[int, int, int | None]) -> None:
    recipe = parse_bits(text)

    assert (recipe.weights, recipe.activations, recipe.state) == bits
    assert recipe.bits.startswith(text)


@pytest.mark.parametrize("text", ["", "w8", "a8w8", "w8a8s", "w8a8sint", "w8a8s8 ", "W8A8"])
def test_another_text(text: str) -> None:
    with pytest.raises(QuantizationError, match="--bits must be like w8a8"):
        parse_bits(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("w1a8", "weights must have 2 to 8 bits; got 1"),
        ("w9a8", "weights must have 2 to 8 bits; got 9"),
        ("w8a17", "activations must have 2 to 16 bits; got 17"),
        ("w8a8s1", "state must have 2 to 16 bits; got 1"),
    ],
)
def test_bits_out_of_range(text: str, says: str) -> None:
    with pytest.raises(QuantizationError, match=says):
        parse_bits(text)


def test_what_is_simulated_says_why() -> None:
    assert parse_bits("w8a8s4").simulated == ()  # the template is the tracker's own
    assert parse_bits("w4a16s8").simulated == (
        "weights of 4 bits",
        "activations of 16 bits",
        "carried state of 16 bits",
    )


def test_a_recipe_is_plain_data() -> None:
    recipe = Recipe("mine", weights=4, state=8, float_layers=("a", "b"))

    assert recipe_of(as_dict(recipe)) == recipe


def test_the_file_that_is_written_reads_back(tmp_path: Path) -> None:
    recipe = Recipe(
        'of "quotes"',
        weights=4,
        state=8,
        observer="entropy",
        float_layers=("a.0", "b"),
        calibration=Calibration(sequences=3, rolled_out=False),
    )
    for each in (recipe, Recipe("plain")):
        path = tmp_path / "r.toml"
        path.write_text(as_toml(each))
        assert load_recipe(path) == each


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('name = "r"\nstate = 8\n[calibration]\nframes = 9\nseen = 2\n')

    recipe = load_recipe(path)

    assert (recipe.name, recipe.bits, recipe.calibration.frames) == ("r", "w8a8s8", 9)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('name = "r"\nobserver = "guess"', "observer must be one of min_max"),
        ('name = "r"\ncolour = 1', "unknown key colour"),
        ('name = "r"\npercentile = 40.0', "percentile must be above 50"),
        ('name = "r"\n[calibration]\nseen = 99', "seen must be below frames"),
        ('name = "r"\n[training]\nsize = [100, 100]', "size must be two multiples of 16"),
        ('name = "r"\nfloat_layers = ["x"]\nwide_layers = ["x"]', "either float or wide; both: x"),
        ("name = ", "cannot be read as TOML"),
    ],
)
def test_a_bad_file_names_itself_and_the_fault(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(QuantizationError, match=says) as caught:
        load_recipe(path)
    assert str(path) in str(caught.value)
