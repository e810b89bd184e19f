"""A data folder of small clips, a small model of random weights, and a study of both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from edge_ttvos.network.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from edge_ttvos.network.config import PRESETS
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.quantize.recipe import Calibration, Recipe
from edge_ttvos.quantize.report.study import Study, open_study

SIZE = (48, 80)
FRAMES = 6
SCORED, ASIDE, TRAINED = ("swan", "camel"), ("dog-agility", "motorbike"), ("left", "right")


def write_clip(root: Path, name: str, seed: int) -> None:
    """A disc that moves over a textured ground."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    ground = rng.integers(20, 120, (*SIZE, 3)).astype(np.uint8)
    for kind in ("JPEGImages", "Annotations"):
        (root / kind / name).mkdir(parents=True)
    for t in range(FRAMES):
        disc = (rows - 24) ** 2 + (columns - 18 - (4 + seed) * t) ** 2 <= 100
        frame = np.where(disc[..., None], np.uint8(220), ground)
        Image.fromarray(frame).save(root / "JPEGImages" / name / f"{t:05d}.jpg")
        mask = Image.fromarray((disc * 255).astype(np.uint8))
        mask.save(root / "Annotations" / name / f"{t:05d}.png")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``--data`` wants it: two sequences to score on, two set aside, two to calibrate on."""
    root = tmp_path_factory.mktemp("data")
    for index, name in enumerate(SCORED):
        write_clip(root / "davis2016", name, index)
    for index, name in enumerate((*ASIDE, *TRAINED)):
        write_clip(root / "davis2016-train-324p", name, index)
    return root


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights with statistics as if they had been trained."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = TTVOS(PRESETS["release"])
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 2)
    save_checkpoint(path, network.eval(), SIZE, {"name": "random"})
    return path


@pytest.fixture(scope="session")
def checkpoint(model_file: Path) -> Checkpoint:
    """The float model."""
    return load_checkpoint(model_file)


@pytest.fixture(scope="session")
def base() -> Recipe:
    """Both training clips, three frames of each."""
    return Recipe("tiny", calibration=Calibration(sequences=2, frames=FRAMES, seen=3))


@pytest.fixture(scope="session")
def study(model_file: Path, checkpoint: Checkpoint, data: Path, base: Recipe) -> Study:
    """All of it, at one size."""
    return open_study(model_file, checkpoint, data, base, (SIZE, SIZE))
