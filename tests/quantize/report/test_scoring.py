"""Points scored for real on small clips: twice the same, by the engine that their bits allow."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_ttvos.errors import DatasetError, ModelError
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.quantize.recipe import Recipe
from edge_ttvos.quantize.report.calibrating import Calibrate
from edge_ttvos.quantize.report.engines import opened
from edge_ttvos.quantize.report.latency import TIMED, Latency
from edge_ttvos.quantize.report.points import Point, asked_points, at, float_point
from edge_ttvos.quantize.report.scoring import Score, follow, model_of, numbers
from edge_ttvos.quantize.report.stall import Stall
from edge_ttvos.quantize.report.strips import Place, Strip
from edge_ttvos.quantize.report.study import Study, open_study, require_set_aside
from edge_ttvos.quantize.report.task import do, key
from edge_ttvos.quantize.report.workshop import checkpoint_of, scheme_of
from edge_ttvos.quantize.scheme import Scheme

pytestmark = pytest.mark.slow

BITS = ("w8a8sfloat", "w8a8s4", "w4a6s4")


@pytest.fixture(scope="module")
def schemes(study: Study) -> dict[Recipe, Scheme]:
    """Of all points' recipes."""
    points = asked_points(study.recipe, BITS)
    recipes = tuple(point.recipe for point in points if point.recipe is not None)
    result = Calibrate(study, study.axes.size, study.recipe.calibration, recipes).run()
    return dict(zip(recipes, map(scheme_of, result["schemes"]), strict=True))


@pytest.fixture(scope="module")
def scores(study: Study, schemes: dict[Recipe, Scheme]) -> dict[str, Score]:
    """Tasks by label."""
    points = asked_points(study.recipe, BITS)
    return {p.label: Score(study, p, schemes[p.recipe] if p.recipe else None) for p in points}


@pytest.mark.parametrize(
    ("label", "engine"),
    [("float", "torch"), ("w8a8sfloat", "litert"), ("w8a8s4", "litert"), ("w4a6s4", "torch")],
)
def test_a_point_is_scored_alike_each_time(
    scores: dict[str, Score], label: str, engine: str
) -> None:
    first, second = do(scores[label]), do(scores[label])

    assert first["key"] == second["key"]
    one, other = first["result"], second["result"]
    assert one["engine"] == engine
    for name in ("J&F", "J", "F"):
        assert abs(one[name] - other[name]) <= 0.01
    assert one == other
    swan = one["sequences"]["swan"]
    assert swan["frames"] == [1, 2, 3, 4]
    assert len(swan["J_by_frame"]) == 4
    assert swan["J"] == pytest.approx(sum(swan["J_by_frame"]) / 4, abs=0.01)


def test_few_bits_take_less(scores: dict[str, Score]) -> None:
    exact, eight, four = (scores[label].run() for label in ("float", "w8a8sfloat", "w4a6s4"))

    assert exact["size_bytes"] > 3.5 * eight["size_bytes"] > 5 * four["size_bytes"]
    # the first convolution of each reads what has the bits of activations, but for the frame
    assert exact["mac_bits"] == pytest.approx(16 * eight["mac_bits"])
    assert eight["mac_bits"] > 2.5 * four["mac_bits"]


def test_the_engine_and_the_simulation_agree(scores: dict[str, Score], study: Study) -> None:
    score = scores["w8a8sfloat"]
    model, size, dataset = model_of(score), study.axes.size, study.scored(study.axes.sequences)
    found = []
    for simulated in (False, True):
        with opened(model, size, simulated) as engine:
            found.append(numbers(follow(engine, dataset), dataset)["J&F"])

    # a random network's masks hang by a thread; a trained one's are closer
    assert abs(found[0] - found[1]) < 10


def test_latency_is_measured_in_litert(scores: dict[str, Score], study: Study) -> None:
    result = Latency(study, scores["w8a8s4"], threads=1).run()

    assert (result["engine"], result["threads"]) == ("litert", 1)
    assert 0 < result["p50"] <= result["p95"]
    assert TIMED >= 20


def test_the_state_stalls_are_measured_on_one_run(
    study: Study, scores: dict[str, Score], schemes: dict[Recipe, Scheme]
) -> None:
    four = schemes[at(study.recipe, state=4)].template
    result = Stall(study, scores["w8a8sfloat"], {"4": four, "float": None}).run()

    assert len(result["steps"]) == 5
    assert 0 < result["steps"][-1] <= 1
    templates = result["templates"]
    assert [len(templates[label]["moved"]) for label in ("4", "float")] == [4, 4]
    assert max(templates["float"]["distance"]) == 0.0
    assert min(templates["4"]["distance"]) > 0.0
    assert min(templates["float"]["moved"]) > max(templates["4"]["moved"])


def test_a_strip_shows_frame_float_and_low(study: Study, scores: dict[str, Score]) -> None:
    place = Place("camel", 2, 80.0, 40.0)
    pictures = Strip(study, scores["float"], scores["w8a8s4"], place).run()

    assert list(pictures) == ["frame", "float", "low"]
    assert all(picture.startswith("/9j/") for picture in pictures.values())  # JPEG in base64


def test_identities_tell_studies_apart(study: Study, model_file: Path, data: Path) -> None:
    point = float_point("axes")
    checkpoint = checkpoint_of(study)
    other = open_study(model_file, checkpoint, data, study.recipe, ((64, 96), None))

    assert key(Score(study, point, None)) != key(Score(other, point, None))
    one = open_study(model_file, checkpoint, data, study.recipe, sequences=("swan",))
    assert one.axes.sequences == ("swan",)
    assert one.named.sequences == ("camel", "swan")


def test_another_file_under_the_models_name_is_noticed(study: Study, tmp_path: Path) -> None:
    wrong = Study(**{**vars(study), "sha256": "0" * 64})

    with pytest.raises(ModelError, match=r"must be 0{12}… everywhere"):
        Score(wrong, Point("axes/float", "axes", "float", "float", None), None).run()


def test_data_that_lacks_what_is_needed(
    model_file: Path, checkpoint: Checkpoint, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match="JPEGImages"):
        open_study(model_file, checkpoint, tmp_path)
    with pytest.raises(DatasetError, match="sequence absent is missing"):
        open_study(model_file, checkpoint, data, sequences=("absent",))
    (tmp_path / "davis2016").symlink_to(data / "davis2016")
    folder = tmp_path / "sequences"
    for kind in ("JPEGImages", "Annotations"):
        (folder / kind).mkdir(parents=True)
        (folder / kind / "left").symlink_to(data / "davis2016-train-324p" / kind / "left")
    bare = open_study(model_file, checkpoint, tmp_path)
    with pytest.raises(DatasetError, match=r"set aside for choosing .*--parts"):
        require_set_aside(bare)
