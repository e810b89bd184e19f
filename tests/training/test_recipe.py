from __future__ import annotations

from pathlib import Path

import pytest

from edge_ttvos.errors import TrainingError
from edge_ttvos.network.config import PRESETS
from edge_ttvos.training.recipe import Recipe, load_recipe, shipped_recipes
from edge_ttvos.training.stage import Stage

RECIPE = """
name = "mine"
network = "paper"
weight_decay = 0
[[stages]]
name = "first"
steps = 10
size = [32, 48]
frames = 3
batch = 2
learning_rate = 1
[[stages]]
name = "second"
steps = 5
size = [48, 64]
frames = 2
batch = 1
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def refused(path: Path | str, *says: str) -> None:
    with pytest.raises(TrainingError) as caught:
        load_recipe(str(path))
    for part in (str(path), *says):
        assert part in str(caught.value)


def changed(file: Path, before: str, after: str) -> Path:
    assert before in RECIPE
    file.write_text(RECIPE.replace(before, after, 1), encoding="utf-8")
    return file


def test_some_recipe_is_shipped() -> None:
    assert "cpu-2h" in shipped_recipes()


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_loads_and_is_called_as_its_file(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.network in PRESETS
    assert recipe.steps == sum(stage.steps for stage in recipe.stages) > 0


def test_a_file_is_read_with_defaults_and_whole_numbers_for_others(file: Path) -> None:
    recipe = load_recipe(str(file))
    first, second = recipe.stages
    assert recipe == Recipe("mine", "paper", (first, second), weight_decay=0.0)
    assert first == Stage("first", 10, (32, 48), 3, 2, learning_rate=1.0)
    assert second == Stage("second", 5, (48, 64), 2, 1)
    assert type(first.learning_rate) is type(recipe.weight_decay) is float


def test_locate_walks_through_the_stages(file: Path) -> None:
    recipe = load_recipe(str(file))
    where = [(stage.name, within) for stage, within in map(recipe.locate, range(recipe.steps))]
    assert where == [("first", n) for n in range(10)] + [("second", n) for n in range(5)]
    with pytest.raises(IndexError):
        recipe.locate(recipe.steps)


def test_there_is_no_such_recipe(tmp_path: Path) -> None:
    refused("gpu-1s", "cpu-2h")
    refused(tmp_path / "none.toml", "No such file")
    (tmp_path / "folder.toml").mkdir()
    refused(tmp_path / "folder.toml", "directory")


@pytest.mark.parametrize("text", ["name = ", "= 3", "[[stages]", 'name = "a"\nname = "b"'])
def test_not_toml(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    refused(file, "not valid TOML")


def test_not_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    refused(file, "UTF-8")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("weight_decay", "weight_decoy", ["unknown key weight_decoy", "weight_decay"]),
        ("batch = 2", "batches = 2", ["stage first", "unknown key batches", "batch"]),
        ('name = "mine"', "", ["missing key name"]),
        ("steps = 10", "", ["stage first", "missing key steps"]),
        ("batch = 1", "", ["stage second", "missing key batch"]),
        ('name = "first"', "", ["stage 1", "missing key name"]),
    ],
)
def test_unknown_and_missing_keys(file: Path, before: str, after: str, says: list[str]) -> None:
    refused(changed(file, before, after), *says)


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ('network = "paper"', 'network = "resnet"', "network"),
        ('name = "mine"', "name = 3", "name"),
        ("weight_decay = 0", "weight_decay = -1", "weight_decay"),
        ("weight_decay = 0", "ema = 1.0", "ema"),
        ("weight_decay = 0", "clip_norm = 0", "clip_norm"),
        ("weight_decay = 0", "clip_norm = inf", "clip_norm"),
        ("weight_decay = 0", "temporal_weight = nan", "temporal_weight"),
        ("weight_decay = 0", "jaccard_weight = -0.5", "jaccard_weight"),
        ("weight_decay = 0", "seed = 1.5", "seed"),
        ("weight_decay = 0", "seed = -1", "seed"),
        ("weight_decay = 0", 'bfloat16 = "no"', "bfloat16"),
        ("weight_decay = 0", "bfloat16 = 1", "bfloat16"),
        ("steps = 10", "steps = 0", "steps"),
        ("steps = 10", 'steps = "10"', "steps"),
        ("steps = 10", "steps = 10.0", "steps"),
        ("steps = 10", "steps = true", "steps"),
        ("size = [32, 48]", "size = [30, 48]", "size"),
        ("size = [32, 48]", "size = [0, 48]", "size"),
        ("size = [32, 48]", "size = [32]", "size"),
        ("size = [32, 48]", "size = [32, 48, 64]", "size"),
        ("size = [32, 48]", "size = 32", "size"),
        ("size = [32, 48]", 'size = ["32", "48"]', "size"),
        ("frames = 3", "frames = 1", "frames"),
        ("batch = 2", "batch = 0", "batch"),
        ("learning_rate = 1", "learning_rate = 0", "learning_rate"),
        ("learning_rate = 1", "learning_rate = nan", "learning_rate"),
        ("learning_rate = 1", "stills = 1.1", "stills"),
        ("learning_rate = 1", "boxes = -0.1", "boxes"),
        ("learning_rate = 1", "floor = 2", "floor"),
        ("learning_rate = 1", "hard_pixels = 0", "hard_pixels"),
        ("learning_rate = 1", "max_stride = 0", "max_stride"),
        ("learning_rate = 1", 'freeze_batchnorm = "yes"', "freeze_batchnorm"),
        ("learning_rate = 1", 'kind = "films"', "kind"),
        ("learning_rate = 1", 'kind = "images"', "frames"),
        ("frames = 3", 'kind = "boxes"\nboxes = 1\nframes = 3', "frames"),
        ("frames = 3", 'kind = "boxes"\nboxes = 0.5\nframes = 1', "boxes"),
        ("frames = 3", 'kind = "boxes"\nboxes = 1\nhard_pixels = 0.5\nframes = 1', "hard_pixels"),
        ("frames = 3", 'kind = "boxes"\nboxes = 1\nframes = 1', "box_head"),
        ("learning_rate = 1", "accumulate = 0", "accumulate"),
        ("learning_rate = 1", "recompute = true", "recompute"),
        ("learning_rate = 1", "hard_sources = -1", "hard_sources"),
        ("learning_rate = 1", "films = 1.5", "films"),
        ("learning_rate = 1", "occlusions = 1.5", "occlusions"),
        ("learning_rate = 1", "departures = -0.5", "departures"),
        ("frames = 3", "occlusions = 0.5\nframes = 2", "occlusions"),
        ("frames = 3", "departures = 0.5\nframes = 2", "departures"),
        ("weight_decay = 0", 'without = ["mid_term"]', "without[0]"),
        ("weight_decay = 0", 'without = "update"', "without"),
        ("weight_decay = 0", 'take = "head"', "take"),
        ("weight_decay = 0", "auxiliary_weight = -1", "auxiliary_weight"),
    ],
)
def test_a_bad_value_is_refused_by_its_key(file: Path, before: str, after: str, key: str) -> None:
    refused(changed(file, before, after), f"{key} must ", "got")


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        ("", "at least one"),
        ("stages = []", "at least one"),
        ("stages = [1, 2]", "list of [[stages]] tables"),
        ("[stages]\nsteps = 1", "list of [[stages]] tables"),
    ],
)
def test_stages_that_are_none(file: Path, stages: str, says: str) -> None:
    file.write_text(f'name = "mine"\nnetwork = "paper"\n{stages}', encoding="utf-8")
    refused(file, says)


def test_a_recipe_names_the_networks_of_table_3(file: Path) -> None:
    text = RECIPE.replace("weight_decay = 0", 'without = ["update"]\ntemporal_weight = 0')
    file.write_text(text, encoding="utf-8")
    recipe = load_recipe(str(file))
    assert recipe.config == PRESETS["paper"].without("update")
    assert recipe.temporal_weight == 0
