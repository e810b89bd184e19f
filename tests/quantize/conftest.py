"""A small network of random weights, clips of a moving disc, and what quantizing makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.data.pool import Pool, Sequence, Still
from edge_ttvos.network.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from edge_ttvos.network.config import PRESETS
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.quantize.calibrate import calibrate
from edge_ttvos.quantize.graph import Graph
from edge_ttvos.quantize.lower import lower
from edge_ttvos.quantize.model import QuantizedModel, load_quantized, save_quantized
from edge_ttvos.quantize.observers import Observed
from edge_ttvos.quantize.recipe import Calibration, Recipe, parse_bits
from edge_ttvos.quantize.scheme import build_scheme
from edge_ttvos.quantize.weights import QuantizedKernels

SIZE = (48, 80)
FRAMES = 6


def random_network(name: str = "release") -> TTVOS:
    """In eval mode, with statistics as if it had been trained."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = TTVOS(PRESETS[name])
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 2)
    return network.eval()


def walk(index: int) -> Sequence:
    """A disc that moves over a textured ground."""
    rng = np.random.default_rng(index)
    ground = rng.integers(20, 120, (*SIZE, 3)).astype(np.uint8)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    frames, masks = [], []
    for t in range(FRAMES):
        disc = (y - 24) ** 2 + (x - 20 - 5 * t - 3 * index) ** 2 <= 100
        frames.append(np.where(disc[..., None], np.uint8(220), ground))
        masks.append((disc * 255).astype(np.uint8))
    return Sequence(f"walk{index}", tuple(frames), tuple(masks))


@pytest.fixture(scope="session")
def sequences() -> tuple[Sequence, ...]:
    """Two clips."""
    return walk(0), walk(1)


@pytest.fixture(scope="session")
def pool(sequences: tuple[Sequence, ...]) -> Pool:
    """The clips, and a photograph."""
    first = sequences[0]
    return Pool((Still("disc", first.frames[0], first.masks[0]),), sequences)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A float network."""
    path = tmp_path_factory.mktemp("float") / "model.safetensors"
    save_checkpoint(path, random_network(), SIZE, {"name": "random"})
    return load_checkpoint(path)


@pytest.fixture(scope="session")
def plan() -> Calibration:
    """Both clips, three frames of each."""
    return Calibration(sequences=2, frames=FRAMES, seen=3)


@pytest.fixture(scope="session")
def graphs(checkpoint: Checkpoint) -> tuple[Graph, ...]:
    """Of that network."""
    return lower(checkpoint.network, FrameSpec(*SIZE))


@pytest.fixture(scope="session")
def seen(
    checkpoint: Checkpoint,
    graphs: tuple[Graph, ...],
    sequences: tuple[Sequence, ...],
    plan: Calibration,
) -> dict[str, Observed]:
    """What observers saw of it."""
    return calibrate(checkpoint, FrameSpec(*SIZE), graphs, sequences, plan)


Make = Callable[..., QuantizedModel]


@pytest.fixture(scope="session")
def make_quantized(
    checkpoint: Checkpoint,
    graphs: tuple[Graph, ...],
    seen: dict[str, Observed],
    tmp_path_factory: pytest.TempPathFactory,
) -> Make:
    """``make_quantized(bits, **recipe)``: quantized, saved and read back."""
    folder = tmp_path_factory.mktemp("quantized")

    def make(bits: str = "w8a8sfloat", **changes: object) -> QuantizedModel:
        recipe: Recipe = replace(parse_bits(bits), **changes)  # type: ignore[arg-type]
        scheme = build_scheme(graphs, recipe, seen)
        path: Path = folder / f"{len(list(folder.iterdir()))}.safetensors"
        kernels = QuantizedKernels.from_graphs(graphs, recipe)
        origin = {"name": "random", "float_sha256": checkpoint.sha256}
        save_quantized(path, kernels, scheme, checkpoint.network.config, SIZE, origin)
        return load_quantized(path)

    return make


@pytest.fixture(scope="session")
def quantized(make_quantized: Make) -> QuantizedModel:
    """Eight bits throughout, the template in float."""
    return make_quantized()
