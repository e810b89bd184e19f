"""``edge-ttvos report`` by the shell on small clips: made, gone on with, compared, refused."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

RECIPE = 'name = "tiny"\n[calibration]\nsequences = 2\nframes = 6\nseen = 3\n'
SIZES = ("--size", "48x80", "--named-size", "48x80")
ASKED = ("--bits", "w8a8sfloat", "--bits", "w4a8")
PAIR = ("swan", "camel")


def write_clip(root: Path, name: str, seed: int) -> None:
    """A disc that moves over a textured ground."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:48, :80]
    ground = rng.integers(20, 120, (48, 80, 3)).astype(np.uint8)
    for kind in ("JPEGImages", "Annotations"):
        (root / kind / name).mkdir(parents=True)
    for t in range(6):
        disc = (rows - 24) ** 2 + (columns - 18 - (4 + seed) * t) ** 2 <= 100
        frame = np.where(disc[..., None], np.uint8(220), ground)
        Image.fromarray(frame).save(root / "JPEGImages" / name / f"{t:05d}.jpg")
        mask = Image.fromarray((disc * 255).astype(np.uint8))
        mask.save(root / "Annotations" / name / f"{t:05d}.png")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sequences to score on, two to calibrate on, and a recipe that does with so few."""
    root = tmp_path_factory.mktemp("data")
    for index, name in enumerate(PAIR):
        write_clip(root / "davis2016", name, index)
        write_clip(root / "davis2016-train-324p", f"train{index}", index)
    (root / "tiny.toml").write_text(RECIPE)
    return root


Options = tuple[object, ...]


@pytest.fixture(scope="module")
def options(data: Path) -> Options:
    """What all runs have."""
    return ("--data", data, "--recipe", data / "tiny.toml", *SIZES, "--jobs", 1)


@pytest.fixture(scope="module")
def made(
    shell: Callable[..., Any], options: Options, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Path]:
    """A report of two points, of the shipped weights."""
    out = tmp_path_factory.mktemp("report") / "out"
    parts = ("--parts", "axes,strips")
    return shell("report", *options, *ASKED, *parts, "--out", out, "--json", "-"), out


@pytest.mark.slow
def test_a_report_says_what_bits_cost(made: tuple[Any, Path]) -> None:
    done, out = made

    assert done.code == 0, done.err
    record = done.json
    assert (record["schema"], record["complete"], record["reason"]) == (1, True, None)
    assert record == json.loads((out / "report.json").read_text())
    exact, eight, four = record["points"]
    assert [p["id"] for p in record["points"]] == [
        "axes/float",
        "axes/w8a8sfloat",
        "axes/w4a8sfloat",
    ]
    assert (exact["simulated"], eight["simulated"], four["simulated"]) == (False, False, True)
    assert (exact["J&F_loss"], four["deployable"]) == (None, [])
    assert eight["J&F_loss"] == pytest.approx(exact["J&F"] - eight["J&F"], abs=1e-3)
    assert set(eight["sequences"]) == set(PAIR)
    assert exact["size_bytes"] > eight["size_bytes"] > four["size_bytes"]
    protocol = record["protocol"]
    assert protocol["sha256"] == record["model"]["sha256"]
    assert protocol["commits"]
    assert record["sets"]["axes"] == {"size": "48x80", "sequences": sorted(PAIR)}
    assert record["seconds"] > 0


@pytest.mark.slow
def test_its_files_are_there(made: tuple[Any, Path]) -> None:
    _, out = made
    with (out / "points.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert [row["label"] for row in rows] == ["float", "w8a8sfloat", "w4a8sfloat"]
    assert (rows[1]["weights"], rows[1]["state"]) == ("8", "float")
    assert (rows[0]["J&F_loss"], rows[2]["latency_p50_ms"]) == ("", "")
    assert (out / "sensitivity.csv").read_text().startswith("item,kind,graph,bits")
    assert "<html" in (out / "report.html").read_text()
    strips = json.loads((out / "report.json").read_text())["strips"]
    for strip in strips:
        for key in ("float", "low", "frame_image"):
            with Image.open(out / strip[key]) as image:
                assert image.width == 480
    assert not list(out.rglob(".*"))


@pytest.mark.slow
def test_the_same_again_computes_nothing(
    shell: Callable[..., Any], options: Options, made: tuple[Any, Path]
) -> None:
    _, out = made
    before = {path: path.stat().st_mtime_ns for path in (out / "points").iterdir()}
    first = json.loads((out / "report.json").read_text())
    done = shell("report", *options, *ASKED, "--parts", "axes,strips", "--out", out, "-q")

    assert done.code == 0, done.err
    assert {path: path.stat().st_mtime_ns for path in (out / "points").iterdir()} == before
    second = json.loads((out / "report.json").read_text())
    for record in (first, second):  # whoever commits meanwhile is told of, and computes nothing
        del record["protocol"]["commit"], record["protocol"]["commits"]
    assert second == first


@pytest.mark.slow
def test_points_made_anew_score_the_same(
    shell: Callable[..., Any], options: Options, made: tuple[Any, Path], tmp_path: Path
) -> None:
    one = ("--bits", "w4a8", "--parts", "axes", "--sequences", "swan,camel")
    done = shell("report", *options, *one, "--out", tmp_path / "out", "--json", "-")

    assert done.code == 0, done.err
    first = {p["id"]: p for p in made[0].json["points"]}
    for point in done.json["points"]:
        before = first[point["id"]]
        assert abs(point["J&F"] - before["J&F"]) <= 0.01
        for name in PAIR:
            ours, theirs = point["sequences"][name], before["sequences"][name]
            assert abs(ours["J&F"] - theirs["J&F"]) <= 0.01


@pytest.mark.slow
def test_results_of_another_model_are_refused(
    shell: Callable[..., Any], options: Options, made: tuple[Any, Path], checkpoint: Path
) -> None:
    _, out = made
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    done = shell("report", *options, *ASKED, "--model", checkpoint, "--out", out)

    assert done.code == 1
    assert "holds results of another model" in done.complaint
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [pytest.param(1, marks=pytest.mark.soak), 2])
def test_an_interrupted_report_goes_on_where_it_was(
    launch: Callable[..., subprocess.Popen[str]],
    finish: Callable[..., Any],
    wait_for: Callable[..., None],
    shell: Callable[..., Any],
    options: Options,
    tmp_path: Path,
    jobs: int,
) -> None:
    out = tmp_path / "out"
    more = (*ASKED, "--bits", "w3a8", "--bits", "w2a8", "--parts", "axes")
    order = ("report", *options, "--jobs", jobs, *more, "--out", out)
    process = launch(*order)
    wait_for(out / "points" / "axes-w4a8sfloat.json", process)
    process.send_signal(signal.SIGINT)
    assert finish(process).code == 130

    stopped = json.loads((out / "report.json").read_text())
    assert (stopped["complete"], stopped["reason"]) == (False, "interrupted")
    finished = {p.name: p.stat().st_mtime_ns for p in (out / "points").iterdir()}
    assert "axes-w4a8sfloat.json" in finished
    assert shell(*order, "-q").code == 0
    whole = json.loads((out / "report.json").read_text())
    assert (whole["complete"], len(whole["points"])) == (True, 5)
    after = {p.name: p.stat().st_mtime_ns for p in (out / "points").iterdir()}
    assert {name: after[name] for name in finished} == finished


@pytest.mark.slow
def test_two_reports_side_by_side(
    call: Callable[..., Any], made: tuple[Any, Path], tmp_path: Path
) -> None:
    _, a = made
    other = json.loads((a / "report.json").read_text())
    for point in other["points"]:
        for row in point["sequences"].values():
            row["J&F"] += 5.0
        point["J&F"] += 5.0
    b, out = tmp_path / "b", tmp_path / "out"
    b.mkdir()
    (b / "report.json").write_text(json.dumps(other))
    done = call("report", a, b, "--out", out, "--json", "-")

    assert done.code == 0, done.err
    record = done.json
    assert record == json.loads((out / "compare.json").read_text())
    assert [p["exceeds"] for p in record["points"]] == [True] * 3
    assert all(p["difference"] == pytest.approx(5.0) for p in record["points"])
    assert "<html" in (out / "compare.html").read_text()
    again = call("report", a, b, "--out", out)
    assert again.code == 1
    assert "already holds compare.json" in again.complaint


@pytest.mark.parametrize(
    ("extra", "code", "says"),
    [
        (("--bits", "w4x8"), 1, "--bits must be like w8a8"),
        (("--bits", "w4a8", "--deployable"), 1, "no engine can run w4a8sfloat"),
        (("--parts", "axes,guess"), 1, "--parts must be some of axes, named"),
        (("--max-drop", "-1", "--parts", "axes"), 1, "--max-drop must be points of J&F"),
        (("--mixed", "few", "--parts", "mixed"), 1, "--bits must be like w8a8"),
        (("--parts", "sensitivity"), 1, "set aside for choosing"),
        (("--sequences", "absent"), 1, "sequence absent is missing"),
        (("--qat", "absent"), 1, "there is no model 'absent'"),
        (("--cluster", "nowhere", "--bits", "w8a8"), 1, "no Dask scheduler answers"),
        (("--named-size", "480"), 2, "--named-size"),
        (("only-one",), 2, "two folders to compare, or none; got 1"),
    ],
)
def test_what_is_refused(
    call: Callable[..., Any],
    options: Options,
    tmp_path: Path,
    extra: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    done = call("report", *options, *extra, "--out", tmp_path / "out")

    assert done.code == code
    assert says in done.err
    assert not list(tmp_path.rglob("report.*"))


def test_data_must_be_named(call: Callable[..., Any], tmp_path: Path) -> None:
    done = call("report", "--out", tmp_path / "out")

    assert done.code == 2
    assert "--data" in done.err


def test_a_folder_without_a_report(call: Callable[..., Any], tmp_path: Path) -> None:
    done = call("report", tmp_path, tmp_path, "--out", tmp_path / "out")

    assert done.code == 1
    assert "holds no readable report.json" in done.complaint
    assert not (tmp_path / "out").exists()
