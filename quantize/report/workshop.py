"""What a process reads or makes once and uses for many points."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import torch

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.data.material import find_material
from edge_ttvos.data.pool import Sequence as Clip
from edge_ttvos.data.pool import read_pair
from edge_ttvos.errors import ModelError
from edge_ttvos.network.checkpoint import Checkpoint, load_checkpoint
from edge_ttvos.quantize.calibrate import spread
from edge_ttvos.quantize.graph import Graph
from edge_ttvos.quantize.lower import lower
from edge_ttvos.quantize.model import FILE, QuantizedModel, load_quantized, save_quantized
from edge_ttvos.quantize.recipe import Calibration, Recipe
from edge_ttvos.quantize.report.study import Size, Study
from edge_ttvos.quantize.scheme import Scheme
from edge_ttvos.quantize.weights import QuantizedKernels
from edge_ttvos.records import build, plain


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes stand side by side: each has one thread for itself."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def checkpoint_of(study: Study) -> Checkpoint:
    """The float model.

    Raises:
        ModelError: it cannot be read here, or is another one here.
    """
    return _checkpoint(study.model, study.sha256)


@lru_cache(maxsize=2)
def _checkpoint(path: Path, sha256: str) -> Checkpoint:
    found = load_checkpoint(path)
    if found.sha256 != sha256:
        raise ModelError(
            f"model {path} must be {sha256[:12]}… everywhere; got {found.sha256[:12]}…: it changed "
            "while the report was made, or is another one on this machine of the cluster"
        )
    return found


def graphs_of(study: Study, size: Size) -> tuple[Graph, ...]:
    """The float model's operators at a size."""
    return _graphs(study.model, study.sha256, size)


@lru_cache(maxsize=3)
def _graphs(path: Path, sha256: str, size: Size) -> tuple[Graph, ...]:
    return lower(_checkpoint(path, sha256).network, FrameSpec(*size))


def clips_of(study: Study, plan: Calibration) -> list[Clip]:
    """The training sequences that a plan takes, no longer than its runs.

    Raises:
        DatasetError, QuantizationError: a frame is unreadable, or there are too few sequences.
    """
    sequences = list(find_material(study.data).sequences.items())
    places = spread([len(pairs) for _, pairs in sequences], plan)
    clips = []
    for name, pairs in (sequences[place] for place in places):
        read = [read_pair(*pair) for pair in pairs[: plan.frames]]
        frames, masks = zip(*read, strict=True)
        clips.append(Clip(name, frames, masks))
    return clips


def make_model(study: Study, recipe: Recipe, scheme: Scheme, size: Size) -> QuantizedModel:
    """As ``quantize`` saves it and every user reads it."""
    graphs, checkpoint = graphs_of(study, size), checkpoint_of(study)
    kernels = QuantizedKernels.from_graphs(graphs, recipe)
    network = checkpoint.network
    config = network.config
    origin = {
        "name": checkpoint.origin.get("name", config.name),
        "float_sha256": checkpoint.sha256,
        "method": "ptq",
        "calibrated_at": list(size),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        save_quantized(
            path, kernels, scheme, config, checkpoint.size, origin, network.flat_box_head
        )
        return load_quantized(path)


def scheme_of(table: Mapping[str, Any]) -> Scheme:
    """Scales from plain data."""
    return build(Scheme, table)


def scheme_table(scheme: Scheme) -> dict[str, Any]:
    """Scales as plain data."""
    table: dict[str, Any] = plain(scheme)
    return table
