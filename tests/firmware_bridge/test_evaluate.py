"""Small data sets on disk: with the torch engine against the tracker by hand, and with a simulator
that keeps every mask where it is, so that scores follow from the annotations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge_ttvos.errors import CapacityError, DatasetError, FrameError, OutputError
from edge_ttvos.evaluation.datasets import Dataset, open_dataset
from edge_ttvos.evaluation.masks import read_mask, write_mask
from edge_ttvos.evaluation.score import score_folder
from edge_ttvos.firmware_bridge.evaluate import Evaluation, bounding_box, evaluate
from edge_ttvos.firmware_bridge.latency import Latencies
from edge_ttvos.firmware_bridge.sources.images import read_image

SIZE = (48, 80)

WriteDataset = Callable[..., Dataset]


@pytest.fixture
def write_dataset(tmp_path: Path) -> WriteDataset:
    """Write ``{sequence: (frames, {stem: labels})}`` in the benchmarks' layout, and open it."""

    def write(kind: str, sequences: dict[str, tuple[list[Any], dict[str, Any]]]) -> Dataset:
        root = tmp_path / kind
        for name, (frames, masks) in sequences.items():
            images, annotations = root / "JPEGImages" / name, root / "Annotations" / name
            images.mkdir(parents=True)
            annotations.mkdir(parents=True)
            for index, frame in enumerate(frames):
                Image.fromarray(frame).save(images / f"{index:05d}.jpg")
            for stem, mask in masks.items():
                write_mask(annotations / f"{stem}.png", mask)
        return open_dataset(kind, root)

    return write


def by_stem(labels: list[Any]) -> dict[str, Any]:
    return {f"{index:05d}": mask for index, mask in enumerate(labels)}


def blocks(**columns: int) -> np.ndarray:
    """Labels with a 16×16 block for each object ``o1``, ``o2``, … that starts at a column."""
    labels = np.zeros(SIZE, np.uint8)
    for name, column in columns.items():
        labels[16:32, column : column + 16] = int(name[1:])
    return labels


def grey(count: int) -> list[np.ndarray]:
    return [np.full((*SIZE, 3), 90, np.uint8)] * count


def predictions(folder: Path) -> dict[str, np.ndarray]:
    return {path.stem: read_mask(path) for path in sorted(folder.glob("*.png"))}


def test_davis_2016_is_tracked_from_the_first_mask_and_scored(
    open_tracker: Any, make_clip: Any, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    clips = {"goat": make_clip(count=5), "camel": make_clip(31, 57, count=4)}
    dataset = write_dataset(
        "davis2016", {name: (c.frames, by_stem(c.labels)) for name, c in clips.items()}
    )
    latencies, shares = Latencies(), []
    evaluation = Evaluation(dataset, "mask", tmp_path / "out")
    scores = list(evaluate(open_tracker(), evaluation, latencies, lambda *s: shares.append(s)))
    assert [score.name for score in scores] == ["camel", "goat"]
    for sequence, score in zip(dataset, scores, strict=True):
        folder = tmp_path / "out" / sequence.name
        tracker = open_tracker()
        expected = {
            path.stem: (
                tracker.step(read_image(path)).mask
                if index
                else tracker.start(read_image(path), clips[sequence.name].labels[0]).mask
            ).copy()
            for index, path in enumerate(sequence.frames)
        }
        found = predictions(folder)
        assert list(found) == list(expected)
        for stem, mask in expected.items():
            np.testing.assert_array_equal(found[stem], mask)
        again = score_folder(sequence, folder)
        assert (score.j, score.f, score.missing) == (again.j, again.f, ())
        assert 0 < score.j.mean < 1
    assert latencies.frames == 4 + 3
    assert [name for name, _ in shares] == ["camel"] * 4 + ["goat"] * 5
    assert [share for _, share in shares] == pytest.approx(
        [(1 / 2) * i / 4 for i in range(1, 5)] + [0.5 + (1 / 2) * i / 5 for i in range(1, 6)]
    )


def test_objects_that_appear_later_are_added_then(
    open_tracker: Any, make_clip: Any, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    clip = make_clip(count=8, objects=2)
    first_only = np.where(clip.labels[2] == 1, 1, 0).astype(np.uint8)
    masks = {"00002": first_only, "00004": clip.labels[4], "00006": clip.labels[6]}
    dataset = write_dataset("youtube-vos", {"cat": (clip.frames, masks)})
    latencies = Latencies()
    evaluation = Evaluation(dataset, "mask", tmp_path / "out")
    (score,) = evaluate(open_tracker(), evaluation, latencies)
    tracker = open_tracker()
    images = [read_image(path) for path in dataset.load("cat").frames]
    expected = {"00002": tracker.start(images[2], {1: first_only}).mask.copy()}
    expected["00003"] = tracker.step(images[3]).mask.copy()
    tracker.step(images[4])
    expected["00004"] = tracker.add(2, clip.labels[4] == 2).mask.copy()
    for index in (5, 6, 7):
        expected[f"{index:05d}"] = tracker.step(images[index]).mask.copy()
    found = predictions(tmp_path / "out" / "cat")
    assert list(found) == list(expected)
    for stem, mask in expected.items():
        np.testing.assert_array_equal(found[stem], mask)
    np.testing.assert_array_equal(found["00004"] == 2, clip.labels[4] == 2)
    assert latencies.frames == 5
    assert {o.number: o.frames for o in score.objects} == {1: ("00004", "00006"), 2: ("00006",)}


def test_what_stays_where_it_is_scores_100(
    open_still: Any, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    still = [blocks(o1=0, o3=32)] * 4
    dataset = write_dataset("davis2017", {"still": (grey(4), by_stem(still))})
    scores = evaluate(open_still(), Evaluation(dataset, "mask", tmp_path / "out"), Latencies())
    (score,) = scores
    assert [(o.number, o.j.mean, o.f.mean) for o in score.objects] == [(1, 1, 1), (3, 1, 1)]


def test_what_moves_away_from_a_still_mask_scores_by_its_overlap(
    open_still: Any, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    moving = [blocks(o1=8 * t) for t in (0, 1, 2, 2)]  # 16 wide: half is left, then nothing
    dataset = write_dataset("davis2016", {"moving": (grey(4), by_stem(moving))})
    scores = evaluate(open_still(), Evaluation(dataset, "mask", tmp_path / "out"), Latencies())
    (score,) = scores
    assert score.objects[0].j_frames.tolist() == pytest.approx([1 / 3, 0])


def test_boxes_stand_in_for_masks(
    open_still: Any, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    ring = blocks(o1=16)
    ring[20:28, 20:28] = 0
    dataset = write_dataset("davis2016", {"ring": (grey(3), by_stem([ring] * 3))})
    list(evaluate(open_still(), Evaluation(dataset, "box", tmp_path), Latencies()))
    for mask in predictions(tmp_path / "ring").values():
        np.testing.assert_array_equal(mask, blocks(o1=16))


@given(st.integers(0, 11), st.integers(0, 15), st.integers(1, 12), st.integers(1, 16))
def test_the_bounding_box_is_the_smallest(top: int, left: int, height: int, width: int) -> None:
    mask = np.zeros((12, 16), np.bool_)
    inside = mask[top : top + height, left : left + width]
    inside[[0, -1], [-1, 0]] = True  # two corners
    box = bounding_box(mask)
    assert (box.x, box.y) == (left, top)
    assert (box.height, box.width) == inside.shape


def test_a_sequence_is_finished_before_it_is_handed_out(
    open_still: Any, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    still = (grey(3), by_stem([blocks(o1=8)] * 3))
    dataset = write_dataset("davis2016", {"a": still, "b": still})
    scores = evaluate(open_still(), Evaluation(dataset, "mask", tmp_path / "out"), Latencies())
    assert not (tmp_path / "out").exists()
    assert next(scores).name == "a"
    assert len(predictions(tmp_path / "out" / "a")) == 3
    assert not (tmp_path / "out" / "b").exists()


def test_a_frame_of_another_size_is_named_and_finished_masks_are_kept(
    open_still: Any, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    frames = [*grey(2), np.zeros((40, 80, 3), np.uint8)]
    good = (grey(3), by_stem([blocks(o1=8)] * 3))
    dataset = write_dataset(
        "davis2016", {"a": good, "b": (frames, by_stem([blocks(o1=8)] * 3)), "c": good}
    )
    scores = evaluate(open_still(), Evaluation(dataset, "mask", tmp_path / "out"), Latencies())
    assert next(scores).name == "a"
    with pytest.raises(FrameError, match=r"sequence b: .*00002\.jpg"):
        next(scores)
    kept = {p.parent.name: [] for p in (tmp_path / "out").rglob("*")}
    for path in sorted((tmp_path / "out").rglob("*.png")):
        kept[path.parent.name].append(path.name)
    assert kept["a"] == ["00000.png", "00001.png", "00002.png"]
    assert kept["b"] == ["00000.png", "00001.png"]
    assert "c" not in kept


def test_more_objects_than_slots_write_nothing(
    open_still: Any, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    crowd = blocks(o1=0, o2=16, o3=32)
    dataset = write_dataset("davis2017", {"crowd": (grey(3), by_stem([crowd] * 3))})
    tracker = open_still(max_objects=2)
    with pytest.raises(CapacityError, match="raise max_objects"):
        list(evaluate(tracker, Evaluation(dataset, "mask", tmp_path / "out"), Latencies()))
    assert list((tmp_path / "out").rglob("*.png")) == []


def test_an_object_that_does_not_show_where_it_should_start_is_an_error(
    open_still: Any, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    empty = np.zeros(SIZE, np.uint8)
    dataset = write_dataset("davis2016", {"a": (grey(3), by_stem([empty, *[blocks(o1=0)] * 2]))})
    with pytest.raises(DatasetError, match=r"sequence a: .*must show object 1"):
        list(evaluate(open_still(), Evaluation(dataset, "mask", tmp_path), Latencies()))


def test_a_folder_that_cannot_be_made_is_an_error(
    open_still: Any, write_dataset: WriteDataset, tmp_path: Path
) -> None:
    dataset = write_dataset("davis2016", {"a": (grey(3), by_stem([blocks(o1=0)] * 3))})
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot make folder"):
        list(
            evaluate(
                open_still(),
                Evaluation(dataset, "mask", tmp_path / "file"),
                Latencies(),
            )
        )
    assert (tmp_path / "file").read_text() == "in the way"
