"""The clip that comes with the repository: its layout, its size, and that its script makes it."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_ttvos.evaluation.masks import read_mask
from edge_ttvos.firmware_bridge.sources import open_source

EXAMPLES = Path(__file__).parents[2] / "examples"
CLIP = EXAMPLES / "demo"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("clip_script", EXAMPLES / "make_demo_clip.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up by name
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, "clip_script", module)
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def masks() -> list[NDArray[np.uint8]]:
    return [read_mask(path) for path in sorted((CLIP / "Annotations/demo").iterdir())]


def test_frames_and_masks_belong_together(masks: list[NDArray[np.uint8]]) -> None:
    with open_source(CLIP / "JPEGImages/demo") as source:
        names = [frame.name for frame in source]
        assert source.size == (480, 854)
    assert names == [path.stem for path in sorted((CLIP / "Annotations/demo").iterdir())]
    assert len(names) == 72
    assert {mask.shape for mask in masks} == {(480, 854)}
    assert set(np.unique(masks)) == {0, 2}


def test_the_object_is_large_enough_and_moves_without_jumps(
    masks: list[NDArray[np.uint8]],
) -> None:
    shares = [np.count_nonzero(mask) / mask.size for mask in masks]
    assert min(shares) > 0.08
    assert max(shares) < 0.25
    centres = np.array([np.argwhere(mask).mean(axis=0) for mask in masks])
    assert (np.ptp(centres, axis=0) > (100, 300)).all()
    overlaps = [((a > 0) & (b > 0)).sum() / (a > 0).sum() for a, b in itertools.pairwise(masks)]
    assert min(overlaps) > 0.7, "no jumps"


def test_the_clip_is_small() -> None:
    assert sum(path.stat().st_size for path in CLIP.rglob("*") if path.is_file()) < 3_000_000


def test_the_script_makes_the_same_clip_again(
    script: ModuleType, masks: list[NDArray[np.uint8]]
) -> None:
    pytest.importorskip("skimage")
    made = script.frames(*script.photographs())
    with open_source(CLIP / "JPEGImages/demo") as source:
        for stored, mask, (picture, again) in zip(source, masks, made, strict=True):
            if stored.index % 12:
                continue
            # other versions of OpenCV may round a pixel on an edge differently
            assert np.count_nonzero(mask != again) <= 20
            difference = np.abs(stored.image.astype(int) - picture)
            assert difference.mean() < 4, "JPEG alone"


def test_every_photograph_is_named_with_its_rights(script: ModuleType) -> None:
    readme = (CLIP / "README.md").read_text()
    for name in ("coffee", "astronaut", "rocket"):
        assert f"`skimage.data.{name}`" in readme
    assert readme.count("No copyright restrictions") == 1
    assert readme.count("public domain") >= 3
