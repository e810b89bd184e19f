from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_ttvos.errors import DatasetError, MaskError
from edge_ttvos.evaluation.datasets import Dataset, open_dataset
from edge_ttvos.evaluation.masks import Labels, write_mask
from edge_ttvos.evaluation.report import Report
from edge_ttvos.evaluation.score import score, score_each, score_frame, score_sequence

Square = Callable[..., Labels]
WriteSequence = Callable[..., None]

STEMS = [f"{index:05d}" for index in range(6)]  # 00001…00004 count


@pytest.fixture
def davis(tmp_path: Path, square: Square, write_sequence: WriteSequence) -> Path:
    """``one`` has object 1; ``two`` has objects 1 and 2."""
    root = tmp_path / "set"
    content = {"one": square(8, 10, 1), "two": square(2, 4, 1) + square(14, 4, 2)}
    for name, labels in content.items():
        write_sequence(
            root / "JPEGImages" / "480p" / name,
            root / "Annotations" / "480p" / name,
            dict.fromkeys(STEMS, labels),
        )
    return root


@pytest.fixture
def dataset(davis: Path) -> Dataset:
    return open_dataset("davis2017", davis)


@pytest.fixture
def predictions(tmp_path: Path, davis: Path) -> Path:
    """A copy of the annotations."""
    folder = tmp_path / "predictions"
    for path in sorted((davis / "Annotations" / "480p").glob("*/*.png")):
        copy = folder / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return folder


PERFECT = {"mean": 100, "recall": 100, "decay": 0}


def test_annotations_against_themselves_are_perfect(dataset: Dataset, predictions: Path) -> None:
    result = score(dataset, predictions, {"engine": "none"}).to_json()
    perfect = {"J&F": 100, "J": PERFECT, "F": PERFECT}
    plain = {"J&F": 100, "J": 100, "J_recall": 100, "J_decay": 0}
    plain |= {"F": 100, "F_recall": 100, "F_decay": 0}
    assert result == {
        "schema": 1,
        "complete": True,
        **perfect,
        "sequences": {
            "one": {**plain, "objects": {"1": plain}},
            "two": {**plain, "objects": {"1": plain, "2": plain}},
        },
        "missing": [],
        "unknown_ids": {},
        "protocol": {
            "dataset": "davis2017",
            "engine": "none",
            "sequences": 2,
            "objects": 3,
            "frames_scored": 12,
        },
    }


def test_every_object_has_one_weight(dataset: Dataset, predictions: Path, square: Square) -> None:
    for stem in STEMS:
        write_mask(predictions / "two" / f"{stem}.png", square(2, 4, 1))
    result = score(dataset, predictions).to_json()
    assert result["sequences"]["two"]["objects"]["2"]["J&F"] == 0
    assert result["sequences"]["two"]["J"] == 50
    assert result["J"]["mean"] == pytest.approx(200 / 3)
    assert result["J&F"] == pytest.approx(200 / 3)


def test_a_shift_by_hand(dataset: Dataset, predictions: Path, square: Square) -> None:
    for stem in STEMS:
        write_mask(predictions / "one" / f"{stem}.png", square(8, 14, 1))  # 4 of 8 columns
    result = score(dataset.select(["one"]), predictions).to_json()
    assert result["J"] == {"mean": pytest.approx(100 / 3), "recall": 0, "decay": 0}


def test_first_and_last_frame_do_not_count(dataset: Dataset, predictions: Path) -> None:
    for stem in (STEMS[0], STEMS[-1]):
        (predictions / "one" / f"{stem}.png").unlink()
    result = score(dataset, predictions).to_json()
    assert result["J&F"] == 100
    assert result["missing"] == []


def test_a_missing_frame_counts_as_empty_and_is_listed(dataset: Dataset, predictions: Path) -> None:
    (predictions / "one" / "00004.png").unlink()
    report = score(dataset, predictions)
    result = report.to_json()
    assert result["missing"] == ["one/00004.png"]
    assert result["complete"] is True
    assert report.sequences[0].objects[0].j_frames.tolist() == [1, 1, 1, 0]
    # quarters of four frames: 0…1 and 2…3
    one = result["sequences"]["one"]
    assert (one["J"], one["J_recall"], one["J_decay"]) == (75, 75, 50)
    assert (one["F"], one["F_recall"], one["F_decay"]) == (75, 75, 50)


def test_an_empty_prediction_of_an_absent_object_is_right(
    dataset: Dataset, davis: Path, predictions: Path, square: Square
) -> None:
    write_mask(davis / "Annotations" / "480p" / "one" / "00002.png", square(value=0))
    (predictions / "one" / "00002.png").unlink()
    assert score(dataset, predictions).to_json()["sequences"]["one"]["J&F"] == 100


def test_a_missing_sequence_is_an_error_before_any_work(
    dataset: Dataset, predictions: Path
) -> None:
    for path in (predictions / "two").iterdir():
        path.unlink()
    (predictions / "two").rmdir()
    with pytest.raises(DatasetError, match="predictions of sequence two are missing"):
        next(score_each(dataset, predictions))


def test_another_size_is_an_error_that_names_the_file(dataset: Dataset, predictions: Path) -> None:
    write_mask(predictions / "one" / "00003.png", np.zeros((12, 16), np.uint8))
    with pytest.raises(MaskError, match=r"one/00003\.png must be \(H, W\)=\(24, 32\).*\(12, 16\)"):
        score(dataset, predictions)


def test_an_unreadable_prediction_is_an_error(dataset: Dataset, predictions: Path) -> None:
    (predictions / "one" / "00003.png").write_bytes(b"\x89PNG")
    with pytest.raises(MaskError, match=r"00003\.png cannot be read"):
        score(dataset, predictions)


def test_davis2016_takes_any_value_as_the_object(
    davis: Path, predictions: Path, square: Square
) -> None:
    for stem in STEMS:
        grey = Image.fromarray(square(8, 10, 255))
        grey.save(predictions / "one" / f"{stem}.png")
    result = score(open_dataset("davis2016", davis), predictions).to_json()
    assert result["J&F"] == 100
    assert result["unknown_ids"] == {}
    assert list(result["sequences"]["two"]["objects"]) == ["1"]


def test_values_that_are_no_object_are_background_and_listed(
    dataset: Dataset, predictions: Path, square: Square
) -> None:
    write_mask(predictions / "one" / "00002.png", square() + square(0, 0, 7) + square(16, 0, 255))
    result = score(dataset, predictions).to_json()
    assert result["J&F"] == 100
    assert result["unknown_ids"] == {"one": [7, 255]}


def test_void_pixels_count_for_nothing(
    dataset: Dataset, davis: Path, predictions: Path, square: Square
) -> None:
    """The prediction spills over into what the annotation calls void."""
    for stem in STEMS[1:]:
        write_mask(davis / "Annotations/480p/one" / f"{stem}.png", square() + square(8, 18, 255))
        write_mask(predictions / "one" / f"{stem}.png", square() + square(8, 18, 1))
    assert score(dataset, predictions).to_json()["sequences"]["one"]["J&F"] == 100


def test_youtube_vos_counts_what_comes_after_each_objects_first(
    tmp_path: Path, square: Square, write_sequence: WriteSequence
) -> None:
    both = square(2, 4, 1) + square(14, 4, 2)
    masks = {"00000": square(2, 4, 1), "00005": both, "00010": both, "00015": both}
    write_sequence(tmp_path / "JPEGImages" / "a", tmp_path / "Annotations" / "a", masks)
    folder = tmp_path / "predictions" / "a"
    folder.mkdir(parents=True)
    write_mask(folder / "00005.png", square(2, 4, 1))  # right: object 2 only starts here
    write_mask(folder / "00010.png", both)
    write_mask(folder / "00015.png", square(14, 4, 2))
    report = score(open_dataset("youtube-vos", tmp_path), folder.parent)
    one, two = report.sequences[0].objects
    assert (one.frames, one.j_frames.tolist()) == (("00005", "00010", "00015"), [1, 1, 0])
    assert (two.frames, two.f_frames.tolist()) == (("00010", "00015"), [1, 1])
    assert report.to_json()["J"]["mean"] == pytest.approx(100 * (2 / 3 + 1) / 2)


def test_where_nothing_counts_figures_are_null(
    tmp_path: Path, square: Square, write_sequence: WriteSequence
) -> None:
    write_sequence(
        tmp_path / "JPEGImages" / "a", tmp_path / "Annotations" / "a", {"00000": square()}
    )
    (tmp_path / "predictions" / "a").mkdir(parents=True)
    report = score(open_dataset("youtube-vos", tmp_path), tmp_path / "predictions")
    result = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert result["J&F"] is None
    assert result["J"] == {"mean": None, "recall": None, "decay": None}
    assert result["sequences"]["a"]["objects"]["1"]["F"] is None


def test_one_sequence_at_a_time_and_an_interrupted_report(
    dataset: Dataset, predictions: Path
) -> None:
    shares: list[float] = []
    each = score_each(dataset, predictions, shares.append)
    first = next(each)
    assert first.name == "one"
    assert shares == pytest.approx([0.125, 0.25, 0.375, 0.5])
    result = Report((first,), {"dataset": "davis2017"}, reason="interrupted").to_json()
    assert result["complete"] is False
    assert result["reason"] == "interrupted"
    assert list(result["sequences"]) == ["one"]
    assert result["J&F"] == 100
    list(each)
    assert shares[-1] == 1


def test_predictions_may_come_from_memory(dataset: Dataset, square: Square) -> None:
    asked: list[str] = []

    def predict(stem: str) -> Labels | None:
        asked.append(stem)
        return None if stem == "00001" else square(8, 10, 1)

    result = score_sequence(dataset.load("one"), predict)
    assert asked == STEMS[1:-1]
    assert result.missing == ("00001.png",)
    assert result.objects[0].j_frames.tolist() == [0, 1, 1, 1]


def test_score_frame_is_arrays_in_numbers_out(square: Square) -> None:
    annotation = square(2, 4, 1) + square(14, 4, 2)
    assert score_frame(square(2, 4, 1), annotation, (1, 2)) == {1: (1.0, 1.0), 2: (0.0, 0.0)}


def test_real_annotations_against_themselves(real_data: Path) -> None:
    root = real_data / "davis2016"
    dataset = open_dataset("davis2016", root, ["car-shadow", "bmx-trees"])
    result = score(dataset, root / "Annotations" / "480p").to_json()
    assert (result["J&F"], result["J"], result["F"]) == (100, PERFECT, PERFECT)


def test_a_real_sequence_moved_by_more_and_more(real_data: Path) -> None:
    """Within the radius F stays near 100; J falls at once; both fall further with distance."""
    sequence = open_dataset("davis2016", real_data / "davis2016").load("car-shadow")
    means = []
    for distance in (0, 4, 30):

        def moved(stem: str, distance: int = distance) -> Labels:
            return np.roll(sequence.read(sequence.annotations[stem]), distance, axis=1)

        result = score_sequence(sequence, moved)
        assert result.j is not None
        assert result.f is not None
        means.append((result.j.mean, result.f.mean))
    (j0, f0), (j4, f4), (j30, f30) = means
    assert (j0, f0) == (1, 1)
    assert 1 > j4 > j30
    assert f4 > 0.99 > f30
