"""Plans of a micro-batch as a few tensors, for a device that renders them itself.

Worker processes hand tensors over in shared memory; a source travels once, however many frames show
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from edge_ttvos.data.motion import BEND_GRID, sampling_matrix
from edge_ttvos.data.plan import ClipPlan, LayerPlan
from edge_ttvos.data.pool import Image


@dataclass(frozen=True)
class Plans:
    """B plans of T frames. A row is one layer in one frame; there are N, of U sources.

    Attributes:
        names: of the clips.
        size: height and width of the frames in pixels.
        sources: (U, h, w, 4) uint8: RGB and mask, padded at the right and the bottom.
        extents: (U, 2) int64: height and width without the padding.
        source: (N,) int64.
        matrix: (N, 2, 3) float32: pixel of the frame → pixel of the source.
        bends: (N, 2, 4, 5) float32, displacements in pixels.
        cut: (N,) bool: nothing around the source, instead of its reflection.
        rows: (L, B, T) int64: of each clip's layers from back to front; −1 where it has none.
        target: (B, K) int64: the layers of each clip's targets.
        slack: (B, K, 4) float32: how targets are told, see ``data.plan.Target``; NaN: by masks.
        gain, offset: (B, T, 3) and (B, T, 1) float32.
        sigma: (B,) float32, of the blur in pixels; 0: none.
        grey, mirrored: (B,) bool.
    """

    names: list[str]
    size: tuple[int, int]
    sources: Tensor
    extents: Tensor
    source: Tensor
    matrix: Tensor
    bends: Tensor
    cut: Tensor
    rows: Tensor
    target: Tensor
    slack: Tensor
    gain: Tensor
    offset: Tensor
    sigma: Tensor
    grey: Tensor
    mirrored: Tensor

    def moved(self, device: torch.device) -> Plans:
        """The same on a device."""
        tensors = {
            f.name: getattr(self, f.name).to(device, non_blocking=True)
            for f in fields(self)
            if isinstance(getattr(self, f.name), Tensor)
        }
        return replace(self, **tensors)


def gather(plans: Sequence[ClipPlan]) -> Plans:
    """Plans of one size and length as tensors."""
    layers = [layer for plan in plans for layer in plan.layers]
    pairs = [pair for layer in layers for pair in zip(layer.images, layer.masks, strict=True)]
    numbers = {(id(image), id(mask)): (image, mask) for image, mask in pairs}
    order = {key: number for number, key in enumerate(numbers)}
    grades = [plan.grade for plan in plans]
    return Plans(
        names=[plan.name for plan in plans],
        size=plans[0].size,
        sources=_stacked(list(numbers.values())),
        extents=torch.tensor([mask.shape for _, mask in numbers.values()]),
        source=torch.tensor([order[id(image), id(mask)] for image, mask in pairs]),
        matrix=_tensor([sampling_matrix(p, lay.centre) for lay in layers for p in lay.poses]),
        bends=_tensor([_bends(layer) for layer in layers]).flatten(0, 1),
        cut=torch.tensor([layer.cut for layer in layers for _ in layer.poses]),
        rows=_rows(plans),
        target=target_layers(plans),
        slack=slacks(plans),
        gain=_tensor([grade.gain for grade in grades]),
        offset=_tensor([grade.offset for grade in grades]),
        sigma=_tensor([grade.sigma or 0.0 for grade in grades]),
        grey=torch.tensor([grade.grey for grade in grades]),
        mirrored=torch.tensor([plan.mirrored for plan in plans]),
    )


def target_layers(plans: Sequence[ClipPlan]) -> Tensor:
    """The layer of each target, (B, K) int64."""
    return torch.tensor([[target.layer for target in plan.targets] for plan in plans])


def slacks(plans: Sequence[ClipPlan]) -> Tensor:
    """How each target is told, (B, K, 4) float32: a box's slack, or NaN for the mask."""
    told = [[t.box or (np.nan,) * 4 for t in plan.targets] for plan in plans]
    return _tensor(told)


def _tensor(values: Sequence[object]) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))


def _stacked(pairs: Sequence[tuple[Image, Image]]) -> Tensor:
    height = max(mask.shape[0] for _, mask in pairs)
    width = max(mask.shape[1] for _, mask in pairs)
    stack = np.zeros((len(pairs), height, width, 4), np.uint8)
    for place, (image, mask) in zip(stack, pairs, strict=True):
        place[: mask.shape[0], : mask.shape[1], :3] = image
        place[: mask.shape[0], : mask.shape[1], 3] = mask
    return torch.from_numpy(stack)


def _bends(layer: LayerPlan) -> np.ndarray:
    none = np.zeros((len(layer.poses), 2, *BEND_GRID), np.float32)
    return none if layer.bends is None else layer.bends


def _rows(plans: Sequence[ClipPlan]) -> Tensor:
    length = len(plans[0].layers[0].poses)
    rows = torch.full((max(len(plan.layers) for plan in plans), len(plans), length), -1)
    number = 0
    for clip, plan in enumerate(plans):
        for depth in range(len(plan.layers)):
            rows[depth, clip] = torch.arange(number, number + length)
            number += length
    return rows
