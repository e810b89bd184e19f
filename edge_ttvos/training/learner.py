"""What learns: the network, its moving average, the optimizer, and one step of them. No files."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from edge_ttvos.errors import TrainingError
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.training.batches import Batch, MicroBatches, on_device
from edge_ttvos.training.difficulty import Difficulty
from edge_ttvos.training.heads import Heads
from edge_ttvos.training.objective import Loss, batch_loss
from edge_ttvos.training.recipe import Recipe
from edge_ttvos.training.schedule import learning_rate
from edge_ttvos.training.stage import Stage
from edge_ttvos.training.world import World

PARTS = ("network", "heads", "average", "optimizer", "difficulty")


class NotFiniteError(Exception):
    """Loss or gradient is NaN or infinite; the weights are as they were."""


class Learner:
    """Begins as its arguments say, and learns step by step.

    Args:
        recipe: which network, and how it learns.
        start: weights to begin with; None: random ones.
        world: the processes that learn together.
        box_head: whether there is a box head even where neither recipe nor ``start`` ask for one.

    Raises:
        TrainingError: ``start`` is another network than the recipe's.
    """

    def __init__(
        self, recipe: Recipe, start: Checkpoint | None, world: World, box_head: bool = False
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.world = world
        if start is not None and recipe.take == "network":
            box_head = box_head or start.network.config.box_head
        self.network = TTVOS(replace(recipe.config, box_head=recipe.box_head or box_head))
        if start is not None:
            _take(self.network, start, recipe)
        self.network.to(world.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.heads = Heads().to(world.device)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.network,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.ema),  # type: ignore[no-untyped-call]
            use_buffers=True,
        )
        self.difficulty = Difficulty()
        self.optimizer = torch.optim.AdamW(self._groups(), lr=1.0)

    def _parameters(self) -> list[nn.Parameter]:
        return [*self.network.parameters(), *self.heads.parameters()]

    def _groups(self) -> list[dict[str, Any]]:
        parameters = self._parameters()
        return [
            {
                "params": [p for p in parameters if p.ndim > 1],
                "weight_decay": self.recipe.weight_decay,
            },
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]

    def step(self, batches: MicroBatches, stage: Stage, within: int) -> dict[str, float]:
        """One optimizer step; the gradient is the mean over micro-batches and processes.

        Args:
            batches: this process's micro-batches.
            stage: that the step belongs to.
            within: the step, counted from the stage's first.

        Returns:
            The loss, its terms and J, by name: means over micro-batches and processes.

        Raises:
            NotFiniteError: see there.
        """
        self._prepare(stage, within)
        losses = [self._backward(on_device(b, self.world.device), stage) for b in batches]
        values = self._shared(losses)
        _require_finite("loss", values["total"])
        trained = [p for p in self._parameters() if p.grad is not None]
        self.world.average(p.grad for p in trained if p.grad is not None)
        norm = nn.utils.clip_grad_norm_(trained, self.recipe.clip_norm)
        _require_finite("gradient", norm.item())
        self.optimizer.step()
        self.world.average(self._statistics())
        self.average.update_parameters(self.network)
        if stage.hard_sources:
            self._note(batches, losses)
        return values

    def _prepare(self, stage: Stage, within: int) -> None:
        self.network.train()
        if stage.freeze_batchnorm or stage.kind == "boxes":
            for module in self.network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(stage, within)
        self.optimizer.zero_grad(set_to_none=True)

    def _statistics(self) -> list[Tensor]:
        """What batch normalisation counts while it is trained: each process saw other clips."""
        norms = [m for m in self.network.modules() if isinstance(m, nn.BatchNorm2d) and m.training]
        return [s for n in norms for s in (n.running_mean, n.running_var) if s is not None]

    def _backward(self, batch: Batch, stage: Stage) -> Loss:
        with torch.autocast(self.world.device.type, torch.bfloat16, enabled=self.recipe.bfloat16):
            loss = batch_loss(self.network, self.heads, batch, self.recipe, stage)
        (loss.total / stage.accumulate).backward()  # type: ignore[no-untyped-call]
        return loss

    def _shared(self, losses: list[Loss]) -> dict[str, float]:
        rows = [torch.stack([v.detach() for v in loss.scalars.values()]) for loss in losses]
        mean = torch.stack(rows).mean(dim=0)
        self.world.average([mean])
        return dict(zip(losses[0].scalars, mean.tolist(), strict=True))

    def _note(self, batches: MicroBatches, losses: list[Loss]) -> None:
        """How well each source was followed, whichever process had it, in the samples' order.

        A pasted target says nothing of what it was pasted on.
        """
        names: list[str] = []
        accuracies: list[float] = []
        for index, loss in enumerate(losses):
            batch = batches[index]
            own = batch.own if isinstance(batch, Batch) else batch.target == 0
            names += [batch.names[row] for row in own.nonzero()[:, 0].tolist()]
            accuracies += loss.accuracies[own].tolist()
        for everyone in self.world.gathered((names, accuracies)):
            self.difficulty.note(*everyone)

    def state_dict(self) -> dict[str, Any]:
        """All that learning depends on, by part."""
        return {part: getattr(self, part).state_dict() for part in PARTS}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``.

        Raises:
            KeyError, TypeError, ValueError, RuntimeError: it is not one of this network's.
        """
        for part in PARTS:
            getattr(self, part).load_state_dict(state[part])


def _take(network: TTVOS, start: Checkpoint, recipe: Recipe) -> None:
    """Copy the weights to start from, or the backbone's."""
    if recipe.take == "backbone":
        network.backbone.load_state_dict(start.network.backbone.state_dict())
        return
    config, given = network.config, start.network.config
    if given != replace(config, box_head=given.box_head):
        raise TrainingError(
            f"recipe {recipe.name} trains network {config.name!r}; the model to start from "
            f"is {given.name!r}: give one of the recipe's network, or say "
            'take = "backbone" in the recipe'
        )
    network.load_state_dict(start.network.state_dict(), strict=given == config)


def _require_finite(what: str, value: float) -> None:
    """All processes come to the same judgement: the value is a mean over them."""
    if not math.isfinite(value):
        raise NotFiniteError(f"the {what} became {value}")
