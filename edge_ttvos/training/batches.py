"""Batches of clips: a sample derives from (seed, step, index), so that a resumed run goes on."""

from __future__ import annotations

import os
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from edge_ttvos.data.clips import Clip, make_clip, make_image
from edge_ttvos.data.odds import EVEN, Odds
from edge_ttvos.data.plan import ClipSpec
from edge_ttvos.data.pool import Pool
from edge_ttvos.training.recipe import Recipe
from edge_ttvos.training.stage import Stage
from edge_ttvos.training.world import ALONE, World


@dataclass(frozen=True)
class Batch:
    """Clips, uint8: frames (B, T, H, W, 3); masks (B, T, H, W), given (B, H, W)."""

    names: list[str]
    frames: Tensor
    masks: Tensor
    given: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        frames, masks, given = (
            part.to(device, non_blocking=True) for part in (self.frames, self.masks, self.given)
        )
        return Batch(self.names, frames, masks, given)


@dataclass(frozen=True)
class Span:
    """Consecutive steps of one stage that draw their sources by the same odds."""

    start: int
    stop: int
    odds: Odds = EVEN


class Batches(Dataset[list[Batch]]):
    """Item ``i`` is what step ``start + i`` of a span feeds this process: its micro-batches."""

    def __init__(self, pool: Pool, recipe: Recipe, span: Span, world: World = ALONE) -> None:
        self.pool = pool
        self.recipe = recipe
        self.span = span
        self.world = world

    def __len__(self) -> int:
        return self.span.stop - self.span.start

    def __getitem__(self, item: int) -> list[Batch]:
        if item >= len(self):
            raise IndexError(item)
        step = self.span.start + item
        stage, _ = self.recipe.locate(step)
        first = self.world.rank * stage.accumulate
        return [
            self._batch(stage, step, (first + micro) * stage.batch)
            for micro in range(stage.accumulate)
        ]

    def _batch(self, stage: Stage, step: int, first: int) -> Batch:
        """Samples ``first`` and following of a step: all processes together count them through."""
        make, spec = make_image if stage.kind == "images" else make_clip, clip_spec(stage)
        seeds = [(self.recipe.seed, step, first + index) for index in range(stage.batch)]
        clips: list[Clip] = [
            make(self.pool, spec, np.random.default_rng(seed), self.span.odds) for seed in seeds
        ]
        return Batch(
            [clip.name for clip in clips],
            torch.from_numpy(np.stack([clip.frames for clip in clips])),
            torch.from_numpy(np.stack([clip.masks for clip in clips])),
            torch.from_numpy(np.stack([clip.given for clip in clips])),
        )


def clip_spec(stage: Stage) -> ClipSpec:
    """What a stage's clips must look like."""
    return ClipSpec(
        stage.frames,
        stage.size,
        stage.max_stride,
        stage.stills,
        stage.boxes,
        stage.films,
        stage.occlusions,
        stage.departures,
    )


def worker_count(device: torch.device) -> int:
    """Processes that make batches: one beside a CPU that trains, this GPU's share of the cores."""
    if device.type != "cuda":
        return 1
    return max(1, (os.cpu_count() or 2) // torch.cuda.device_count() - 1)


def _single_thread(worker: int) -> None:
    cv2.setNumThreads(1)


def loader(batches: Batches, workers: int, pinned: bool = False) -> DataLoader[list[Batch]]:
    """Batches in order, made ahead of time by ``workers`` processes.

    OpenCV is left with one thread here too: a process forked from one where it has several waits
    for them for ever.
    """
    cv2.setNumThreads(1)
    return DataLoader(
        batches,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=8 if workers else None,
        worker_init_fn=_single_thread,
        pin_memory=pinned,
    )
