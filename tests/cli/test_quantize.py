"""``edge-ttvos quantize``: a small network by the shell, its record, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

RECIPE = """
name = "tiny"
[calibration]
sequences = 2
frames = 5
seen = 2
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of five frames."""
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sequences of a moving disc."""
    root = tmp_path_factory.mktemp("data")
    part = root / "davis2016-train-324p"
    rows, columns = np.mgrid[:48, :80]
    ground = np.random.default_rng(0).integers(20, 120, (48, 80, 3)).astype(np.uint8)
    for name in ("left", "right"):
        for kind in ("JPEGImages", "Annotations"):
            (part / kind / name).mkdir(parents=True)
        for t in range(5):
            x = 20 + 6 * t if name == "right" else 60 - 6 * t
            disc = (rows - 24) ** 2 + (columns - x) ** 2 <= 100
            frame = np.where(disc[..., None], np.uint8(220), ground)
            Image.fromarray(frame).save(part / "JPEGImages" / name / f"{t:05d}.jpg")
            mask = Image.fromarray((disc * 255).astype(np.uint8))
            mask.save(part / "Annotations" / name / f"{t:05d}.png")
    return root


@pytest.fixture(scope="module")
def quantized(
    shell: Callable[..., Any], recipe: Path, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Path]:
    """The shipped weights at a small size."""
    out = tmp_path_factory.mktemp("run") / "out"
    options = ("--method", "ptq", "--bits", "w8a8sfloat", "--recipe", recipe, "--size", "48x80")
    return shell("quantize", *options, "--data", data, "--out", out, "--json", "-"), out


@pytest.mark.slow
def test_a_run_says_what_is_integer(quantized: tuple[Any, Path]) -> None:
    done, out = quantized

    assert done.code == 0, done.err
    record = done.json
    assert (record["schema"], record["complete"], record["bits"]) == (1, True, "w8a8sfloat")
    assert record["layers_by_precision"] == {"w8a8": len(record["layers"])}
    assert list(record["values_by_bits"]) == ["8"]
    assert record["bytes"] == (out / "quantized.safetensors").stat().st_size
    assert record["protocol"]["resolution"] == "48x80"
    assert json.loads((out / "quantize.json").read_text()) == record


@pytest.mark.slow
def test_tracking_takes_the_runs_folder(
    call: Callable[..., Any], quantized: tuple[Any, Path], clip: Path, tmp_path: Path
) -> None:
    options = ("--model", quantized[1], "--size", "48x80", "--threads", 1, "--end", 2)
    done = call("track", clip, "--box", "10,10,20,20", *options, "--out", tmp_path / "out")

    assert done.code == 0, done.err
    record = json.loads((tmp_path / "out" / "track.json").read_text())
    assert record["protocol"]["precision"] == "w8a8sfloat"


@pytest.mark.slow
def test_what_is_quantized_is_not_quantized_again(
    call: Callable[..., Any], quantized: tuple[Any, Path], data: Path, tmp_path: Path
) -> None:
    options = ("--method", "ptq", "--bits", "w8a8", "--model", quantized[1], "--data", data)
    done = call("quantize", *options, "--out", tmp_path / "again")

    assert done.code == 1
    assert "is quantized already" in done.err
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--method", "guess", "--bits", "w8a8"), 2, "ptq, qat"),
        (("--method", "ptq"), 2, "--bits"),
        (("--method", "ptq", "--bits", "w8a8", "--resume"), 2, "only --method qat goes on"),
        (("--method", "ptq", "--bits", "8"), 1, "--bits must be like w8a8"),
        (("--method", "ptq", "--bits", "w1a8"), 1, "weights must have 2 to 8 bits; got 1"),
        (("--method", "ptq", "--bits", "w8a8"), 1, "calibration needs 12 sequences"),
        (("--method", "ptq", "--recipe", "absent.toml"), 1, "absent.toml cannot be read"),
    ],
)
def test_what_is_refused(
    call: Callable[..., Any],
    data: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    done = call("quantize", *options, "--size", "48x80", "--data", data, "--out", tmp_path / "o")

    assert done.code == code
    assert says in done.err
    assert not (tmp_path / "o" / "quantized.safetensors").exists()


@pytest.mark.slow
def test_no_island_where_none_is_allowed(
    call: Callable[..., Any], recipe: Path, data: Path, tmp_path: Path
) -> None:
    island = tmp_path / "island.toml"
    island.write_text(f'float_layers = ["embedding.f.0"]\n{recipe.read_text().lstrip()}')
    options = ("--method", "ptq", "--recipe", island, "--strict", "--size", "48x80")
    done = call("quantize", *options, "--data", data, "--out", tmp_path / "out")

    assert done.code == 1
    assert "--strict: embedding.f.0 would be computed in float" in done.err
