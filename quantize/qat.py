"""Quantization-aware training: the codes' errors of one frame are met again in the next."""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edge_ttvos.contracts import FrameSpec
from edge_ttvos.data.pool import Pool
from edge_ttvos.errors import QuantizationError, TrainingError
from edge_ttvos.files import write_bytes
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.network.folding import fold_batchnorm
from edge_ttvos.network.hrnet import Features
from edge_ttvos.network.losses import bootstrapped_cross_entropy, soft_jaccard_each
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.quantize.lower import lower
from edge_ttvos.quantize.network import SimulatedNetwork
from edge_ttvos.quantize.recipe import Recipe, Training, as_dict
from edge_ttvos.quantize.scheme import Scheme
from edge_ttvos.quantize.simulation import Simulation
from edge_ttvos.quantize.weights import QuantizedKernels
from edge_ttvos.training.batches import Batch, Batches, Span, made_ahead
from edge_ttvos.training.interrupt import interrupt_held
from edge_ttvos.training.objective import started
from edge_ttvos.training.recipe import Recipe as TrainingRecipe
from edge_ttvos.training.stage import Stage

STATE = "qat.pt"  # resumable, in the folder of the run
SAVE_EVERY = 300.0  # seconds
FLOOR = 0.05  # of the peak learning rate, at the end
WARMUP = 50  # steps
CLIP_NORM = 1.0
HARD_PIXELS = 0.5

Progress = Callable[[float, str], None]


class QatTrainer:
    """Trains kernels and biases; the scales of values stay as calibrated.

    Args:
        checkpoint: the float network: where training begins, and the teacher.
        scheme: scales of values.
        recipe: bits and training plan.
        folder: of the run.
    """

    def __init__(
        self, checkpoint: Checkpoint, scheme: Scheme, recipe: Recipe, folder: Path
    ) -> None:
        plan, network = recipe.training, checkpoint.network
        self.recipe, self.folder, self.step = recipe, folder, 0
        self.origin = checkpoint.sha256
        graphs = lower(network, FrameSpec(*plan.size))
        self.kernels = QuantizedKernels.from_graphs(graphs, recipe)
        simulation = Simulation(graphs, self.kernels, scheme)
        self.student = SimulatedNetwork(network.config, simulation, network.box_head)
        self.teacher = fold_batchnorm(network)
        self.teacher.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(self.kernels.parameters(), lr=1.0, weight_decay=0.0)

    @property
    def state_path(self) -> Path:
        """Where the resumable state stands."""
        return self.folder / STATE

    def fit(self, pool: Pool, progress: Progress = lambda share, what: None) -> None:
        """Train to the plan's end; saves every five minutes, and when interrupted.

        Raises:
            TrainingError: the loss or its gradient became NaN; the last state is from before it.
            OutputError: the state cannot be written.
            KeyboardInterrupt: after the step that was under way, saved.
        """
        steps, saved = self.recipe.training.steps, time.monotonic()
        with interrupt_held() as interrupted:
            clips = Batches(pool, clip_recipe(self.recipe), Span(self.step, steps))
            for (batch,) in made_ahead(clips, workers=1):
                loss = self.advance(batch)
                self.step += 1
                progress(self.step / steps, f"loss {loss:.3f}")
                late = time.monotonic() - saved > SAVE_EVERY
                if late or interrupted() or self.step == steps:
                    self.save()
                    saved = time.monotonic()
                if interrupted():
                    raise KeyboardInterrupt

    def advance(self, batch: Batch) -> float:
        """One optimizer step; its loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        plan = self.recipe.training
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.bfloat16):
            loss = distilled(self.student, self.teacher, batch, plan)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.kernels.parameters(), CLIP_NORM)
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            raise TrainingError(
                f"the loss or its gradient became NaN at step {self.step} (clips "
                f"{', '.join(batch.names)}); {self.state_path}, where there is one, is from before "
                "it. Lower training.learning_rate in the recipe"
            )
        self.optimizer.step()
        return float(loss.detach())

    def save(self) -> None:
        """Write the resumable state, whole or not at all."""
        state = {
            "recipe": json.dumps(as_dict(self.recipe)),
            "model": self.origin,
            "step": self.step,
            "kernels": self.kernels.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_bytes(self.state_path, buffer.getvalue())

    def resume(self) -> None:
        """Go on from the folder's state.

        Raises:
            QuantizationError: it is unreadable, or of another recipe or model.
        """
        try:
            state: dict[str, Any] = torch.load(self.state_path, weights_only=True)
            recipe, model = json.loads(state["recipe"]), state["model"]
        except Exception as error:
            line = (str(error).splitlines() or [type(error).__name__])[0]
            raise QuantizationError(f"{self.state_path} cannot be resumed: {line}") from error
        if recipe != json.loads(json.dumps(as_dict(self.recipe))) or model != self.origin:
            raise QuantizationError(
                f"{self.state_path} belongs to another recipe or model: give the same --recipe, "
                "--bits and --model, or another --out"
            )
        self.kernels.load_state_dict(state["kernels"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]

    def _rate(self) -> float:
        plan = self.recipe.training
        if self.step < WARMUP:
            return plan.learning_rate * (self.step + 1) / WARMUP
        share = (self.step - WARMUP) / max(1, plan.steps - WARMUP)
        return plan.learning_rate * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * share)))


def distilled(student: TTVOS, teacher: TTVOS, batch: Batch, plan: Training) -> Tensor:
    """Mean loss of a clip's frames: as the float network has it, and as annotated.

    Both roll out by themselves from the same first mask or box: each meets its own errors.
    """
    truth = batch.masks.flatten(0, 1).float()
    with torch.no_grad():
        wanted_maps, wanted = _rollout(teacher, batch)
    maps, found = _rollout(student, batch)
    total = plan.distillation * _distance(maps, wanted_maps)
    for t, (logits, float_logits) in enumerate(zip(found, wanted, strict=True), start=1):
        logits, target = logits.float(), float_logits.float().softmax(dim=1)
        loss = plan.distillation * F.cross_entropy(logits, target)
        if plan.supervision:
            foreground = logits.softmax(dim=1)[:, 1]
            annotated = bootstrapped_cross_entropy(logits, truth[:, t], HARD_PIXELS)
            annotated = annotated + soft_jaccard_each(foreground, truth[:, t]).mean()
            loss = loss + plan.supervision * annotated
        total = total + loss / len(found)
    return total


def _distance(maps: Features, wanted: Features) -> Tensor:
    """Squared error of the three feature maps against the squares of those wanted; their mean."""
    errors = [
        (map_.float() - target.float()).square().mean() / target.float().square().mean()
        for map_, target in zip(maps, wanted, strict=True)
    ]
    return torch.stack(errors).mean()


def _rollout(network: TTVOS, batch: Batch) -> tuple[Features, list[Tensor]]:
    """Features of all frames, and logits (clips, 2, h, w) of every frame after the first."""
    clips, length = batch.frames.shape[:2]
    maps = network.encode(batch.frames.flatten(0, 1).permute(0, 3, 1, 2).float())
    by_time = [
        Features(*(m.view(clips, length, *m.shape[1:])[:, t] for m in maps)) for t in range(length)
    ]
    state, _ = started(network, by_time[0], batch)
    found = []
    for features in by_time[1:]:
        output, state = network.step(features, state)
        found.append(output.logits)
    return maps, found


def clip_recipe(recipe: Recipe) -> TrainingRecipe:
    """The plan as the training data's makers want it."""
    plan = recipe.training
    stage = Stage(
        "qat", plan.steps, plan.size, plan.frames, plan.batch, plan.stills, freeze_batchnorm=True
    )
    return TrainingRecipe(f"qat-{recipe.bits}", "release", (stage,), recipe.seed)
