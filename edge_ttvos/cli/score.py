"""``edge-ttvos score``: J&F of anybody's ``<sequence>/*.png``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.options import JsonOption, OverwriteOption, QuietOption, VerboseOption, screen
from edge_ttvos.cli.record import recorded
from edge_ttvos.evaluation.datasets import DATASETS, Dataset, open_dataset, parse_sequences
from edge_ttvos.evaluation.report import Report, SequenceScore
from edge_ttvos.evaluation.score import require_predictions, score_each
from edge_ttvos.evaluation.table import COLUMNS, table_rows
from edge_ttvos.firmware_bridge.output import prepare_folder
from edge_ttvos.firmware_bridge.protocol import bare_protocol

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
    check_kind(dataset)
    config = ScoreConfig(predictions, dataset, root, sequences, out, overwrite)
    with screen(json, verbose, quiet) as show:
        run(config, show)


def run(config: ScoreConfig, show: Screen) -> Report:
    """Score, keep ``eval.json`` true whatever happens, show the table."""
    dataset = chosen(config.dataset, config.root, config.sequences)
    require_predictions(dataset, config.predictions)
    prepare_folder(config.out, (RESULT,), config.overwrite)
    protocol = bare_protocol(dataset=dataset.kind, predictions=config.predictions.resolve().name)
    done: list[SequenceScore] = []

    def report(why: str | None = None) -> Report:
        return Report(tuple(done), protocol, why)

    with (
        recorded(show, config.out / RESULT, lambda why: report(why).to_json()),
        show.progress("score") as line,
    ):
        for score in score_each(dataset, config.predictions, line.update):
            done.append(score)
    show_report(report(), dataset.kind, show)
    return report()


def check_kind(kind: str) -> None:
    """Raise typer.BadParameter unless there is such a kind of data set."""
    if kind not in DATASETS:
        raise typer.BadParameter(
            f"{kind!r}: expected one of {', '.join(DATASETS)}", param_hint="--dataset"
        )


def chosen(kind: str, root: Path, sequences: str | None) -> Dataset:
    """The data set, or the sequences of it that were asked for."""
    return open_dataset(kind, root, None if sequences is None else parse_sequences(sequences))


def show_report(report: Report, title: str, show: Screen) -> None:
    """The table of sequences, and what counted as empty."""
    rows = [row.cells() for row in table_rows(report)]
    show.table(f"{title}, percent", COLUMNS, rows, total=True)
    if report.missing:
        show.say(
            f"{len(report.missing)} predicted frames are missing and counted as empty, such as "
            f"{report.missing[0]}"
        )
    for sequence in report.sequences:
        if sequence.unknown:
            show.say(
                f"{sequence.name}: values {', '.join(map(str, sequence.unknown))} are no object's "
                "id and counted as background"
            )
