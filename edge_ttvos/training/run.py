"""The training loop: stages of a recipe, checkpoints on the way, resumable after a kill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from torch.utils.data import Dataset

from edge_ttvos.data.pool import Pool
from edge_ttvos.errors import TrainingError
from edge_ttvos.firmware_bridge.output import make_folder
from edge_ttvos.network.checkpoint import Checkpoint, save_checkpoint
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.origin import commit
from edge_ttvos.training.batches import (
    Batches,
    MicroBatches,
    PlannedBatches,
    Span,
    made_ahead,
    worker_count,
)
from edge_ttvos.training.difficulty import REFRESH
from edge_ttvos.training.interrupt import interrupt_held
from edge_ttvos.training.journal import CURVES, LOG, LOG_EVERY, Journal
from edge_ttvos.training.learner import Learner, NotFiniteError
from edge_ttvos.training.recipe import Recipe
from edge_ttvos.training.saving import first_line, read_state, write_state
from edge_ttvos.training.stage import Stage
from edge_ttvos.training.world import ALONE, World

SAVE_EVERY = 300.0  # seconds
MODEL, STATE = "model.safetensors", "state.pt"
STAGES = "stages"  # the weights as each stage left them: a later one may lose what one won
BOX_HEAD = "box_head.leave.bias"  # in a state: the weights that it began with had a box head
FILES = (MODEL, STATE, LOG, CURVES, STAGES)  # what a run leaves in its folder


@dataclass(frozen=True)
class Progress:
    """What a listener hears after each step: ``values`` are the loss, its terms and J, by name."""

    step: int
    steps: int
    stage: str
    values: Mapping[str, float]


class Trainer:
    """One run: what learns, the step it stands at, and its folder.

    Args:
        recipe: what to do.
        folder: of the run.
        start: weights to begin with; None: random ones.
        world: the processes that train together.
        curves: whether to write TensorBoard's files too.

    Raises:
        TrainingError: ``start`` is another network than the recipe's.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        start: Checkpoint | None = None,
        world: World = ALONE,
        curves: bool = False,
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.world = world
        self.curves = curves
        self.step = 0
        self.seconds = 0.0
        self.start = None if start is None else start.sha256
        self.learner = Learner(recipe, start, world)

    @property
    def state_path(self) -> Path:
        """Where the resumable state stands."""
        return self.folder / STATE

    @property
    def model_path(self) -> Path:
        """Where the shippable weights stand: the moving average."""
        return self.folder / MODEL

    def fit(self, pool: Pool, listen: Callable[[Progress], None] = lambda progress: None) -> None:
        """Train from the current step to the recipe's end; saves on the way, and when interrupted.

        Raises:
            TrainingError: loss or gradient became NaN or infinite; the last checkpoint is from
                before it. Or the pool lacks what a stage needs, or the first stage needs weights to
                start from. Or a process that makes clips was killed.
            OutputError: a checkpoint cannot be written; the last one is untouched.
            KeyboardInterrupt: after the step that was under way, saved.
        """
        _require_material(pool, self.recipe)
        self._require_start()
        saved = begun = time.monotonic()
        before = self.seconds
        journal = Journal(self.folder, self.curves and self.world.first, self.step)
        with closing(journal), interrupt_held() as interrupted:
            for batches in self._feed(pool):
                stage, within = self.recipe.locate(self.step)
                values = self._advance(batches, stage, within)
                self.seconds = before + time.monotonic() - begun
                if self.step % LOG_EVERY == 0 and self.world.first:
                    journal.write(self.step, stage.name, {"seconds": self.seconds, **values})
                listen(Progress(self.step, self.recipe.steps, stage.name, values))
                stop = self.world.agreed(interrupted())
                if stop or within + 1 == stage.steps or time.monotonic() - saved > SAVE_EVERY:
                    self.save()
                    saved = time.monotonic()
                if stop:
                    raise KeyboardInterrupt

    def _require_start(self) -> None:
        first = self.recipe.stages[0]
        if first.kind == "boxes" and self.start is None and not self.step:
            raise TrainingError(
                f"stage {first.name} trains the box head alone, and all other weights are random: "
                "give weights that follow objects with --model, e.g. --model default"
            )

    def _feed(self, pool: Pool) -> Iterator[MicroBatches]:
        """The batches of each step that is left; ``self.step`` moves on between two of them."""
        workers = worker_count(self.world.device)
        kind = PlannedBatches if self.world.device.type == "cuda" else Batches
        while self.step < self.recipe.steps:
            planned: Dataset[MicroBatches] = kind(pool, self.recipe, self._span(pool), self.world)
            yield from made_ahead(planned, workers)

    def _span(self, pool: Pool) -> Span:
        """From here to the stage's end, or to where the odds of hard sources change."""
        stage, within = self.recipe.locate(self.step)
        stop = self.step - within + stage.steps
        if stage.hard_sources == 0:
            return Span(self.step, stop)
        difficulty = self.learner.difficulty
        if self.step % REFRESH == 0:
            difficulty.settle()
        refreshed = self.step - self.step % REFRESH + REFRESH
        return Span(self.step, min(stop, refreshed), difficulty.odds(pool, stage.hard_sources))

    def _advance(self, batches: MicroBatches, stage: Stage, within: int) -> dict[str, float]:
        try:
            values = self.learner.step(batches, stage, within)
        except NotFiniteError as error:
            names = [name for batch in batches for name in batch.names]
            clips = [name for each in self.world.gathered(names) for name in each]
            kept = "is from before it" if self.state_path.exists() else "was not written yet"
            raise TrainingError(
                f"{error} at step {self.step} (clips {', '.join(clips)}); {self.state_path} "
                f"{kept}: look at these clips, or lower the learning rate and train into another "
                "--out"
            ) from error
        self.step += 1
        return values

    def save(self) -> None:
        """Write the resumable state and the shippable weights, each whole or not at all.

        Of several processes the first writes: all have the same.
        """
        if not self.world.first:
            return
        counts = {"start": self.start, "step": self.step, "seconds": self.seconds}
        write_state(self.state_path, self.recipe, {**counts, **self.learner.state_dict()})
        stage, _ = self.recipe.locate(max(0, self.step - 1))
        origin = {
            "recipe": self.recipe.as_dict(),
            "commit": commit(),
            "start": self.start,
            "step": self.step,
            "hours": round(self.seconds / 3600, 3),
        }
        shipped = self.learner.average.module
        assert isinstance(shipped, TTVOS)
        save_checkpoint(self.model_path, shipped, stage.size, origin)
        if (number := self.recipe.ended(self.step)) is not None:
            place = make_folder(self.folder / STAGES) / f"{number}.safetensors"
            save_checkpoint(place, shipped, stage.size, origin)

    def resume(self) -> None:
        """Go on from the folder's state.

        Raises:
            TrainingError: there is none, it is unreadable, it belongs to another recipe, or it
                began with other weights than the ones given.
        """
        state = read_state(self.state_path, self.recipe, self.world.device)
        try:
            if self.start not in (None, state["start"]):
                raise TrainingError(
                    f"{self.state_path} began with {state['start'] or 'random weights'}, the model "
                    f"given is {self.start}: leave --model out, or give another --out"
                )
            if BOX_HEAD in state["network"] and self.learner.network.box_head is None:
                self.learner = Learner(self.recipe, None, self.world, box_head=True)
            self.learner.load_state_dict(state)
            self.step, self.seconds, self.start = state["step"], state["seconds"], state["start"]
        except (KeyError, ValueError, RuntimeError, TypeError) as error:
            raise TrainingError(
                f"{self.state_path} does not fit this version's network: {first_line(error)}"
            ) from error


def _require_material(pool: Pool, recipe: Recipe) -> None:
    for stage in recipe.stages:
        if (stage.kind == "images" or stage.occlusions or stage.departures) and not pool.stills:
            raise TrainingError(
                f"stage {stage.name} needs photographs (kind, occlusions or departures), and the "
                "data folder has no still images: add some, or change the recipe"
            )
