"""A clip unrolled through the network, and what its frames cost."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from edge_ttvos.network.hrnet import Features
from edge_ttvos.network.losses import (
    TransitionHead,
    bootstrapped_cross_entropy,
    soft_jaccard,
    temporal_consistency,
)
from edge_ttvos.network.ttvos import TTVOS, heatmap
from edge_ttvos.training.batches import Batch
from edge_ttvos.training.recipe import Recipe, Stage


@dataclass(frozen=True)
class Loss:
    """Scalars of one step: the terms, their weighted sum, and the rollout's mean J (not a loss)."""

    total: Tensor
    cross_entropy: Tensor
    jaccard: Tensor
    temporal: Tensor
    accuracy: Tensor


def clip_loss(
    network: TTVOS,
    transition: TransitionHead,
    batch: Batch,
    recipe: Recipe,
    stage: Stage,
) -> Loss:
    """Give frame 0 its mask or box; the network carries its own masks on from there (eq. 4, 5)."""
    clips, length = batch.frames.shape[:2]
    features = network.encode(batch.frames.flatten(0, 1).permute(0, 3, 1, 2).float())
    by_time = [
        Features(*(f.view(clips, length, *f.shape[1:])[:, t] for f in features))
        for t in range(length)
    ]
    truth = batch.masks.float()
    state = network.start(by_time[0], batch.given.float())
    terms: list[Tensor] = []
    for t in range(1, length):
        previous = state.masks[:, :2].float()
        target = heatmap(truth[:, t])
        output, state = network.step(by_time[t], state)
        logits = output.logits.float()
        foreground = logits.softmax(dim=1)[:, 1]
        terms.append(
            torch.stack(
                [
                    bootstrapped_cross_entropy(logits, truth[:, t], stage.hard_pixels),
                    soft_jaccard(foreground, truth[:, t]),
                    temporal_consistency(transition(output.similarity).float(), target, previous),
                    1 - soft_jaccard((foreground.detach() > 0.5).float(), truth[:, t]),
                ]
            )
        )
    cross_entropy, jaccard, temporal, accuracy = torch.stack(terms).mean(dim=0)
    total = cross_entropy + recipe.jaccard_weight * jaccard + recipe.temporal_weight * temporal
    return Loss(total, cross_entropy, jaccard, temporal, accuracy.detach())
