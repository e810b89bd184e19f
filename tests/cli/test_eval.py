"""``edge-ttvos eval`` and ``score`` on tiny data sets in the published layouts."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge_ttvos.evaluation.masks import read_mask, write_mask

Labels = NDArray[np.uint8]
Figures = dict[str, Any]
KINDS = ["davis2016", "davis2017", "youtube-vos"]
THREE = {"mean", "recall", "decay"}
VOID = 255


def write_sequence(
    root: Path, name: str, frames: list[Labels], labels: dict[int, Labels], part: str = "480p"
) -> None:
    """Frames and annotations in DAVIS's layout; ``labels`` by frame."""
    for kind in ("JPEGImages", "Annotations"):
        (root / kind / part / name).mkdir(parents=True)
    for t, frame in enumerate(frames):
        Image.fromarray(frame).save(root / "JPEGImages" / part / name / f"{t:05d}.jpg")
    for t, values in labels.items():
        write_mask(root / "Annotations" / part / name / f"{t:05d}.png", values)


@pytest.fixture(scope="module")
def roots(scene: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A data set of each kind, each with the sequences ``dusk`` and ``walk``."""
    folder = tmp_path_factory.mktemp("data")
    frames, labels = list(scene.frames), list(scene.labels)
    white = [np.where(values == 1, 255, 0).astype(np.uint8) for values in labels]
    edged = [values.copy() for values in labels]
    for values in edged[1:]:
        values[:, 80:84] = VOID
    for root, masks in ((folder / "davis2016", white), (folder / "davis2017", edged)):
        write_sequence(root, "dusk", frames[:5], dict(enumerate(masks[:5])))
        write_sequence(root, "walk", frames, dict(enumerate(masks)))
    only_one = [np.where(values == 1, 1, 0).astype(np.uint8) for values in labels]
    # object 2 comes with frame 3, although the annotation before it shows it too
    valid = folder / "youtube-vos" / "valid"
    write_sequence(valid, "walk", frames, {t: edged[t] for t in (0, 3, 6, 9)}, "")
    write_sequence(valid, "dusk", frames[:7], {t: only_one[t] for t in (2, 4, 6)}, "")
    starts = {"walk": {"1": ["00000", "00003"], "2": ["00003", "00006"]}, "dusk": {"1": ["00002"]}}
    videos = {
        name: {"objects": {i: {"frames": stems} for i, stems in objects.items()}}
        for name, objects in starts.items()
    }
    (valid / "meta.json").write_text(json.dumps({"videos": videos}))
    return {kind: folder / kind for kind in KINDS}


@pytest.fixture(scope="module")
def evaluated(
    call: Callable[..., Any],
    checkpoint: Path,
    roots: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], tuple[Any, Path]]:
    """Evaluate the data set of a kind, once."""
    folder, finished = tmp_path_factory.mktemp("eval"), dict[str, Any]()
    options = ("--model", checkpoint, "--size", "64x96", "--threads", 1, "--json", "-")

    def run(kind: str) -> tuple[Any, Path]:
        if kind not in finished:
            finished[kind] = call(
                "eval", "--dataset", kind, "--root", roots[kind], "--out", folder / kind, *options
            )
        return finished[kind], folder / kind

    return run


def scored(record: Figures) -> Figures:
    """What two results that score the same masks must have in common."""
    return {key: record[key] for key in ("J&F", "J", "F", "sequences", "missing", "unknown_ids")}


@pytest.mark.parametrize("kind", KINDS)
def test_the_record_is_as_promised(
    evaluated: Callable[[str], tuple[Any, Path]],
    read_json: Callable[[Path], Figures],
    kind: str,
) -> None:
    done, out = evaluated(kind)

    assert done.code == 0, done.err
    assert sorted(path.name for path in out.iterdir()) == ["eval.json", "masks"]
    record = read_json(out / "eval.json")
    assert done.json == record
    assert (record["schema"], record["complete"]) == (1, True)
    assert set(record["J"]) == set(record["F"]) == THREE
    assert list(record["sequences"]) == ["dusk", "walk"]
    assert (record["missing"], record["unknown_ids"]) == ([], {})
    protocol = record["protocol"]
    assert (protocol["dataset"], protocol["init"]) == (kind, "mask")
    assert (protocol["resolution"], protocol["threads"], protocol["seed"]) == ("64x96", 1, None)
    assert (protocol["model"], protocol["precision"]) == ("random", "fp32")
    objects = (
        2
        if kind == "davis2016"
        else len(record["sequences"]["walk"]["objects"])
        + (len(record["sequences"]["dusk"]["objects"]))
    )
    assert (protocol["sequences"], protocol["objects"]) == (2, objects)
    for key in ("engine", "engine_version", "device", "timed", "sha256"):
        assert protocol[key]
    assert "commit" in protocol
    assert record["fps"]["end_to_end"] > 0


@pytest.mark.parametrize("kind", KINDS)
def test_figures_are_means_in_percent(
    evaluated: Callable[[str], tuple[Any, Path]], kind: str
) -> None:
    record = evaluated(kind)[0].json

    every = [o for s in record["sequences"].values() for o in s["objects"].values()]
    for part in ("J", "F"):
        assert record[part]["mean"] == pytest.approx(np.mean([o[part] for o in every]))
        for sequence in record["sequences"].values():
            own = [o[part] for o in sequence["objects"].values()]
            assert sequence[part] == pytest.approx(np.mean(own))
            assert all(0 <= value <= 100 for value in own)
    for item in (*every, *record["sequences"].values()):
        assert item["J&F"] == pytest.approx((item["J"] + item["F"]) / 2)
    assert record["J&F"] == pytest.approx((record["J"]["mean"] + record["F"]["mean"]) / 2)


def test_objects_and_frames_that_count(evaluated: Callable[[str], tuple[Any, Path]]) -> None:
    def of(kind: str) -> tuple[dict[str, list[str]], int]:
        record = evaluated(kind)[0].json
        ids = {name: list(s["objects"]) for name, s in record["sequences"].items()}
        return ids, record["protocol"]["frames_scored"]

    # without the first and last frame; dusk has 5 frames, walk 10
    assert of("davis2016") == ({"dusk": ["1"], "walk": ["1"]}, 3 + 8)
    assert of("davis2017") == ({"dusk": ["1", "2"], "walk": ["1", "2"]}, 2 * 3 + 2 * 8)
    # dusk: 4 and 6; walk: 3, 6 and 9 for object 1, 6 and 9 for object 2
    assert of("youtube-vos") == ({"dusk": ["1"], "walk": ["1", "2"]}, 2 + 3 + 2)


@pytest.mark.parametrize("kind", KINDS)
def test_masks_are_there_for_every_frame_that_is_tracked(
    evaluated: Callable[[str], tuple[Any, Path]], kind: str
) -> None:
    _, out = evaluated(kind)

    stems = {
        name: [path.name for path in sorted((out / "masks" / name).iterdir())]
        for name in ("dusk", "walk")
    }
    dusk = range(2, 7) if kind == "youtube-vos" else range(5)
    assert stems == {
        "dusk": [f"{t:05d}.png" for t in dusk],
        "walk": [f"{t:05d}.png" for t in range(10)],
    }


def test_the_first_mask_is_the_annotations(
    evaluated: Callable[[str], tuple[Any, Path]], scene: Any
) -> None:
    first = {kind: read_mask(evaluated(kind)[1] / "masks/walk/00000.png") for kind in KINDS}

    np.testing.assert_array_equal(first["davis2016"], scene.labels[0] == 1)
    np.testing.assert_array_equal(first["davis2017"], scene.labels[0])
    np.testing.assert_array_equal(first["youtube-vos"], scene.labels[0] == 1)
    later = read_mask(evaluated("youtube-vos")[1] / "masks/walk/00003.png")
    there = (scene.labels[3] == 2) & (np.arange(96) < 80)  # void hides the rest
    assert (later[there] == 2).all()


@pytest.mark.parametrize("kind", KINDS)
def test_score_agrees_with_eval_on_its_masks(
    call: Callable[..., Any],
    evaluated: Callable[[str], tuple[Any, Path]],
    roots: dict[str, Path],
    tmp_path: Path,
    read_json: Callable[[Path], Figures],
    kind: str,
) -> None:
    done, out = evaluated(kind)

    again = call(
        "score",
        "--predictions",
        out / "masks",
        *("--dataset", kind, "--root", roots[kind], "--out", tmp_path, "--json", "-"),
    )

    assert again.code == 0
    assert again.json == read_json(tmp_path / "eval.json")
    assert scored(again.json) == scored(done.json)
    assert 0 < again.json["J"]["mean"] < 100, "nothing to tell apart"
    assert set(again.json["protocol"]) >= {"resolution", "engine", "model", "sha256", "commit"}
    assert again.json["protocol"]["predictions"] == "masks"


@pytest.mark.parametrize("kind", KINDS)
def test_the_annotations_score_100_against_themselves(
    call: Callable[..., Any], roots: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    root = roots[kind]
    own = root / ("valid/Annotations" if kind == "youtube-vos" else "Annotations/480p")
    options = ("--dataset", kind, "--root", root, "--out", tmp_path, "--json", "-")

    done = call("score", "--predictions", own, *options)

    assert done.code == 0
    assert done.json["J&F"] == 100
    assert done.json["J"] == done.json["F"] == {"mean": 100, "recall": 100, "decay": 0}
    rows = [line.split("│") for line in done.err.splitlines() if line.startswith("│")]
    assert [row[1].strip() for row in rows][-1] == "all"
    assert all(row[2].strip() == "100.0" for row in rows)


def test_missing_frames_count_as_empty_and_are_listed(
    call: Callable[..., Any], roots: dict[str, Path], tmp_path: Path
) -> None:
    root, mine = roots["davis2016"], tmp_path / "mine"
    for name in ("dusk", "walk"):
        (mine / name).mkdir(parents=True)
        for path in (root / "Annotations/480p" / name).iterdir():
            (mine / name / path.name).write_bytes(path.read_bytes())
    (mine / "dusk/00002.png").unlink()
    (mine / "walk/00009.png").unlink()  # the last frame does not count
    options = ("--dataset", "davis2016", "--root", root, "--out", tmp_path / "out", "--json", "-")

    done = call("score", "--predictions", mine, *options)

    assert done.code == 0
    assert done.json["missing"] == ["dusk/00002.png"]
    assert done.json["sequences"]["dusk"]["J"] == pytest.approx(200 / 3)
    assert done.json["sequences"]["walk"]["J"] == 100
    assert "1 predicted frames are missing" in done.err


def test_ids_that_are_no_objects_are_told(
    call: Callable[..., Any], roots: dict[str, Path], tmp_path: Path, scene: Any
) -> None:
    (tmp_path / "mine/dusk").mkdir(parents=True)
    for t in range(5):
        values = np.where(scene.labels[t] == 2, 77, scene.labels[t]).astype(np.uint8)
        write_mask(tmp_path / f"mine/dusk/{t:05d}.png", values)
    options = ("--dataset", "davis2017", "--root", roots["davis2017"], "--out", tmp_path / "out")

    done = call("score", "--predictions", tmp_path / "mine", "--sequences", "dusk", *options)

    assert done.code == 0
    assert "dusk: values 77 are no object's id" in done.out


@pytest.mark.parametrize("verb", ["eval", "score"])
@pytest.mark.parametrize(
    ("sequences", "words"),
    [
        ("dusk,nobody", "sequence nobody is missing"),
        (" , ", "names no sequence"),
        ("no/such/list.txt", "is no file"),
    ],
)
def test_sequences_that_are_not_there(
    call: Callable[..., Any],
    roots: dict[str, Path],
    tmp_path: Path,
    verb: str,
    sequences: str,
    words: str,
) -> None:
    options = ("--dataset", "davis2016", "--root", roots["davis2016"], "--sequences", sequences)
    mine = ("--predictions", tmp_path) if verb == "score" else ()

    done = call(verb, *mine, *options, "--out", tmp_path / "out")

    assert done.code == 1
    assert words in done.complaint
    assert not (tmp_path / "out").exists()


def test_a_missing_prediction_folder_is_an_error_before_anything_is_scored(
    call: Callable[..., Any], roots: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "mine/dusk").mkdir(parents=True)
    options = ("--dataset", "davis2016", "--root", roots["davis2016"], "--out", tmp_path / "out")

    done = call("score", "--predictions", tmp_path / "mine", *options)

    assert done.code == 1
    assert "predictions of sequence walk are missing" in done.complaint
    assert not (tmp_path / "out").exists()


def test_sequences_from_a_file_in_its_order(
    call: Callable[..., Any],
    checkpoint: Path,
    roots: dict[str, Path],
    evaluated: Callable[[str], tuple[Any, Path]],
    tmp_path: Path,
) -> None:
    (tmp_path / "list.txt").write_text(
        "/JPEGImages/480p/dusk/00000.jpg /Annotations/480p/dusk/00000.png\n"
    )
    options = ("--model", checkpoint, "--size", "64x96", "--threads", 1, "--json", "-")
    where = ("--dataset", "davis2016", "--root", roots["davis2016"], "--out", tmp_path / "out")

    done = call("eval", *where, "--sequences", tmp_path / "list.txt", *options)

    assert done.code == 0
    before = evaluated("davis2016")[0].json["sequences"]
    assert done.json["sequences"] == {"dusk": before["dusk"]}, "the same run, the same figures"


def test_box_init_gives_the_bounding_box(
    call: Callable[..., Any], checkpoint: Path, scene: Any, tmp_path: Path
) -> None:
    rows, columns = np.mgrid[:64, :96]
    disc = np.where((rows - 20) ** 2 + (columns - 30) ** 2 <= 81, 255, 0).astype(np.uint8)
    write_sequence(tmp_path / "data", "disc", list(scene.frames[:3]), {0: disc, 1: disc, 2: disc})
    options = ("--model", checkpoint, "--size", "64x96", "--threads", 1, "--json", "-")
    where = ("--dataset", "davis2016", "--root", tmp_path / "data", "--out", tmp_path / "out")

    done = call("eval", *where, "--init", "box", *options)

    assert done.code == 0
    assert done.json["protocol"]["init"] == "box"
    outside = np.ones((64, 96), np.bool_)
    outside[11:30, 21:40] = False
    first = read_mask(tmp_path / "out/masks/disc/00000.png")
    assert first.any(), "what was found in the box"
    assert not first[outside].any()


@pytest.fixture
def spoilt(roots: dict[str, Path], tmp_path: Path, scene: Any) -> Path:
    """davis2016 whose second sequence has a frame of another size."""
    root = tmp_path / "spoilt"
    for path in sorted(roots["davis2016"].rglob("*.*")):
        target = root / path.relative_to(roots["davis2016"])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    Image.fromarray(scene.frames[0][:32]).save(root / "JPEGImages/480p/walk/00004.jpg")
    return root


def test_an_error_keeps_the_sequences_that_are_finished(
    call: Callable[..., Any],
    checkpoint: Path,
    spoilt: Path,
    evaluated: Callable[[str], tuple[Any, Path]],
    tmp_path: Path,
    read_json: Callable[[Path], Figures],
) -> None:
    out = tmp_path / "out"
    options = ("--model", checkpoint, "--size", "64x96", "--threads", 1, "--json", "-")

    done = call("eval", "--dataset", "davis2016", "--root", spoilt, "--out", out, *options)

    assert done.code == 1
    for words in ("sequence walk", "00004.jpg", "96×32", "96×64"):
        assert words in done.complaint
    record = read_json(out / "eval.json")
    assert done.json == record
    assert (record["complete"], f"edge-ttvos: {record['reason']}") == (False, done.complaint)
    whole = evaluated("davis2016")[0].json["sequences"]
    assert record["sequences"] == {"dusk": whole["dusk"]}
    assert record["J"]["mean"] == pytest.approx(whole["dusk"]["J"])
    assert len(list((out / "masks/walk").iterdir())) == 4


def test_ctrl_c_keeps_the_sequences_that_are_finished(
    launch: Callable[..., subprocess.Popen[str]],
    finish: Callable[..., Any],
    wait_for: Callable[..., None],
    checkpoint: Path,
    roots: dict[str, Path],
    scene: Any,
    tmp_path: Path,
    no_leftovers: Callable[[Path], None],
    read_json: Callable[[Path], Figures],
) -> None:
    root, out = tmp_path / "data", tmp_path / "out"
    frames, labels = list(scene.frames), list(scene.labels)
    write_sequence(root, "short", frames[:4], dict(enumerate(labels[:4])))
    write_sequence(root, "then-long", frames * 30, dict(enumerate(labels * 30)))
    options = ("--model", checkpoint, "--size", "64x96", "--threads", 1, "--json", "-")

    process = launch("eval", "--dataset", "davis2017", "--root", root, "--out", out, *options)
    wait_for(out / "masks/then-long/00003.png", process)
    process.send_signal(signal.SIGINT)
    done = finish(process)

    assert done.code == 130
    assert done.complaint
    record = read_json(out / "eval.json")
    assert done.json == record
    assert (record["complete"], record["reason"]) == (False, "interrupted")
    assert list(record["sequences"]) == ["short"]
    assert len(list((out / "masks/short").iterdir())) == 4
    no_leftovers(out)


@pytest.mark.parametrize("verb", ["eval", "score"])
def test_older_results_are_refused(
    call: Callable[..., Any],
    roots: dict[str, Path],
    evaluated: Callable[[str], tuple[Any, Path]],
    checkpoint: Path,
    tmp_path: Path,
    verb: str,
) -> None:
    masks = evaluated("davis2016")[1] / "masks"
    own = ("--predictions", masks) if verb == "score" else ("--model", checkpoint)
    (tmp_path / "eval.json").write_text("mine")
    options = ("--dataset", "davis2016", "--root", roots["davis2016"], "--out", tmp_path)

    done = call(verb, *own, *options)

    assert done.code == 1
    assert "already holds eval.json" in done.complaint
    assert (tmp_path / "eval.json").read_text() == "mine"


def test_score_writes_beside_the_masks_that_it_scores(
    call: Callable[..., Any], roots: dict[str, Path], tmp_path: Path
) -> None:
    masks = tmp_path / "masks"
    for path in (roots["davis2016"] / "Annotations/480p").rglob("*.png"):
        (masks / path.parent.name).mkdir(parents=True, exist_ok=True)
        (masks / path.parent.name / path.name).write_bytes(path.read_bytes())
    options = ("--dataset", "davis2016", "--root", roots["davis2016"], "--out", tmp_path)

    for more in ((), ("--overwrite",)):
        done = call("score", "--predictions", masks, *options, *more)
        assert done.code == 0
    assert len(list(masks.rglob("*.png"))) == 15


def test_overwrite_does_not_remove_the_data_set(
    call: Callable[..., Any], roots: dict[str, Path], checkpoint: Path, tmp_path: Path
) -> None:
    root = tmp_path / "out/masks"
    root.parent.mkdir()
    root.symlink_to(roots["davis2016"])
    options = ("--dataset", "davis2016", "--root", root, "--model", checkpoint, "--overwrite")

    done = call("eval", *options, "--out", tmp_path / "out")

    assert done.code == 1
    assert "is read by this run" in done.complaint
    assert (root / "JPEGImages").is_dir()
