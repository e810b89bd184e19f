"""Each data set in its exact layout, and what is wrong with sets that are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_ttvos.errors import DatasetError, MaskError
from edge_ttvos.evaluation.datasets import open_dataset
from edge_ttvos.evaluation.masks import Labels, write_mask

Square = Callable[..., Labels]
WriteSequence = Callable[..., None]


def stems(count: int, step: int = 1) -> list[str]:
    return [f"{index:05d}" for index in range(0, count * step, step)]


@pytest.fixture
def davis(tmp_path: Path, square: Square, write_sequence: WriteSequence) -> Path:
    """Two sequences of five frames: ``one`` with one object, ``two`` with objects 1 and 2."""
    for name, values in {"two": (1, 2), "one": (1,)}.items():
        labels = sum(square(2 + 10 * v - 10, 4, v) for v in values)
        write_sequence(
            tmp_path / "JPEGImages" / "480p" / name,
            tmp_path / "Annotations" / "480p" / name,
            dict.fromkeys(stems(5), np.asarray(labels, np.uint8)),
        )
    return tmp_path


class TestDavis2016:
    def test_first_and_last_frame_are_left_out(self, davis: Path) -> None:
        dataset = open_dataset("davis2016", davis)
        assert dataset.names == ("one", "two")
        sequence = dataset.load("two")
        assert [frame.name for frame in sequence.frames] == [f"{s}.jpg" for s in stems(5)]
        assert sequence.objects == (1,)
        assert sequence.first == {1: "00000"}
        assert sequence.scored == {1: ("00001", "00002", "00003")}

    def test_any_value_above_zero_is_the_object(self, davis: Path) -> None:
        path = davis / "Annotations" / "480p" / "one" / "00000.png"
        write_mask(path, np.array([[0, 1], [7, 255]], np.uint8))
        masks = open_dataset("davis2016", davis).load("one").start_masks("00000")
        assert masks[1].tolist() == [[False, True], [True, True]]

    def test_without_the_resolutions_folder(
        self, tmp_path: Path, square: Square, write_sequence: WriteSequence
    ) -> None:
        masks = dict.fromkeys(stems(3), square(value=255))
        write_sequence(tmp_path / "JPEGImages" / "a", tmp_path / "Annotations" / "a", masks)
        assert open_dataset("davis2016", tmp_path).load("a").scored == {1: ("00001",)}

    def test_sequences_without_both_parts_are_left_out(self, davis: Path) -> None:
        (davis / "JPEGImages" / "480p" / "frames-only").mkdir()
        (davis / "Annotations" / "480p" / "masks-only").mkdir()
        (davis / "JPEGImages" / "480p" / "list.txt").write_text("no folder")
        assert open_dataset("davis2016", davis).names == ("one", "two")

    def test_two_frames_leave_nothing_to_score(
        self, tmp_path: Path, square: Square, write_sequence: WriteSequence
    ) -> None:
        masks = dict.fromkeys(stems(2), square())
        write_sequence(tmp_path / "JPEGImages" / "a", tmp_path / "Annotations" / "a", masks)
        assert open_dataset("davis2016", tmp_path).load("a").scored_frames == ()


class TestDavis2017:
    def test_ids_are_the_first_annotations_values(self, davis: Path, square: Square) -> None:
        folder = davis / "Annotations" / "480p" / "two"
        write_mask(folder / "00000.png", square(2, 4, 1) + square(12, 4, 2) + square(12, 20, 255))
        write_mask(folder / "00002.png", square(2, 4, 9))
        sequence = open_dataset("davis2017", davis).load("two")
        assert sequence.objects == (1, 2)
        assert sequence.first == {1: "00000", 2: "00000"}
        assert sequence.scored == dict.fromkeys((1, 2), ("00001", "00002", "00003"))

    def test_start_masks_are_by_id_without_void(self, davis: Path, square: Square) -> None:
        folder = davis / "Annotations" / "480p" / "two"
        write_mask(folder / "00000.png", square(2, 4, 1) + square(12, 4, 2) + square(12, 20, 255))
        sequence = open_dataset("davis2017", davis).load("two")
        masks = sequence.start_masks("00000")
        assert sorted(masks) == [1, 2]
        np.testing.assert_array_equal(masks[2], square(12, 4) > 0)
        assert sequence.start_masks("00001") == {}

    def test_masks_of_0_and_255_have_no_ids(self, davis: Path, square: Square) -> None:
        write_mask(davis / "Annotations" / "480p" / "one" / "00000.png", square(value=255))
        with pytest.raises(DatasetError, match="use --dataset davis2016"):
            open_dataset("davis2017", davis).load("one")

    def test_unreadable_first_annotation(self, davis: Path) -> None:
        (davis / "Annotations" / "480p" / "one" / "00000.png").write_bytes(b"no png")
        with pytest.raises(MaskError, match=r"00000\.png cannot be read"):
            open_dataset("davis2017", davis).load("one")


@pytest.fixture(params=["", "valid"])
def youtube(
    request: pytest.FixtureRequest, tmp_path: Path, square: Square, write_sequence: WriteSequence
) -> Path:
    """11 frames; annotations every fifth: object 1 from frame 0, object 2 from frame 5."""
    root = tmp_path / request.param
    both = square(2, 4, 1) + square(12, 4, 2)
    write_sequence(
        root / "JPEGImages" / "0a1b",
        root / "Annotations" / "0a1b",
        {"00000": square(2, 4, 1), "00005": both, "00010": both},
        stems(11),
    )
    return tmp_path


def write_meta(youtube: Path, objects: dict[str, list[str]]) -> Path:
    content = {"videos": {"0a1b": {"objects": {k: {"frames": v} for k, v in objects.items()}}}}
    root = youtube / "valid" if (youtube / "valid").is_dir() else youtube
    (root / "meta.json").write_text(json.dumps(content))
    return root / "meta.json"


class TestYoutubeVos:
    def test_annotated_frames_after_each_objects_first(self, youtube: Path) -> None:
        sequence = open_dataset("youtube-vos", youtube).load("0a1b")
        assert len(sequence.frames) == 11
        assert list(sequence.annotations) == ["00000", "00005", "00010"]
        assert sequence.first == {1: "00000", 2: "00005"}
        assert sequence.scored == {1: ("00005", "00010"), 2: ("00010",)}
        assert sequence.scored_frames == ("00005", "00010")

    def test_objects_start_where_they_are_first_seen(self, youtube: Path, square: Square) -> None:
        sequence = open_dataset("youtube-vos", youtube).load("0a1b")
        assert list(sequence.start_masks("00000")) == [1]
        later = sequence.start_masks("00005")
        assert list(later) == [2]
        np.testing.assert_array_equal(later[2], square(12, 4) > 0)
        assert sequence.start_masks("00003") == {}

    def test_meta_json_names_the_objects(self, youtube: Path) -> None:
        write_meta(youtube, {"2": ["00010", "00005"]})
        sequence = open_dataset("youtube-vos", youtube).load("0a1b")
        assert sequence.first == {2: "00005"}
        assert sequence.scored == {2: ("00010",)}

    def test_meta_json_that_contradicts_the_annotations(self, youtube: Path) -> None:
        write_meta(youtube, {"2": ["00000"]})
        sequence = open_dataset("youtube-vos", youtube).load("0a1b")
        with pytest.raises(DatasetError, match=r"00000\.png must show object 2.*got values \[1\]"):
            sequence.start_masks("00000")
        write_meta(youtube, {"2": ["00003"]})
        with pytest.raises(DatasetError, match="starts at frame 00003, which has no annotation"):
            open_dataset("youtube-vos", youtube).load("0a1b")

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "[]",
            '{"videos": []}',
            '{"videos": {"a": {}}}',
            '{"videos": {"a": {"objects": {"x": {"frames": ["00000"]}}}}}',
            '{"videos": {"a": {"objects": {"1": {"frames": []}}}}}',
            '{"videos": {"a": {"objects": {"255": {"frames": ["00000"]}}}}}',
        ],
    )
    def test_broken_meta_json(self, youtube: Path, content: str) -> None:
        write_meta(youtube, {}).write_text(content)
        with pytest.raises(DatasetError, match=r"meta\.json must be"):
            open_dataset("youtube-vos", youtube)

    def test_only_the_first_mask_is_public(
        self, tmp_path: Path, square: Square, write_sequence: WriteSequence
    ) -> None:
        write_sequence(
            tmp_path / "JPEGImages" / "a",
            tmp_path / "Annotations" / "a",
            {"00000": square()},
            stems(3),
        )
        sequence = open_dataset("youtube-vos", tmp_path).load("a")
        assert sequence.scored == {1: ()}

    def test_no_object_at_all(
        self, tmp_path: Path, square: Square, write_sequence: WriteSequence
    ) -> None:
        masks = {"00000": square(value=255)}
        write_sequence(tmp_path / "JPEGImages" / "a", tmp_path / "Annotations" / "a", masks)
        with pytest.raises(DatasetError, match="shows no object"):
            open_dataset("youtube-vos", tmp_path).load("a")


class TestFolder:
    def test_one_sequence_is_named_like_the_folder(
        self, tmp_path: Path, square: Square, write_sequence: WriteSequence
    ) -> None:
        root = tmp_path / "cat"
        masks = {"f2": square(value=255), "f4": square(value=255)}
        write_sequence(root / "frames", root / "masks", masks, ["f1", "f2", "f3", "f4"])
        dataset = open_dataset("folder", root)
        assert dataset.names == ("cat",)
        sequence = dataset.load("cat")
        assert sequence.binary
        assert sequence.first == {1: "f2"}
        assert sequence.scored == {1: ("f4",)}

    def test_many_sequences_with_ids(
        self, tmp_path: Path, square: Square, write_sequence: WriteSequence
    ) -> None:
        for name in "ab":
            masks = dict.fromkeys(stems(3), square(value=4))
            write_sequence(tmp_path / "images" / name, tmp_path / "annotations" / name, masks)
        dataset = open_dataset("folder", tmp_path)
        assert dataset.names == ("a", "b")
        assert dataset.load("b").scored == {4: ("00001", "00002")}

    def test_nothing_in_it(
        self, tmp_path: Path, square: Square, write_sequence: WriteSequence
    ) -> None:
        with pytest.raises(DatasetError, match="has no frames/ folder"):
            open_dataset("folder", tmp_path)
        write_sequence(tmp_path / "frames", tmp_path / "masks", {"a": square(value=0)})
        with pytest.raises(DatasetError, match="all its masks are 0"):
            open_dataset("folder", tmp_path).load(tmp_path.name)
        with pytest.raises(DatasetError, match="one sequence only"):
            open_dataset("folder", tmp_path, ["other"])


class TestWhatIsWrong:
    def test_unknown_kind(self, davis: Path) -> None:
        with pytest.raises(DatasetError, match=r"must be one of davis2016, .*'davis'"):
            open_dataset("davis", davis)

    def test_no_such_folders(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match=r"has no JPEGImages/ folder.*check --root"):
            open_dataset("davis2016", tmp_path)
        (tmp_path / "JPEGImages").mkdir()
        with pytest.raises(DatasetError, match="has no Annotations/ folder"):
            open_dataset("davis2016", tmp_path)

    def test_no_sequence(self, tmp_path: Path) -> None:
        (tmp_path / "JPEGImages").mkdir()
        (tmp_path / "Annotations").mkdir()
        with pytest.raises(DatasetError, match="holds no sequence"):
            open_dataset("davis2016", tmp_path)

    def test_a_named_sequence_is_missing(self, davis: Path) -> None:
        with pytest.raises(DatasetError, match="sequence three is missing: it has no frames"):
            open_dataset("davis2016", davis, ["one", "three"])
        for mask in (davis / "Annotations" / "480p" / "two").iterdir():
            mask.unlink()
        with pytest.raises(DatasetError, match="sequence two is missing: it has no annotations"):
            open_dataset("davis2016", davis, ["two"])

    def test_named_sequences_keep_their_order(self, davis: Path) -> None:
        dataset = open_dataset("davis2016", davis, ["two", "one", "two"])
        assert dataset.names == ("two", "one")
        assert [sequence.name for sequence in dataset] == ["two", "one"]
        with pytest.raises(DatasetError, match="at least one"):
            open_dataset("davis2016", davis, [])

    @pytest.mark.parametrize("kind", ["davis2016", "davis2017"])
    def test_a_frame_or_an_annotation_is_missing(self, davis: Path, kind: str) -> None:
        (davis / "Annotations" / "480p" / "one" / "00003.png").unlink()
        with pytest.raises(DatasetError, match=r"annotation for each frame.*00003\.png"):
            open_dataset(kind, davis).load("one")
        (davis / "JPEGImages" / "480p" / "two" / "00002.jpg").unlink()
        with pytest.raises(DatasetError, match="sequence two lacks frame 00002"):
            open_dataset(kind, davis).load("two")

    def test_two_images_of_one_frame(self, davis: Path) -> None:
        frames = davis / "JPEGImages" / "480p" / "one"
        (frames / "00000.png").write_bytes((frames / "00000.jpg").read_bytes())
        with pytest.raises(DatasetError, match="differ only in their ending"):
            open_dataset("davis2016", davis).load("one")
