"""Batches of clips: a sample derives from (seed, step, index), so that a resumed run goes on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from edge_ttvos.data.clips import ClipSpec, make_clip
from edge_ttvos.data.pool import Pool
from edge_ttvos.training.recipe import Recipe


@dataclass(frozen=True)
class Batch:
    """One step's clips, uint8: frames (B, T, H, W, 3); masks (B, T, H, W), given (B, H, W)."""

    names: list[str]
    frames: Tensor
    masks: Tensor
    given: Tensor


class Batches(Dataset[Batch]):
    """Item ``i`` is the whole batch of step ``start + i``."""

    def __init__(self, pool: Pool, recipe: Recipe, start: int) -> None:
        self.pool = pool
        self.recipe = recipe
        self.start = start

    def __len__(self) -> int:
        return self.recipe.steps - self.start

    def __getitem__(self, item: int) -> Batch:
        if item >= len(self):
            raise IndexError(item)
        step = self.start + item
        stage, _ = self.recipe.locate(step)
        spec = ClipSpec(stage.frames, stage.size, stage.max_stride, stage.stills, stage.boxes)
        clips = [
            make_clip(self.pool, spec, np.random.default_rng((self.recipe.seed, step, index)))
            for index in range(stage.batch)
        ]
        return Batch(
            [clip.name for clip in clips],
            torch.from_numpy(np.stack([clip.frames for clip in clips])),
            torch.from_numpy(np.stack([clip.masks for clip in clips])),
            torch.from_numpy(np.stack([clip.given for clip in clips])),
        )


def _single_thread(worker: int) -> None:
    cv2.setNumThreads(1)


def loader(pool: Pool, recipe: Recipe, start: int, workers: int) -> DataLoader[Batch]:
    """Batches from step ``start`` on, made ahead of time by ``workers`` processes.

    OpenCV is left with one thread here too: a process forked from one where it has several waits
    for them for ever.
    """
    cv2.setNumThreads(1)
    return DataLoader(
        Batches(pool, recipe, start),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=8 if workers else None,
        worker_init_fn=_single_thread,
    )
