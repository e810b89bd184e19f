"""The paper's Table 3 in small: what each part of the network gives, trained on one fixed budget.

    python benchmarks/table3.py --data DATA --out DIR [--backbone M] [--steps 240] [--seed 0 ...]

``DATA`` is a folder as in docs/how-to/train.md with ``davis2016/`` beside it. Each row is trained
from the same backbone (``--backbone``: of these weights; without it all begins from nothing), then
scored on the six training sequences set aside and on the open ones of DAVIS-2016. Exp4 is Exp6
started from a box. Stop it and start it again as you like: what is done is kept. Leaves
``table3.md``, ``table3.json`` and a folder for each run in DIR.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import guarded
from edge_ttvos.data.material import HELD_OUT, SEQUENCES
from edge_ttvos.data.pool import Pool, load_pool
from edge_ttvos.evaluation.datasets import open_dataset
from edge_ttvos.evaluation.report import Report
from edge_ttvos.files import write_bytes, write_json
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.evaluate import Evaluation, Init, evaluate
from edge_ttvos.firmware_bridge.latency import Latencies
from edge_ttvos.firmware_bridge.output import make_folder
from edge_ttvos.firmware_bridge.protocol import bare_protocol
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.network.checkpoint import Checkpoint, load_checkpoint
from edge_ttvos.training.recipe import Recipe
from edge_ttvos.training.run import Trainer
from edge_ttvos.training.stage import Stage
from edge_ttvos.weights import find_checkpoint

SETS = ("set aside", "open ten")  # the six set aside, and the validation sequences


@dataclass(frozen=True)
class Row:
    """An experiment of Table 3: what is switched off, and the paper's DAVIS-2016 figure.

    Attributes:
        run: name of the training run that it scores.
        marks: SM, LM, Lup, TC and M, as the paper prints them.
    """

    name: str
    run: str
    marks: str
    paper: float
    without: tuple[Literal["short_term", "long_term", "update"], ...] = ()
    consistency: bool = True
    init: Init = "mask"


ROWS = (
    Row("Exp1", "exp1", "o - - - o", 75.9, ("long_term",), consistency=False),
    Row("Exp2", "exp2", "- o o - o", 78.8, ("short_term",), consistency=False),
    Row("Exp3", "exp3", "o o o - o", 77.1, consistency=False),
    Row("Exp4", "exp6", "o o o o -", 77.6, init="box"),
    Row("Exp5", "exp5", "o o - o o", 77.4, ("update",)),
    Row("Exp6", "exp6", "o o o o o", 79.5),
)


def recipe_of(row: Row, seed: int, steps: int, backbone: bool) -> Recipe:
    """The fixed budget: 128×224, clips of four frames, six a step."""
    stage = Stage(
        "only", steps, (128, 224), frames=4, batch=6, stills=0.7, learning_rate=1.5e-3, floor=0.1
    )
    return Recipe(
        row.run,
        "release",
        (stage,),
        without=row.without,
        take="backbone" if backbone else "network",
        seed=seed,
        ema=0.98,
        temporal_weight=5.0 if row.consistency else 0.0,
    )


def table3(
    data: Annotated[Path, typer.Option("--data", help="The data folder.")],
    out: Annotated[Path, typer.Option("--out", help="Runs and table.")],
    backbone: Annotated[
        str | None, typer.Option("--backbone", help="Weights to take it of.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1)] = 240,
    seed: Annotated[list[int] | None, typer.Option("--seed")] = None,
    row: Annotated[
        list[str] | None, typer.Option("--row", help="Such as Exp6; default: all.")
    ] = None,
    threads: int = 1,
) -> None:
    """Train and score every row that is not done yet; write the table after each."""
    torch.set_num_threads(threads)
    seeds = tuple(seed or [0])
    rows = [each for each in ROWS if row is None or each.name in row]
    start = None if backbone is None else load_checkpoint(find_checkpoint(backbone))
    show, results = Screen(None), _kept(out / "table3.json")
    pool = None
    for number in seeds:
        for each in rows:
            recipe = recipe_of(each, number, steps, start is not None)
            folder = make_folder(out / f"{each.run}-{number}")
            if not _trained(folder, recipe, start):
                pool = pool or load_pool(data)
                _train(recipe, folder, start, pool, show)
            scores = results.setdefault(each.name, {}).setdefault(str(number), {})
            for name, dataset in _datasets(data):
                if name not in scores:
                    scores[name] = score(folder, each.init, dataset, threads)
                    _write(out, results, start, steps)
    show.say(f"{out / 'table3.md'}")


def _datasets(data: Path) -> Iterator[tuple[str, Any]]:
    yield SETS[0], open_dataset("davis2016", data / SEQUENCES, HELD_OUT)
    yield SETS[1], open_dataset("davis2016", data / "davis2016")


def _trained(folder: Path, recipe: Recipe, start: Checkpoint | None) -> bool:
    trainer = Trainer(recipe, folder, start)
    if not trainer.state_path.exists():
        return False
    trainer.resume()
    return trainer.step == recipe.steps


def _train(
    recipe: Recipe, folder: Path, start: Checkpoint | None, pool: Pool, show: Screen
) -> None:
    trainer = Trainer(recipe, folder, start)
    if trainer.state_path.exists():
        trainer.resume()
    with show.progress(f"train {folder.name}") as line:
        trainer.fit(pool, lambda now: line.update(now.step / now.steps))


def score(run: Path, init: Init, dataset: Any, threads: int) -> float | None:
    """J&F in percent of a run's weights at the size they were trained at."""
    options = EngineOptions(None, threads)
    tracker = Tracker.open(str(run), "torch", 1, options)
    masks = run / f"masks-{init}"
    done = evaluate(tracker, Evaluation(dataset, init, masks), Latencies())
    figure: float | None = Report(tuple(done)).to_json()["J&F"]
    return figure


def _kept(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return kept


def _write(out: Path, results: dict[str, Any], start: Checkpoint | None, steps: int) -> None:
    protocol = bare_protocol(
        resolution="128x224", engine="torch", backbone=start and start.sha256, steps=steps
    )
    write_json(out / "table3.json", {"schema": 1, "rows": results, "protocol": protocol})
    write_bytes(out / "table3.md", markdown(results).encode())


def markdown(results: dict[str, Any]) -> str:
    """The table: J&F by seed, and their means, beside the paper's."""
    lines = [
        f"| Exp | SM LM Lup TC M | six {SETS[0]} | {SETS[1]} | paper, all twenty |",
        "|---|---|---:|---:|---:|",
    ]
    for row in ROWS:
        if by_seed := results.get(row.name):
            cells = [_cell([scores.get(name) for scores in by_seed.values()]) for name in SETS]
            name = row.name.removeprefix("Exp")
            lines.append(f"| {name} | {row.marks} | {' | '.join(cells)} | {row.paper} |")
    return "\n".join(lines) + "\n"


def _cell(figures: list[float | None]) -> str:
    known = [figure for figure in figures if figure is not None]
    if not known:
        return "—"
    each = ", ".join(f"{figure:.1f}" for figure in known)
    return each if len(known) == 1 else f"{statistics.mean(known):.1f} ({each})"


if __name__ == "__main__":
    typer.run(guarded(table3))
