"""``edge-ttvos eval``: track a data set's sequences and score them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.options import (
    EngineOption,
    JsonOption,
    ModelOption,
    OverwriteOption,
    QuietOption,
    SizeOption,
    ThreadsOption,
    VerboseOption,
    engine_options,
    screen,
)
from edge_ttvos.cli.process import held
from edge_ttvos.cli.record import recorded
from edge_ttvos.cli.score import (
    RESULT,
    DatasetOption,
    OutOption,
    RootOption,
    SequencesOption,
    check_kind,
    chosen,
    show_report,
)
from edge_ttvos.cli.speed import show_model, show_speed
from edge_ttvos.evaluation.datasets import Dataset
from edge_ttvos.evaluation.report import Report, SequenceScore
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.evaluate import Evaluation, Init
from edge_ttvos.firmware_bridge.evaluate import evaluate as evaluate_dataset
from edge_ttvos.firmware_bridge.latency import Latencies
from edge_ttvos.firmware_bridge.output import prepare_folder
from edge_ttvos.firmware_bridge.protocol import protocol
from edge_ttvos.firmware_bridge.tracker import Tracker

MASKS = "masks"


@dataclass(frozen=True)
class EvalConfig:
    """What ``eval`` was asked for."""

    dataset: str
    root: Path
    sequences: str | None
    init: Init
    model: str
    engine: str | None
    options: EngineOptions
    out: Path
    overwrite: bool


def evaluate(
    dataset: DatasetOption,
    root: RootOption,
    out: OutOption,
    sequences: SequencesOption = None,
    init: Annotated[
        str, typer.Option("--init", metavar="mask|box", help="How objects are given.")
    ] = "mask",
    model: ModelOption = "default",
    engine: EngineOption = None,
    size: SizeOption = None,
    threads: ThreadsOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Track a data set's sequences and score the masks: J&F by sequence, and speed."""
    if init not in ("mask", "box"):
        raise typer.BadParameter(f"{init!r}: expected mask or box", param_hint="--init")
    check_kind(dataset)
    config = EvalConfig(
        dataset,
        root,
        sequences,
        "box" if init == "box" else "mask",
        model,
        engine,
        engine_options(size, threads),
        out,
        overwrite,
    )
    with screen(json, verbose, quiet) as show:
        run(config, show)


def run(config: EvalConfig, show: Screen) -> Report:
    """Track and score each sequence, keep ``eval.json`` true whatever happens, show the table."""
    dataset = chosen(config.dataset, config.root, config.sequences)
    slots = most_objects(dataset)
    with held():
        tracker = Tracker.open(config.model, config.engine, slots, config.options)
    latencies, done = Latencies(), list[SequenceScore]()

    def record(why: str | None) -> dict[str, Any]:
        return result(Report(tuple(done), reason=why), tracker, config, latencies)

    with closing(tracker):
        prepare_folder(
            config.out, (MASKS, RESULT), config.overwrite, keep=(config.root, config.model)
        )
        task = Evaluation(dataset, config.init, config.out / MASKS)
        show_model(show, tracker)
        with recorded(show, config.out / RESULT, record), show.progress("eval") as line:
            for score in evaluate_dataset(
                tracker, task, latencies, lambda name, share: line.update(share, name)
            ):
                done.append(score)
        report = Report(tuple(done))
        show_report(report, f"{config.dataset}, {config.init} init", show)
        show_speed(show, record(None))
    return report


def most_objects(dataset: Dataset) -> int:
    """Objects of the data set's largest sequence: the slots that the tracker needs."""
    return max(len(sequence.objects) for sequence in dataset)


def result(
    report: Report, tracker: Tracker, config: EvalConfig, latencies: Latencies
) -> dict[str, Any]:
    """The content of eval.json, speed included."""
    record = report.to_json()
    counted = record.pop("protocol")
    return {
        **record,
        **latencies.to_json(),
        "protocol": {
            "dataset": config.dataset,
            "init": config.init,
            **protocol(tracker),
            "frames_timed": latencies.frames,
            **counted,
        },
    }
