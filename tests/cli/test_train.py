"""``edge-ttvos train``, two steps of it: record, refusals, and that tracking takes its folder.

What training itself does is tested with the library.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

RECIPE = """
name = "tiny"
network = "release"
bfloat16 = false
[[stages]]
name = "only"
steps = 2
size = [32, 48]
frames = 2
batch = 1
stills = 1.0
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe of two steps."""
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photographs with their masks."""
    root = tmp_path_factory.mktemp("data")
    rows, columns = np.mgrid[:60, :80]
    for kind in ("images", "masks"):
        (root / "duts-288" / kind).mkdir(parents=True)
    for i in range(2):
        disc = np.where((rows - 30) ** 2 + (columns - 30 - 20 * i) ** 2 <= 196, 255, 0)
        mask = Image.fromarray(disc.astype(np.uint8))
        mask.save(root / f"duts-288/masks/{i}.png")
        mask.convert("RGB").save(root / f"duts-288/images/{i}.jpg")
    return root


@pytest.fixture(scope="module")
def trained(
    shell: Callable[..., Any], recipe: Path, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Path]:
    """A whole run."""
    out = tmp_path_factory.mktemp("run") / "out"
    options = ("--recipe", recipe, "--data", data, "--out", out, "--json", "-")
    return shell("train", *options), out


def test_a_run_says_what_it_did(trained: tuple[Any, Path]) -> None:
    done, out = trained

    assert done.code == 0, done.err
    record = done.json
    assert (record["schema"], record["complete"]) == (1, True)
    assert (record["steps"], record["steps_wanted"]) == (2, 2)
    assert record["model"] == str(out / "model.safetensors")
    protocol = record["protocol"]
    assert (protocol["recipe"], protocol["seed"], protocol["model"]) == ("tiny", 0, "release")
    assert protocol["device"]
    assert "2 steps" in done.err


def test_tracking_takes_the_runs_folder(
    call: Callable[..., Any], trained: tuple[Any, Path], clip: Path, tmp_path: Path
) -> None:
    options = ("--model", trained[1], "--size", "32x48", "--threads", 1, "--end", 2)

    done = call(
        "track", clip, "--box", "1,2,30,30", "--out", tmp_path / "out", *options, "--json", "-"
    )

    assert done.code == 0
    assert done.json["protocol"]["resolution"] == "32x48"


def test_older_results_are_refused(
    call: Callable[..., Any], trained: tuple[Any, Path], recipe: Path, data: Path
) -> None:
    out = trained[1]
    before = (out / "model.safetensors").read_bytes()

    done = call("train", "--recipe", recipe, "--data", data, "--out", out, "-q")

    assert done.code == 1
    assert "already holds" in done.complaint
    assert (out / "model.safetensors").read_bytes() == before


def test_the_weights_it_starts_from_are_not_removed(
    call: Callable[..., Any], trained: tuple[Any, Path], recipe: Path, data: Path
) -> None:
    out = trained[1]
    before = (out / "model.safetensors").read_bytes()
    options = ("--recipe", recipe, "--data", data, "--model", out, "--out", out)

    done = call("train", *options, "--overwrite", "-q")

    assert done.code == 1
    assert "model.safetensors is read by this run" in done.complaint
    assert (out / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--data": "."}, "holds no training data"),
        ({"--recipe": "no-such-recipe"}, "no-such-recipe"),
    ],
)
def test_what_cannot_be_trained_writes_nothing(
    call: Callable[..., Any],
    recipe: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    options = {"--recipe": recipe, "--data": data, "--out": tmp_path / "out", **change}

    done = call("train", *(part for pair in options.items() for part in pair), "--json", "-")

    assert done.code == 1
    assert words in done.complaint
    assert done.json["complete"] is False
    assert not (tmp_path / "out").exists()
