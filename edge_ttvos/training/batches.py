"""Batches of clips: a sample derives from (seed, step, index), so that a resumed run goes on."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from edge_ttvos.data.clips import plan_clip, plan_image
from edge_ttvos.data.odds import EVEN, Odds
from edge_ttvos.data.plan import ClipPlan, ClipSpec
from edge_ttvos.data.pool import Pool
from edge_ttvos.data.render import render
from edge_ttvos.errors import TrainingError
from edge_ttvos.training.plans import Plans, gather, slacks, target_layers
from edge_ttvos.training.recipe import Recipe
from edge_ttvos.training.stage import Stage
from edge_ttvos.training.warp import given, warp
from edge_ttvos.training.world import ALONE, World

AHEAD = 8  # steps that are made ahead of time, about
GONE = re.compile(r"^DataLoader worker .*exited unexpectedly")  # how PyTorch tells it
Item = TypeVar("Item")


@dataclass(frozen=True)
class Batch:
    """Clips and their targets, which are followed one by one.

    Attributes:
        names: the photograph or sequence behind each clip, B.
        frames: (B, T, H, W, 3) RGB uint8.
        masks: (B, K, T, H, W) uint8 of 0 and 1.
        given: (B, K, H, W) float32 of 0…1, what the tracker is told in the first frame.
        boxed: (B, K) bool: that is a box's prior, not the mask.
        own: (B, K) bool: the target is the object of ``names``, not a pasted one.
    """

    names: list[str]
    frames: Tensor
    masks: Tensor
    given: Tensor
    boxed: Tensor
    own: Tensor

    @classmethod
    def of(
        cls, names: list[str], frames: Tensor, masks: Tensor, slack: Tensor, layers: Tensor
    ) -> Batch:
        """With what is told: masks where the slack (B, K, 4) is NaN, boxes elsewhere.

        ``layers`` (B, K) are those of the targets; the backdrop is 0.
        """
        boxed = ~slack.isnan().any(dim=2)
        return cls(names, frames, masks, given(masks[:, :, 0], slack), boxed, layers == 0)


def on_device(clips: Batch | Plans, device: torch.device) -> Batch:
    """Pixels on a device, rendered there if the clips are plans."""
    if isinstance(clips, Plans):
        plans = clips.moved(device)
        return Batch.of(plans.names, *warp(plans), plans.slack, plans.target)
    parts = (clips.frames, clips.masks, clips.given, clips.boxed, clips.own)
    return Batch(clips.names, *(part.to(device, non_blocking=True) for part in parts))


MicroBatches = list[Batch] | list[Plans]  # of one step


@dataclass(frozen=True)
class Span:
    """Consecutive steps of one stage that draw their sources by the same odds."""

    start: int
    stop: int
    odds: Odds = EVEN


class Draw:
    """What each step of a span feeds this process, as plans."""

    def __init__(self, pool: Pool, recipe: Recipe, span: Span, world: World = ALONE) -> None:
        self.pool = pool
        self.recipe = recipe
        self.span = span
        self.world = world

    def __len__(self) -> int:
        return self.span.stop - self.span.start

    def plans(self, item: int) -> list[list[ClipPlan]]:
        """The clips of each micro-batch of step ``start + item``."""
        if item >= len(self):
            raise IndexError(item)
        step = self.span.start + item
        stage, _ = self.recipe.locate(step)
        first = self.world.rank * stage.accumulate
        return [
            self._plans(stage, step, (first + micro) * stage.batch)
            for micro in range(stage.accumulate)
        ]

    def _plans(self, stage: Stage, step: int, first: int) -> list[ClipPlan]:
        """Samples ``first`` and following of a step: all processes together count them through."""
        draw, spec = plan_image if stage.kind == "images" else plan_clip, clip_spec(stage)
        seeds = [(self.recipe.seed, step, first + index) for index in range(stage.batch)]
        return [
            draw(self.pool, spec, np.random.default_rng(seed), self.span.odds) for seed in seeds
        ]


class Batches(Draw, Dataset[list[Batch]]):
    """Item ``i`` is step ``start + i``: its micro-batches, rendered by the CPU."""

    def __getitem__(self, item: int) -> list[Batch]:
        return [painted(plans) for plans in self.plans(item)]


class PlannedBatches(Draw, Dataset[list[Plans]]):
    """The same for a device that renders them itself."""

    def __getitem__(self, item: int) -> list[Plans]:
        return [gather(plans) for plans in self.plans(item)]


def painted(plans: list[ClipPlan]) -> Batch:
    """Plans as pixels, by the CPU."""
    frames, masks = zip(*(render(plan) for plan in plans), strict=True)
    return Batch.of(
        [plan.name for plan in plans],
        torch.from_numpy(np.stack(frames)),
        torch.from_numpy(np.stack(masks)),
        slacks(plans),
        target_layers(plans),
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
        stage.objects,
    )


def worker_count(device: torch.device) -> int:
    """Processes that make batches: one beside a CPU that trains, this GPU's share of the cores."""
    if device.type != "cuda":
        return 1
    return max(1, (os.cpu_count() or 2) // torch.cuda.device_count() - 1)


def _single_thread(worker: int) -> None:
    cv2.setNumThreads(1)


def made_ahead(batches: Dataset[Item], workers: int) -> Iterator[Item]:
    """Batches in order, made ahead of time by ``workers`` processes.

    OpenCV is left with one thread here too: a process forked from one where it has several waits
    for them for ever.

    Raises:
        TrainingError: one of them is gone, told within seconds.
    """
    cv2.setNumThreads(1)
    loader = DataLoader(
        batches,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=max(2, AHEAD // workers) if workers else None,
        worker_init_fn=_single_thread,
    )
    with _child_signals_kept():
        made = iter(loader)
    while True:
        try:
            batch = next(made)
        except StopIteration:
            return
        except (ConnectionError, EOFError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and not GONE.search(str(error)):
                raise
            raise TrainingError(
                "a process that makes clips was killed from outside, as happens when memory runs "
                f"out; the last checkpoint is whole: go on with --resume ({error})"
            ) from error
        yield batch


@contextmanager
def _child_signals_kept() -> Iterator[None]:
    """PyTorch's handler of SIGCHLD, set within, is undone.

    It raises for a worker that was killed wherever the program happens to be: within an
    optimiser's step or a collection of garbage, which drops the error. Without it the error comes
    where the next batch is asked for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, and PyTorch sets none elsewhere
        return
    before = signal.getsignal(signal.SIGCHLD)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before or signal.SIG_DFL)
