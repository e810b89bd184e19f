"""A batch through the network, and what its frames cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from edge_ttvos.network.hrnet import Features
from edge_ttvos.network.losses import (
    bootstrapped_cross_entropy,
    soft_jaccard_each,
    temporal_consistency,
)
from edge_ttvos.network.ttvos import TTVOS, Output, State, heatmap
from edge_ttvos.training.batches import Batch
from edge_ttvos.training.heads import Heads
from edge_ttvos.training.recipe import Recipe
from edge_ttvos.training.stage import Stage


@dataclass(frozen=True)
class Loss:
    """Scalars of one step: the terms, their weighted sum, and the rollout's mean J (not a loss).

    ``accuracies`` is the mean J of each target over its clip, (B, K).
    """

    total: Tensor
    cross_entropy: Tensor
    jaccard: Tensor
    temporal: Tensor
    auxiliary: Tensor
    accuracies: Tensor

    @property
    def scalars(self) -> dict[str, Tensor]:
        """What a log shows, by name."""
        shown = {key: value for key, value in vars(self).items() if key != "accuracies"}
        return {**shown, "accuracy": self.accuracies.mean()}


def _once(function: Callable[..., Any], *inputs: Any) -> Any:
    return function(*inputs)


def batch_loss(network: TTVOS, heads: Heads, batch: Batch, recipe: Recipe, stage: Stage) -> Loss:
    """The loss of a stage's batch, whatever its kind."""
    of_kind = {"clips": clip_loss, "images": image_loss, "boxes": box_loss}[stage.kind]
    return of_kind(network, heads, batch, recipe, stage)


def image_loss(network: TTVOS, heads: Heads, batch: Batch, recipe: Recipe, stage: Stage) -> Loss:
    """The salient object of single images, by the backbone and a head that is thrown away."""
    features = network.encode(_pixels(batch.frames[:, 0]))
    logits = heads.saliency(features, stage.size).float()
    both = torch.stack([torch.zeros_like(logits), logits], dim=1)
    terms = _mask_terms(both, batch.masks[:, 0, 0].float(), stage)
    return _weighted(terms[:2], torch.zeros(2, device=logits.device), terms[2:, None], recipe)


def box_loss(network: TTVOS, heads: Heads, batch: Batch, recipe: Recipe, stage: Stage) -> Loss:
    """What the box head finds in the boxes of single frames; nothing else of the network learns.

    Outside its box a target is not looked for and costs nothing; each box counts alike.
    """
    objects = batch.masks.shape[1]
    with torch.no_grad():
        (features,) = _encoded(network, batch.frames, objects, None)
    assert network.box_head is not None
    prior = batch.given.flatten(0, 1)
    inside = (prior > 0).float()
    truth = batch.masks[:, :, 0].flatten(0, 1) * inside
    with torch.autocast(prior.device.type, enabled=False):  # small, and computed so on boards
        logit = network.box_head(Features(*(f.float() for f in features)), prior)
    costs = F.binary_cross_entropy_with_logits(logit, truth, reduction="none")
    pixels = inside.flatten(1).sum(dim=1).clamp_min(1)
    cross_entropy = ((costs * inside).flatten(1).sum(dim=1) / pixels).mean()
    found = logit.sigmoid() * inside
    jaccard = soft_jaccard_each(found, truth).mean()
    accuracies = 1 - soft_jaccard_each((found.detach() > 0.5).float(), truth)
    losses = torch.stack([cross_entropy, jaccard])
    return _weighted(losses, torch.zeros_like(losses), accuracies.view(-1, objects), recipe)


def clip_loss(network: TTVOS, heads: Heads, batch: Batch, recipe: Recipe, stage: Stage) -> Loss:
    """Give frame 0 its mask or box; the network carries its own masks on from there (eq. 4, 5).

    What it finds in the first frame's boxes counts too, as much as any other frame of those clips.
    """
    run = _recomputed if stage.recompute else _once
    objects, length = batch.masks.shape[1:3]
    by_time = _encoded(network, batch.frames, objects, run if stage.recompute else None)
    truth = batch.masks.flatten(0, 1).float()
    state, found = started(network, by_time[0], batch, run)
    terms, extras = [], []
    for t in range(1, length):
        previous, target = state.masks[:, :2].float(), heatmap(truth[:, t])
        output, after = run(network.step, by_time[t], state)
        state = held(state, after, output)
        terms.append(_mask_terms(output.logits.float(), truth[:, t], stage))
        extras.append(_similarity_terms(heads, output, target, previous))
    means = torch.stack(terms).mean(dim=0)
    losses = means[:2]
    if found is not None:
        boxed = batch.boxed.flatten()
        share = boxed.float().mean() / len(terms)
        losses = losses + share * _mask_terms(found.float(), truth[boxed, 0], stage)[:2]
    if network.box_head is not None:  # has a gradient in every process, boxes or none
        losses = losses + 0 * sum(p.sum() for p in network.box_head.parameters())
    accuracies = means[2:].view(-1, objects)
    return _weighted(losses, torch.stack(extras).mean(dim=0), accuracies, recipe)


def started(
    network: TTVOS, features: Features, batch: Batch, run: Callable[..., Any] = _once
) -> tuple[State, Tensor | None]:
    """State after frame 0 of each target, and the logits in boxes; None: there is none."""
    given, boxed = batch.given.flatten(0, 1), batch.boxed.flatten()
    state = network.start(features, given)
    if not boxed.any():
        return state, None
    rows = Features(*(f[boxed] for f in features))
    logits, begun = run(network.start_in_box, rows, given[boxed])
    masks = state.masks.index_put((boxed.nonzero()[:, 0],), begun.masks.to(state.masks.dtype))
    return replace(state, masks=masks), logits


def held(before: State, after: State, output: Output) -> State:
    """As the tracker holds it: of a target that is not seen, what was seen last stays."""
    seen = (output.logits[:, 1] > output.logits[:, 0]).flatten(1).any(dim=1)

    def chosen(new: Tensor, old: Tensor) -> Tensor:
        return torch.where(seen.view(-1, *(1,) * (new.ndim - 1)), new, old)

    features = Features(*(map(chosen, after.features, before.features)))
    return replace(after, features=features, masks=chosen(after.masks, before.masks))


def _recomputed(function: Callable[..., Any], *inputs: Any) -> Any:
    """Called again in the backward pass instead of keeping what it computed."""
    return checkpoint(function, *inputs, use_reentrant=False)


def _pixels(frames: Tensor) -> Tensor:
    """(N, H, W, 3) uint8 → (N, 3, H, W) float, channels last in memory."""
    return frames.permute(0, 3, 1, 2).float()


def _encoded(
    network: TTVOS, frames: Tensor, objects: int, one_by_one: Callable[..., Any] | None
) -> list[Features]:
    """Features by time, a row for each target of each clip.

    Of all frames at once, or frame by frame by a function that calls the encoder.
    """
    clips, length = frames.shape[:2]
    if one_by_one is not None:
        maps = [one_by_one(network.encode, _pixels(frames[:, t])) for t in range(length)]
    else:
        features = network.encode(_pixels(frames.flatten(0, 1)))
        shaped = [f.view(clips, length, *f.shape[1:]) for f in features]
        maps = [Features(*(f[:, t] for f in shaped)) for t in range(length)]
    if objects == 1:
        return maps
    return [Features(*(f.repeat_interleave(objects, dim=0) for f in each)) for each in maps]


def _mask_terms(logits: Tensor, truth: Tensor, stage: Stage) -> Tensor:
    """Cross-entropy, soft Jaccard loss, then each clip's J: (2 + B,)."""
    foreground = logits.softmax(dim=1)[:, 1]
    cross_entropy = bootstrapped_cross_entropy(logits, truth, stage.hard_pixels)
    jaccard = soft_jaccard_each(foreground, truth).mean()
    hard = (foreground.detach() > 0.5).float()
    accuracies = 1 - soft_jaccard_each(hard, truth)
    return torch.cat([torch.stack([cross_entropy, jaccard]), accuracies])


def _similarity_terms(heads: Heads, output: Output, target: Tensor, previous: Tensor) -> Tensor:
    """L_tc of eq. (4), and the cross-entropy of the coarse mask read from Sᴸ: (2,)."""
    transition = heads.transition(output.similarity).float()
    coarse = heads.coarse(output.similarity).float()[:, 0]
    return torch.stack(
        [
            temporal_consistency(transition, target, previous),
            F.binary_cross_entropy_with_logits(coarse, target[:, 1]),
        ]
    )


def _weighted(losses: Tensor, extras: Tensor, accuracies: Tensor, recipe: Recipe) -> Loss:
    cross_entropy, jaccard = losses
    temporal, auxiliary = extras
    total = (
        cross_entropy
        + recipe.jaccard_weight * jaccard
        + recipe.temporal_weight * temporal
        + recipe.auxiliary_weight * auxiliary
    )
    return Loss(total, cross_entropy, jaccard, temporal, auxiliary, accuracies.detach())
