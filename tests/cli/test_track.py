"""``edge-ttvos track``: what a run that goes well leaves behind, and what it says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from edge_ttvos import origin

Run = tuple[Any, Path]  # what was said, and the folder
DAVIS = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128)]
PROTOCOL = {
    "resolution",
    "objects",
    "threads",
    "engine",
    "engine_version",
    "device",
    "timed",
    "commit",
    "seed",
    "model",
    "precision",
    "sha256",
}
STEMS = [f"shot_{t:02d}" for t in range(3, 13)]


@pytest.fixture(scope="module")
def small(checkpoint: Path) -> tuple[object, ...]:
    """Options of a fast run."""
    return ("--model", checkpoint, "--size", "64x96", "--threads", "1")


@pytest.fixture(scope="module")
def tracked(
    shell: Callable[..., Any],
    small: tuple[object, ...],
    clip: Path,
    masks: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """Both objects through the folder of images, by the command itself."""
    out = tmp_path_factory.mktemp("track") / "new" / "out"
    options = ("--mask", masks / "indexed.png", "--out", out, "--json", "-", "-v")
    return shell("track", clip, *options, *small), out


@pytest.fixture(scope="module")
def filmed(
    call: Callable[..., Any],
    small: tuple[object, ...],
    video: Path,
    masks: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """The second object, by its black-and-white mask, through the video file."""
    out = tmp_path_factory.mktemp("film")
    return call("track", video, "--mask", masks / "2.png", "--out", out, *small), out


@pytest.fixture
def track(
    call: Callable[..., Any], small: tuple[object, ...], clip: Path, tmp_path: Path
) -> Callable[..., Run]:
    """Track through the folder of images into ``out`` with more options."""

    def run(*options: object) -> Run:
        return call("track", clip, "--out", tmp_path / "out", *small, *options), tmp_path / "out"

    return run


def ids(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Values of an indexed PNG."""
    with Image.open(path) as image:
        assert image.mode == "P"
        return np.array(image)


def names(out: Path) -> list[str]:
    """Stems of the masks in order."""
    return sorted(path.stem for path in (out / "masks").iterdir())


def decoded(path: Path) -> tuple[Any, list[np.ndarray[Any, np.dtype[np.uint8]]]]:
    """A video's codec context and frames."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        return (stream.codec_context.name, stream.average_rate), frames


def test_the_folder_holds_masks_overlay_and_record_and_nothing_else(tracked: Run) -> None:
    done, out = tracked
    assert done.code == 0
    assert sorted(path.name for path in out.iterdir()) == ["masks", "overlay.mp4", "track.json"]
    assert [path.name for path in sorted((out / "masks").iterdir())] == [f"{s}.png" for s in STEMS]


def test_masks_are_indexed_in_davis_colours_at_the_frames_size(tracked: Run) -> None:
    for path in (tracked[1] / "masks").iterdir():
        with Image.open(path) as image:
            assert (image.mode, image.size) == ("P", (96, 64))
            palette = image.getpalette()
        assert palette is not None
        assert [tuple(palette[3 * i : 3 * i + 3]) for i in range(len(DAVIS))] == DAVIS
        assert set(np.unique(ids(path))) <= {0, 1, 2}


def test_the_first_frames_mask_is_the_one_given(tracked: Run, scene: Any) -> None:
    np.testing.assert_array_equal(ids(tracked[1] / "masks/shot_03.png"), scene.labels[0])


def test_the_overlay_is_h264_that_browsers_play(tracked: Run, scene: Any) -> None:
    path = tracked[1] / "overlay.mp4"
    (codec, rate), frames = decoded(path)
    assert (codec, rate) == ("h264", 25)
    assert [frame.shape for frame in frames] == [(64, 96, 3)] * 10
    assert b"moof" in path.read_bytes(), "not fragmented: a killed run's file would not open"
    changed = np.abs(frames[0].astype(int) - scene.frames[0]).mean(axis=2)
    inside = scene.labels[0] > 0
    assert changed[inside].mean() > 3 * changed[~inside].mean(), "objects are not drawn"


def test_the_record_says_what_ran_and_how(
    tracked: Run, checkpoint: Path, read_json: Callable[[Path], dict[str, Any]]
) -> None:
    record = read_json(tracked[1] / "track.json")
    assert (record["schema"], record["complete"], record["frames"]) == (1, True, 10)
    assert "reason" not in record
    assert set(record["objects"]) == {"1", "2"}
    for item in record["objects"].values():
        assert (item["given"], item["frames"]) == ("shot_03", 10)
        assert 0 <= item["lost_frames"] < 10
    protocol = record["protocol"]
    assert set(protocol) >= PROTOCOL
    assert protocol["resolution"] == "64x96"
    assert protocol["frames"] == "64x96"
    assert (protocol["objects"], protocol["threads"], protocol["engine"]) == (2, 1, "torch")
    assert protocol["engine_version"].startswith("2.")
    assert protocol["device"]
    assert "mask" in protocol["timed"]
    assert protocol["frames_timed"] == 9, "the first frame is not timed"
    assert (protocol["model"], protocol["precision"]) == ("random", "fp32")
    assert protocol["sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert protocol["commit"] == origin.commit()
    assert protocol["seed"] is None


def test_times_add_up(tracked: Run, read_json: Callable[[Path], dict[str, Any]]) -> None:
    record = read_json(tracked[1] / "track.json")
    stages = record["latency_ms"]["stages"]
    whole, model = sum(stages.values()), sum(stages[s] for s in ("encode", "embed", "decode"))
    assert record["fps"]["end_to_end"] == pytest.approx(1000 / whole, rel=0.01)
    assert record["fps"]["model"] == pytest.approx(1000 / model, rel=0.01)
    p50, p95, p99 = (record["latency_ms"][p] for p in ("p50", "p95", "p99"))
    assert 0 < p50 <= p95 <= p99


def test_stdout_is_the_record_alone_and_people_read_stderr(
    tracked: Run, read_json: Callable[[Path], dict[str, Any]]
) -> None:
    done, out = tracked
    assert done.json == read_json(out / "track.json")
    for word in ("walk: 10 frames", "shot_03", "frames/s", "masks in", "milliseconds", "sha256"):
        assert word in done.err


def test_a_videos_masks_are_named_by_number(filmed: Run, scene: Any) -> None:
    done, out = filmed
    assert done.code == 0
    assert names(out) == [f"{t:05d}" for t in range(10)]
    first = ids(out / "masks/00000.png")
    np.testing.assert_array_equal(first, scene.labels[0] == 2)
    (_, rate), frames = decoded(out / "overlay.mp4")
    assert (rate, len(frames)) == (10, 10)


def test_without_json_people_read_stdout_and_stderr_stays_empty(filmed: Run) -> None:
    done, out = filmed
    assert done.err == ""
    assert "walk.mp4: 10 frames" in done.out
    assert f"masks in {out / 'masks'}, video in {out / 'overlay.mp4'}" in done.out
    assert "sha256" not in done.out, "that is for -v"


def test_quiet_says_nothing_and_json_goes_into_a_file(
    track: Callable[..., Run], tmp_path: Path, read_json: Callable[[Path], dict[str, Any]]
) -> None:
    file = tmp_path / "new" / "result.json"

    done, out = track("--box", "10,6,18,20", "-q", "--json", file, "--end", "2")

    assert (done.code, done.out, done.err) == (0, "", "")
    assert read_json(file) == read_json(out / "track.json")


def test_a_file_beside_the_results_takes_json_too(
    track: Callable[..., Run], tmp_path: Path, read_json: Callable[[Path], dict[str, Any]]
) -> None:
    done, out = track("--box", "10,6,18,20", "--json", tmp_path / "out/mine.json", "--end", "2")

    assert done.code == 0
    assert read_json(out / "mine.json")["complete"] is True


@pytest.mark.parametrize(
    ("options", "given"),
    [
        (["--mask", "1:{1}", "--mask", "2:{2}"], {1: 1, 2: 2}),
        (["--mask", "{1}", "--mask", "{2}"], {1: 1, 2: 2}),
        (["--mask", "{2}", "--mask", "1:{1}"], {2: 2, 1: 1}),
        (["--mask", "5@0:{indexed}"], {5: None}),
    ],
    ids=str,
)
def test_objects_given_in_many_ways(
    track: Callable[..., Run],
    masks: Path,
    scene: Any,
    options: list[str],
    given: dict[int, int | None],
) -> None:
    files = {"1": masks / "1.png", "2": masks / "2.png", "indexed": masks / "indexed.png"}
    texts = [files_in(text, files) for text in options]

    done, out = track(*texts, "--end", "1")

    assert done.code == 0, done.err
    expected = np.zeros_like(scene.labels[0])
    for number, block in given.items():
        expected[scene.labels[0] == block if block else scene.labels[0] > 0] = number
    np.testing.assert_array_equal(ids(out / "masks/shot_03.png"), expected)


@pytest.mark.parametrize(
    ("options", "masks_given", "boxes_given"),
    [
        (["--mask", "7:{2}", "--box", "10,6,18,20"], {7: 2}, {1: (10, 6, 18, 20)}),
        (
            ["--box", "10,6,18,20", "--box", "30,36,18,20"],
            {},
            {1: (10, 6, 18, 20), 2: (30, 36, 18, 20)},
        ),
        (["--box", "9:10,6,18,20", "--mask", "{2}"], {1: 2}, {9: (10, 6, 18, 20)}),
        (["--mask", "{indexed}", "--box", "0,0,6,6"], {1: 1, 2: 2}, {3: (0, 0, 6, 6)}),
    ],
    ids=str,
)
def test_of_a_box_the_first_mask_shows_what_was_found_in_it(
    track: Callable[..., Run],
    masks: Path,
    scene: Any,
    options: list[str],
    masks_given: dict[int, int],
    boxes_given: dict[int, tuple[int, int, int, int]],
) -> None:
    files = {"2": masks / "2.png", "indexed": masks / "indexed.png"}

    done, out = track(*(files_in(text, files) for text in options), "--end", "1")

    assert done.code == 0, done.err
    first = ids(out / "masks/shot_03.png")
    for number, block in masks_given.items():
        np.testing.assert_array_equal(first == number, scene.labels[0] == block)
    for number, (x, y, width, height) in boxes_given.items():
        assert (first == number).any()
        assert (first[y : y + height, x : x + width] == number).sum() == (first == number).sum()


def files_in(text: str, files: dict[str, Path]) -> str:
    """Put paths in for ``{name}``."""
    for name, path in files.items():
        text = text.replace(f"{{{name}}}", str(path))
    return text


def test_an_object_may_come_later(
    track: Callable[..., Run], masks: Path, read_json: Callable[[Path], dict[str, Any]]
) -> None:
    done, out = track("--mask", f"1:{masks / '1.png'}", "--box", "2@4:60,36,10,10")

    assert done.code == 0
    record = read_json(out / "track.json")
    assert record["objects"]["1"]["given"] == "shot_03"
    assert record["objects"]["2"]["given"] == "shot_07"
    assert record["objects"]["2"]["frames"] == 6
    for stem in STEMS[:4]:
        assert 2 not in ids(out / f"masks/{stem}.png")
    assert (ids(out / "masks/shot_07.png")[36:46, 60:70] == 2).any()


def test_frames_before_the_first_object_are_shown_without(track: Callable[..., Run]) -> None:
    done, out = track("--box", "1@2:10,6,18,20", "--end", "4")

    assert done.code == 0
    assert names(out) == STEMS[:4]
    assert not ids(out / "masks/shot_03.png").any()
    assert not ids(out / "masks/shot_04.png").any()
    assert (ids(out / "masks/shot_05.png")[6:26, 10:28] == 1).any()


def test_a_part_of_the_recording(
    track: Callable[..., Run], read_json: Callable[[Path], dict[str, Any]]
) -> None:
    done, out = track("--start", "2", "--end", "9", "--stride", "3", "--box", "1,2,30,30")

    assert done.code == 0
    assert names(out) == ["shot_05", "shot_08", "shot_11"]
    assert read_json(out / "track.json")["objects"]["1"]["given"] == "shot_05"
    assert len(decoded(out / "overlay.mp4")[1]) == 3


def test_one_frame_alone_has_no_speed_but_is_a_result(
    track: Callable[..., Run], read_json: Callable[[Path], dict[str, Any]]
) -> None:
    done, out = track("--box", "1,2,30,30", "--end", "1")

    assert done.code == 0
    record = read_json(out / "track.json")
    assert record["complete"] is True
    assert record["fps"] == {"end_to_end": None, "model": None}
    assert "no speed" in done.out


def test_a_size_is_rounded_up_and_masks_keep_the_frames_own(
    call: Callable[..., Any],
    checkpoint: Path,
    tmp_path: Path,
    read_json: Callable[[Path], dict[str, Any]],
) -> None:
    folder, out = tmp_path / "odd", tmp_path / "out"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for t in range(2):
        Image.fromarray(rng.integers(0, 255, (51, 77, 3)).astype(np.uint8)).save(
            folder / f"{t}.png"
        )

    options = ("--model", checkpoint, "--threads", 1, "--out", out)
    done = call("track", folder, "--box", "5,5,20,20", "--size", "60x90", *options)

    assert done.code == 0
    record = read_json(out / "track.json")
    assert record["protocol"]["resolution"] == "64x96"
    assert record["protocol"]["frames"] == "51x77"
    assert ids(out / "masks/1.png").shape == (51, 77)
    assert decoded(out / "overlay.mp4")[1][1].shape == (52, 78, 3)


def test_the_arena_has_as_many_slots_as_asked_for(
    track: Callable[..., Run], masks: Path, read_json: Callable[[Path], dict[str, Any]]
) -> None:
    given = ("--mask", masks / "indexed.png", "--end", "1")
    done, out = track(*given, "--max-objects", "2")
    assert done.code == 0
    two = read_json(out / "track.json")["protocol"]

    done, _ = track(*given, "--max-objects", "3", "--overwrite")
    assert done.code == 0
    three = read_json(out / "track.json")["protocol"]

    assert (two["max_objects"], three["max_objects"]) == (2, 3)
    assert three["arena_bytes"] > two["arena_bytes"]


def test_the_shipped_weights_are_the_default(
    call: Callable[..., Any],
    clip: Path,
    tmp_path: Path,
    read_json: Callable[[Path], dict[str, Any]],
) -> None:
    options = ("--size", "64x96", "--threads", 1, "--end", 2, "--out", tmp_path / "out")

    done = call("track", clip, "--box", "10,6,18,20", *options)

    assert done.code == 0
    assert len(read_json(tmp_path / "out/track.json")["protocol"]["sha256"]) == 64


def test_older_results_are_refused_and_left_alone(
    track: Callable[..., Run], tmp_path: Path, masks: Path
) -> None:
    (tmp_path / "out/masks").mkdir(parents=True)
    (tmp_path / "out/masks/mine.png").write_bytes(b"precious")

    done, out = track("--mask", masks / "1.png", "--end", "2")

    assert done.code == 1
    assert "already holds masks" in done.complaint
    assert "--overwrite" in done.complaint
    assert [path.name for path in out.rglob("*")] == ["masks", "mine.png"]
    assert (out / "masks/mine.png").read_bytes() == b"precious"


def test_overwrite_removes_older_results_and_nothing_else(
    track: Callable[..., Run], tmp_path: Path, masks: Path
) -> None:
    (tmp_path / "out/masks").mkdir(parents=True)
    (tmp_path / "out/masks/old.png").write_bytes(b"old")
    (tmp_path / "out/notes.txt").write_text("mine")

    done, out = track("--mask", masks / "1.png", "--end", "2", "--overwrite")

    assert done.code == 0
    assert names(out) == STEMS[:2]
    assert (out / "notes.txt").read_text() == "mine"


def test_overwrite_unlinks_a_link_and_not_what_it_points_to(
    track: Callable[..., Run], tmp_path: Path, masks: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/kept.png").write_bytes(b"kept")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/masks").symlink_to(tmp_path / "elsewhere")

    done, out = track("--mask", masks / "1.png", "--end", "2", "--overwrite")

    assert done.code == 0
    assert not (out / "masks").is_symlink()
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["kept.png"]


def test_overwrite_does_not_remove_what_the_run_reads(
    call: Callable[..., Any], video: Path, tmp_path: Path, small: tuple[object, ...]
) -> None:
    source = tmp_path / "out/overlay.mp4"
    source.parent.mkdir()
    source.write_bytes(video.read_bytes())

    done = call(
        "track", source, "--box", "1,2,30,30", "--out", tmp_path / "out", "--overwrite", *small
    )

    assert done.code == 1
    assert "is read by this run" in done.complaint
    assert source.read_bytes() == video.read_bytes()


def test_brackets_and_colons_in_names_are_shown_as_they_are(
    call: Callable[..., Any], clip: Path, tmp_path: Path, small: tuple[object, ...]
) -> None:
    folder = tmp_path / "[bold]walk :dog: [red"
    folder.mkdir()
    for frame in sorted(clip.iterdir())[:2]:
        (folder / f"[red]{frame.name}").write_bytes(frame.read_bytes())

    done = call("track", folder, "--box", "1,2,30,30", "--out", folder / "[b]out", *small)

    assert done.code == 0
    assert "[bold]walk :dog: [red: 2 frames" in done.out
    assert "[red]shot_03" in done.out
    assert str(folder / "[b]out" / "masks") in done.out
