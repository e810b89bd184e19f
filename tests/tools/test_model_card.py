"""The card's figures come from masks on disk; one sequence is followed well, the other badly."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from edge_ttvos.errors import InputError


@pytest.fixture(scope="module")
def card(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("model_card", root / "tools" / "model_card.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def block(left: int) -> Image.Image:
    pixels = np.zeros((60, 80), np.uint8)
    pixels[20:40, left : left + 20] = 255
    return Image.fromarray(pixels)


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture
def evaluated(tmp_path: Path) -> tuple[Path, Path]:
    """A data set, and an evaluation whose masks of ``walk`` are shifted by half the object."""
    root, out = tmp_path / "davis", tmp_path / "eval"
    for name, shift in (("rest", 0), ("walk", 10)):
        for index in range(5):
            frame = Image.new("RGB", (80, 60), (90, 20 * index, 40))
            save(frame, root / "JPEGImages" / name / f"{index:05d}.jpg")
            save(block(20), root / "Annotations" / name / f"{index:05d}.png")
            save(block(20 + shift), out / "masks" / name / f"{index:05d}.png")
    protocol = {"dataset": "davis2016", "model": "release", "sha256": "ab", "engine": "torch"}
    record = {"complete": True, "protocol": {**protocol, "commit": None}}
    (out / "eval.json").write_text(json.dumps(record))
    return root, out


def test_a_table_and_a_picture_of_the_worst(
    card: ModuleType, evaluated: tuple[Path, Path], tmp_path: Path
) -> None:
    root, out = evaluated
    card.model_card(root, out, tmp_path / "card", None, 1)
    text = (tmp_path / "card" / "figures.md").read_text()
    lines = text.splitlines()
    assert lines[0].startswith("| sequence | J&F | J |")
    assert lines[2].startswith("| rest | 100.0 | 100.0 |")
    assert "| walk |" in lines[3]
    assert "| 33.3 | 0.0 |" in lines[3]  # J of two blocks that share half; never above one half
    assert lines[4].startswith("| all | ")
    assert "- sha256: ab" in lines
    assert "commit" not in text
    assert sorted(path.name for path in (tmp_path / "card").iterdir()) == ["figures.md", "walk.png"]
    with Image.open(tmp_path / "card" / "walk.png") as picture:
        assert picture.width > 600


def test_boxes_stand_in_the_last_column(
    card: ModuleType, evaluated: tuple[Path, Path], tmp_path: Path
) -> None:
    root, out = evaluated
    card.model_card(root, out, tmp_path / "card", out, 0)
    lines = (tmp_path / "card" / "figures.md").read_text().splitlines()
    assert lines[0].endswith("| J&F from a box |")
    assert lines[2].endswith("| 100.0 |")
    assert [path.name for path in (tmp_path / "card").iterdir()] == ["figures.md"]


@pytest.mark.parametrize("damage", ["missing", "no json", "incomplete"])
def test_an_evaluation_that_is_none(
    card: ModuleType, evaluated: tuple[Path, Path], tmp_path: Path, damage: str
) -> None:
    root, out = evaluated
    path = out / "eval.json"
    if damage == "missing":
        path.unlink()
    elif damage == "no json":
        path.write_text("{")
    else:
        path.write_text(json.dumps({**json.loads(path.read_text()), "complete": False}))
    with pytest.raises(InputError, match=str(out)):
        card.model_card(root, out, tmp_path / "card", None, 1)
    assert not (tmp_path / "card").exists()
