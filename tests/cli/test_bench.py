"""``edge-ttvos bench`` on a tiny data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

SMALL = ("--engine", "torch", "--size", "64x96", "--threads", "1")


@pytest.fixture(scope="module")
def data(scene: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one sequence of ten frames."""
    folder = tmp_path_factory.mktemp("data")
    parts = {"JPEGImages": scene.frames, "Annotations": scene.labels}
    for part, pictures in parts.items():
        place = folder / "davis2016" / part / "480p" / "walk"
        place.mkdir(parents=True)
        for t, picture in enumerate(pictures):
            if part == "Annotations":
                picture = np.where(picture == 1, 255, 0).astype(np.uint8)
            suffix = "jpg" if part == "JPEGImages" else "png"
            Image.fromarray(picture).save(place / f"{t:05d}.{suffix}")
    return folder


def test_table_json_and_picture(
    call: Callable[..., Any],
    checkpoint: Path,
    data: Path,
    tmp_path: Path,
    read_json: Callable[[Path], Any],
    no_leftovers: Callable[[Path], None],
) -> None:
    done = call("bench", checkpoint, "--data", data, "--out", tmp_path, *SMALL, "--json", "-")

    assert done.code == 0, done.err
    assert done.json == read_json(tmp_path / "bench.json")
    assert done.json["complete"]
    assert (done.json["protocol"]["threads"], done.json["protocol"]["resolution"]) == (1, "64x96")
    assert done.json["peers"]["pytorch-eager"] == {"left_out": "it is what is measured here"}
    for words in ("end to end", "milliseconds a frame", "walk", "frames by their summed time"):
        assert words in done.err
    no_leftovers(tmp_path)


def test_without_peers_and_quiet(
    call: Callable[..., Any],
    checkpoint: Path,
    data: Path,
    tmp_path: Path,
    read_json: Callable[[Path], Any],
) -> None:
    options = ("--no-peers", "-q", "--sequences", "walk", *SMALL)
    done = call("bench", checkpoint, "--data", data, "--out", tmp_path / "o", *options)

    assert (done.code, done.out, done.err) == (0, "", "")
    assert read_json(tmp_path / "o" / "bench.json")["peers"] == {}


def test_data_without_davis_is_one_line(
    call: Callable[..., Any], checkpoint: Path, tmp_path: Path
) -> None:
    done = call("bench", checkpoint, "--data", tmp_path, "--out", tmp_path / "o", *SMALL)

    assert done.code == 1
    assert "must hold davis2016" in done.complaint
    assert not (tmp_path / "o").exists()
