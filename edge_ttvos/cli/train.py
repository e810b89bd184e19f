"""``edge-ttvos train``: a recipe, from the first step or from where it stopped."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import reason
from edge_ttvos.cli.host import host_modules
from edge_ttvos.cli.options import JsonOption, OverwriteOption, QuietOption, VerboseOption, screen
from edge_ttvos.errors import OutputError
from edge_ttvos.firmware_bridge.machine import device
from edge_ttvos.firmware_bridge.output import prepare_folder
from edge_ttvos.firmware_bridge.protocol import bare_protocol
from edge_ttvos.weights import find_checkpoint

MODULES = ("training.run", "training.recipe", "training.world", "data.pool", "network.checkpoint")


@dataclass(frozen=True)
class TrainConfig:
    """What ``train`` was asked for."""

    recipe: str
    data: Path
    out: Path
    model: str | None
    resume: bool
    tensorboard: bool
    overwrite: bool


def train(
    recipe: Annotated[
        str, typer.Option("--recipe", metavar="NAME|FILE", help="A shipped recipe or a .toml file.")
    ],
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The data folder.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Checkpoints and log.")],
    model: Annotated[
        str | None, typer.Option("--model", metavar="M", help="Start from these weights.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also write TensorBoard's files into --out.")
    ] = False,
    overwrite: OverwriteOption = False,
    json: JsonOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Train a network by a recipe; interrupt and --resume at any time."""
    config = TrainConfig(recipe, data, out, model, resume, tensorboard, overwrite)
    first = os.environ.get("RANK", "0") == "0"  # of torchrun's processes one speaks
    with screen(json if first else None, verbose, quiet or not first) as show:
        run(config, show)


def run(config: TrainConfig, show: Screen) -> None:
    """Train to the recipe's end; leaves model.safetensors, state.pt and log.jsonl in ``out``."""
    training, recipes, worlds, pools, checkpoints = host_modules("training", *MODULES)
    recipe = recipes.load_recipe(config.recipe)
    path = None if config.model is None else find_checkpoint(config.model)
    start = None if path is None else checkpoints.load_checkpoint(path)
    kept = (config.recipe,) if path is None else (config.recipe, path)
    with show.progress("read data") as line:
        pool = pools.load_pool(config.data, line.update)
    with worlds.joined_world() as world:
        if world.first and not config.resume:
            prepare_folder(config.out, training.FILES, config.overwrite, keep=kept)
        world.wait()
        trainer = training.Trainer(recipe, config.out, start, world, config.tensorboard)
        if config.resume:
            trainer.resume()
        fit(trainer, pool, show)


def fit(trainer: Any, pool: Any, show: Screen) -> None:
    """Train and say how it went, whatever happens."""
    recipe = trainer.recipe
    try:
        with show.progress(f"train {recipe.name}") as line:
            trainer.fit(
                pool,
                lambda now: line.update(
                    now.step / now.steps, f"{now.stage} J {now.values['accuracy']:.2f}"
                ),
            )
    except BaseException as error:
        with suppress(OutputError):  # the error that is under way matters more
            show.result(summary(trainer, reason(error)))
        raise
    show.result(summary(trainer))
    show.say(f"{trainer.model_path}: {trainer.step} steps in {trainer.seconds / 3600:.2f} h")


def summary(trainer: Any, why: str | None = None) -> dict[str, Any]:
    """The run in short; ``why`` it is not complete."""
    recipe = trainer.recipe
    return {
        "schema": 1,
        "complete": why is None,
        **({} if why is None else {"reason": why}),
        "model": str(trainer.model_path),
        "steps": trainer.step,
        "steps_wanted": recipe.steps,
        "hours": round(trainer.seconds / 3600, 3),
        "protocol": bare_protocol(
            device=device(),
            seed=recipe.seed,
            model=recipe.network,
            recipe=recipe.name,
            processes=trainer.world.size,
        ),
    }
