"""The learning rate over a stage."""

from __future__ import annotations

import math

from edge_ttvos.training.stage import Stage

WARMUP = 100  # steps at a stage's start


def learning_rate(stage: Stage, within: int) -> float:
    """Linear warm-up, then a cosine from the stage's peak to ``floor`` of it."""
    if within < WARMUP:
        return stage.learning_rate * (within + 1) / WARMUP
    share = (within - WARMUP) / max(1, stage.steps - WARMUP)
    cosine = 0.5 * (1 + math.cos(math.pi * share))
    return stage.learning_rate * (stage.floor + (1 - stage.floor) * cosine)
