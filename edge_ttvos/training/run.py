"""The training loop: stages of a recipe, checkpoints on the way, resumable after a kill."""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edge_ttvos.data.pool import Pool
from edge_ttvos.errors import OutputError, TrainingError
from edge_ttvos.files import write_bytes
from edge_ttvos.network.checkpoint import Checkpoint, save_checkpoint
from edge_ttvos.network.config import PRESETS
from edge_ttvos.network.losses import TransitionHead
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.training.batches import Batch, loader
from edge_ttvos.training.interrupt import interrupt_held
from edge_ttvos.training.objective import Loss, clip_loss
from edge_ttvos.training.recipe import Recipe, Stage

WARMUP = 100  # steps at a stage's start
SAVE_EVERY = 300.0  # seconds
LOG_EVERY = 20  # steps
FILES = ("model.safetensors", "state.pt", "log.jsonl")  # what a run leaves in its folder


@dataclass(frozen=True)
class Progress:
    """What a listener hears after each step."""

    step: int
    steps: int
    stage: str
    loss: Loss


class Trainer:
    """One run: the network, its moving average, the optimizer and the step it stands at.

    Args:
        recipe: what to do.
        folder: of the run.
        start: weights to begin with; None: random ones.

    Raises:
        TrainingError: ``start`` is another network than the recipe's.
    """

    def __init__(self, recipe: Recipe, folder: Path, start: Checkpoint | None = None) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.folder = folder
        self.step = 0
        self.seconds = 0.0
        self.start = None if start is None else start.sha256
        self.network = TTVOS(PRESETS[recipe.network])
        if start is not None:
            if start.network.config != self.network.config:
                raise TrainingError(
                    f"recipe {recipe.name} trains network {recipe.network!r}; the model to start "
                    f"from is {start.network.config.name!r}: give one of the recipe's network"
                )
            self.network.load_state_dict(start.network.state_dict())
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.transition = TransitionHead()
        self.average = torch.optim.swa_utils.AveragedModel(
            self.network,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.ema),  # type: ignore[no-untyped-call]
            use_buffers=True,
        )
        self.optimizer = torch.optim.AdamW(self._groups(), lr=1.0)

    def _groups(self) -> list[dict[str, Any]]:
        parameters = [*self.network.parameters(), *self.transition.parameters()]
        return [
            {
                "params": [p for p in parameters if p.ndim > 1],
                "weight_decay": self.recipe.weight_decay,
            },
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]

    @property
    def state_path(self) -> Path:
        """Where the resumable state stands."""
        return self.folder / "state.pt"

    @property
    def model_path(self) -> Path:
        """Where the shippable weights stand: the moving average."""
        return self.folder / "model.safetensors"

    def fit(self, pool: Pool, listen: Callable[[Progress], None] = lambda progress: None) -> None:
        """Train from the current step to the recipe's end; saves on the way, and when interrupted.

        Raises:
            TrainingError: loss or gradient became NaN or infinite; the last checkpoint is from
                before it.
            OutputError: a checkpoint cannot be written; the last one is untouched.
            KeyboardInterrupt: after the step that was under way, saved.
        """
        saved = begun = time.monotonic()
        before = self.seconds
        with interrupt_held() as interrupted:
            for batch in loader(pool, self.recipe, self.step, workers=1):
                stage, within = self.recipe.locate(self.step)
                loss = self.advance(batch, stage, within)
                self.step += 1
                self.seconds = before + time.monotonic() - begun
                self._log(stage, loss)
                listen(Progress(self.step, self.recipe.steps, stage.name, loss))
                due = within + 1 == stage.steps or time.monotonic() - saved > SAVE_EVERY
                if due or interrupted():
                    self.save()
                    saved = time.monotonic()
                if interrupted():
                    raise KeyboardInterrupt

    def advance(self, batch: Batch, stage: Stage, within: int) -> Loss:
        """One optimizer step."""
        self._set_mode(stage)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(stage, within)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            loss = clip_loss(self.network, self.transition, batch, self.recipe, stage)
        self._require_finite("loss", loss.total, batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(
            [*self.network.parameters(), *self.transition.parameters()], self.recipe.clip_norm
        )
        self._require_finite("gradient", norm, batch)
        self.optimizer.step()
        self.average.update_parameters(self.network)
        return loss

    def _require_finite(self, what: str, value: Tensor, batch: Batch) -> None:
        if torch.isfinite(value):
            return
        kept = "is from before it" if self.state_path.exists() else "was not written yet"
        raise TrainingError(
            f"the {what} became {value.item()} at step {self.step} (clips "
            f"{', '.join(batch.names)}); {self.state_path} {kept}: look at these clips, or lower "
            "the learning rate and train into another --out"
        )

    def _set_mode(self, stage: Stage) -> None:
        self.network.train()
        if stage.freeze_batchnorm:
            for module in self.network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    def save(self) -> None:
        """Write the resumable state and the shippable weights, each whole or not at all."""
        state = {
            "recipe": json.dumps(self.recipe.as_dict()),
            "start": self.start,
            "step": self.step,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "transition": self.transition.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_bytes(self.state_path, buffer.getvalue())
        stage, _ = self.recipe.locate(max(0, self.step - 1))
        origin = {
            "recipe": self.recipe.as_dict(),
            "start": self.start,
            "step": self.step,
            "hours": round(self.seconds / 3600, 3),
        }
        shipped = self.average.module
        assert isinstance(shipped, TTVOS)
        save_checkpoint(self.model_path, shipped, stage.size, origin)

    def resume(self) -> None:
        """Go on from the folder's state.

        Raises:
            TrainingError: there is none, it is unreadable, or it belongs to another recipe.
        """
        try:
            state = torch.load(self.state_path, weights_only=True)
        except FileNotFoundError as error:
            raise TrainingError(f"nothing to resume: {self.state_path} does not exist") from error
        except Exception as error:
            raise TrainingError(f"{self.state_path} cannot be read: {_line(error)}") from error
        try:
            recipe = json.loads(state["recipe"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise TrainingError(f"{self.state_path} is not the state of a training run") from error
        if recipe != json.loads(json.dumps(self.recipe.as_dict())):
            raise TrainingError(
                f"{self.state_path} belongs to another recipe than {self.recipe.name}: give the "
                "one it was started with, or another --out"
            )
        try:
            self._restore(state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise TrainingError(
                f"{self.state_path} does not fit this version's network: {_line(error)}"
            ) from error

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.transition.load_state_dict(state["transition"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.start = state["step"], state["seconds"], state["start"]

    def summary(self) -> dict[str, Any]:
        """The run in short, for machines."""
        return {
            "schema": 1,
            "complete": self.step == self.recipe.steps,
            "model": str(self.model_path),
            "steps": self.step,
            "hours": round(self.seconds / 3600, 3),
            "protocol": {"recipe": self.recipe.name, "seed": self.recipe.seed},
        }

    def _log(self, stage: Stage, loss: Loss) -> None:
        if self.step % LOG_EVERY:
            return
        line = {
            "step": self.step,
            "stage": stage.name,
            "seconds": round(self.seconds, 1),
            **{key: round(value.item(), 5) for key, value in vars(loss).items()},
        }
        path = self.folder / "log.jsonl"
        try:
            with path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}") from error


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def learning_rate(stage: Stage, within: int) -> float:
    """Linear warm-up, then a cosine from the stage's peak to ``floor`` of it."""
    if within < WARMUP:
        return stage.learning_rate * (within + 1) / WARMUP
    share = (within - WARMUP) / max(1, stage.steps - WARMUP)
    cosine = 0.5 * (1 + math.cos(math.pi * share))
    return stage.learning_rate * (stage.floor + (1 - stage.floor) * cosine)
