"""``edge-ttvos score``: J&F of anybody's ``<sequence>/*.png``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from edge_ttvos import origin
from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import reason
from edge_ttvos.cli.options import JsonOption, OverwriteOption, QuietOption, VerboseOption, screen
from edge_ttvos.evaluation.datasets import Dataset, open_dataset, parse_sequences
from edge_ttvos.evaluation.report import Report, SequenceScore
from edge_ttvos.evaluation.score import score_each
from edge_ttvos.evaluation.table import COLUMNS, table_rows
from edge_ttvos.firmware_bridge.output import prepare_folder

RESULT = "eval.json"

DatasetOption = Annotated[
    str,
    typer.Option("--dataset", metavar="KIND", help="davis2016, davis2017, youtube-vos or folder."),
]
RootOption = Annotated[Path, typer.Option("--root", metavar="DIR", help="The data set's folder.")]
SequencesOption = Annotated[
    str | None,
    typer.Option("--sequences", metavar="a,b|FILE", help="Names, or a file; default: all."),
]
OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where eval.json goes.")]


@dataclass(frozen=True)
class ScoreConfig:
    """What ``score`` was asked for."""

    predictions: Path
    dataset: str
    root: Path
    sequences: str | None
    out: Path
    overwrite: bool


def score(
    predictions: Annotated[
        Path, typer.Option("--predictions", metavar="DIR", help="<sequence>/*.png to score.")
    ],
    dataset: DatasetOption,
    root: RootOption,
    out: OutOption,
    sequences: SequencesOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Score predicted masks against a data set: J, F and J&F by sequence."""
    config = ScoreConfig(predictions, dataset, root, sequences, out, overwrite)
    run(config, screen(json, verbose, quiet))


def run(config: ScoreConfig, show: Screen) -> Report:
    """Score, write ``eval.json`` whatever happens, show the table."""
    dataset = chosen(config.dataset, config.root, config.sequences)
    prepare_folder(config.out, (RESULT,), config.overwrite)
    protocol = {
        "dataset": dataset.kind,
        "predictions": config.predictions.name,
        "timed": None,
        "edge_ttvos": origin.version(),
        "commit": origin.commit(),
    }
    done: list[SequenceScore] = []
    try:
        with show.progress("score") as line:
            done.extend(score_each(dataset, config.predictions, line.update))
    except BaseException as error:
        show.result(Report(tuple(done), protocol, reason(error)).to_json(), config.out / RESULT)
        raise
    report = Report(tuple(done), protocol)
    show.result(report.to_json(), config.out / RESULT)
    show_report(report, dataset.kind, show)
    return report


def chosen(kind: str, root: Path, sequences: str | None) -> Dataset:
    """The data set, or the sequences of it that were asked for."""
    return open_dataset(kind, root, None if sequences is None else parse_sequences(sequences))


def show_report(report: Report, title: str, show: Screen) -> None:
    """The table of sequences, and what counted as empty."""
    rows = [row.cells() for row in table_rows(report)]
    show.table(f"{title}, percent", COLUMNS, rows, total=True)
    if report.missing:
        show.say(f"{len(report.missing)} predicted frames are missing and counted as empty")
