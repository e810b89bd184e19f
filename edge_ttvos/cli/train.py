"""``edge-ttvos train``: a recipe, from the first step or from where it stopped."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.options import JsonOption, OverwriteOption, QuietOption, VerboseOption, screen
from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.output import prepare_folder


@dataclass(frozen=True)
class TrainConfig:
    """What ``train`` was asked for."""

    recipe: str
    data: Path
    out: Path
    resume: bool
    overwrite: bool


def train(
    recipe: Annotated[
        str, typer.Option("--recipe", metavar="NAME|FILE", help="A shipped recipe or a .toml file.")
    ],
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The data folder.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Checkpoints and log.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")
    ] = False,
    overwrite: OverwriteOption = False,
    json: JsonOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Train a network by a recipe; interrupt and --resume at any time."""
    run(TrainConfig(recipe, data, out, resume, overwrite), screen(json, verbose, quiet))


def run(config: TrainConfig, show: Screen) -> None:
    """Train to the recipe's end; leaves model.safetensors, state.pt and log.jsonl in ``out``."""
    try:
        training = importlib.import_module("edge_ttvos.training.run")
        recipes = importlib.import_module("edge_ttvos.training.recipe")
        pools = importlib.import_module("edge_ttvos.data.pool")
    except ImportError as error:
        raise EngineError(
            f"training needs {error.name}, which is not installed; type: "
            "pip install 'edge-ttvos[host]'"
        ) from error
    recipe = recipes.load_recipe(config.recipe)
    if not config.resume:
        prepare_folder(config.out, training.FILES, config.overwrite)
    trainer = training.Trainer(recipe, config.out)
    if config.resume:
        trainer.resume()
    with show.progress("read data") as line:
        pool = pools.load_pool(config.data, line.update)
    with show.progress(f"train {recipe.name}") as line:
        trainer.fit(
            pool,
            lambda now: line.update(
                now.step / now.steps, f"{now.stage} J {now.loss.accuracy.item():.2f}"
            ),
        )
    show.result(trainer.summary())
    show.say(f"{trainer.model_path}: {trainer.step} steps in {trainer.seconds / 3600:.2f} h")
