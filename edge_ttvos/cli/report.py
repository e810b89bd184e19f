"""``edge-ttvos report``: accuracy against bit width in one page; two reports side by side."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.options import (
    JsonOption,
    ModelOption,
    OverwriteOption,
    QuietOption,
    VerboseOption,
    parse_size,
    screen,
)
from edge_ttvos.cli.record import recorded
from edge_ttvos.cli.report_tables import compare, host_library, show_points
from edge_ttvos.evaluation.datasets import parse_sequences
from edge_ttvos.firmware_bridge.output import prepare_folder
from edge_ttvos.weights import find_checkpoint

RESULT = "report.json"
FILES = (
    *(RESULT, "report.html", "points.csv", "sensitivity.csv"),
    *("figures", "strips", "points", "parts"),
)
Size = tuple[int, int]


@dataclass(frozen=True)
class ReportConfig:
    """What ``report`` was asked for; None and empty leave it to the library."""

    model: str
    data: Path
    out: Path
    bits: tuple[str, ...]
    full: bool
    qat: tuple[Path, ...]
    recipe: Path | None
    deployable: bool
    max_drop: float
    mixed: str | None
    parts: tuple[str, ...]
    sizes: tuple[Size | None, Size | None]
    sequences: str | None
    jobs: int
    cluster: str | None
    overwrite: bool


def report(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Page, JSON, CSV, figures; goes on there.")
    ],
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[A B]", help="Compare two reports instead of making one."),
    ] = None,
    model: ModelOption = "default",
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Holds davis2016/ and training sequences."),
    ] = None,
    bits: Annotated[
        list[str] | None,
        typer.Option("--bits", metavar="w4a8sfloat", help="These points alone; repeatable."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="The whole grid besides.")] = False,
    qat: Annotated[
        list[Path] | None,
        typer.Option("--qat", metavar="RUN", help="A quantize --method qat folder; repeatable."),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", metavar="FILE", help="What all points share but bits."),
    ] = None,
    deployable: Annotated[
        bool, typer.Option("--deployable", help="Refuse points that no engine can run.")
    ] = False,
    max_drop: Annotated[
        float, typer.Option("--max-drop", metavar="X", help="J&F that mixed precision may lose.")
    ] = 1.0,
    mixed: Annotated[
        str | None,
        typer.Option("--mixed", metavar="BITS", help="Where mixed precision begins."),
    ] = None,
    parts: Annotated[
        str | None,
        typer.Option(
            "--parts", metavar="a,b", help="Of axes,named,sensitivity,mixed,stall,strips,latency."
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="HxW", help="Of the axes; default 240x432.")
    ] = None,
    named_size: Annotated[
        str | None,
        typer.Option("--named-size", metavar="HxW", help="Of named points; default 480x864."),
    ] = None,
    sequences: Annotated[
        str | None,
        typer.Option("--sequences", metavar="a,b|FILE", help="Of the axes; default three."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, help="Processes; default: one a core."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="tcp://…", help="A Dask scheduler in place of --jobs."),
    ] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """How many bits, where, and what each costs in J&F; or two such reports compared."""
    given = folders or []
    if len(given) not in (0, 2):
        raise typer.BadParameter(f"give two folders to compare, or none; got {len(given)}")
    if given:
        with screen(json, verbose, quiet) as show:
            compare(given[0], given[1], out, overwrite, show)
        return
    if data is None:
        raise typer.BadParameter("say where the data is", param_hint="--data")
    config = ReportConfig(
        model,
        data,
        out,
        tuple(bits or ()),
        full,
        tuple(qat or ()),
        recipe,
        deployable,
        max_drop,
        mixed,
        _split(parts),
        (_size(size, "--size"), _size(named_size, "--named-size")),
        sequences,
        jobs or os.cpu_count() or 1,
        cluster,
        overwrite,
    )
    with screen(json, verbose, quiet) as show:
        run(config, show)


def run(config: ReportConfig, show: Screen) -> None:
    """Make it, or go on with it; what is finished stays whatever ends it."""
    library = host_library()
    checkpoint = library["network.checkpoint"].load_checkpoint(find_checkpoint(config.model))
    order = make_order(config, checkpoint, library)
    pools, making, made = (library[f"quantize.report.{n}"] for n in ("pool", "run", "assembly"))
    plan = library["quantize.report.plan"].Plan.of(order)
    with ExitStack() as stack:
        if config.cluster is None:
            pool, workers = pools.Processes(config.jobs), config.jobs
        else:
            pool = stack.enter_context(closing(pools.Cluster(config.cluster)))
            workers = pool.workers
        if config.overwrite:
            kept = [order.study.model, config.data, *config.qat]
            kept += [config.recipe] if config.recipe is not None else []
            prepare_folder(config.out, FILES, True, keep=kept)
        store = library["quantize.report.store"].Store(config.out, order.study)
        line = stack.enter_context(show.progress("report"))
        bench = library["quantize.report.bench"].Bench(pool, store, line.update, plan.cost)
        maker = making.Maker(plan, bench)

        def record(why: str | None) -> dict[str, Any]:
            seconds = store.seconds
            answer: dict[str, Any] = made.assemble(
                order, checkpoint, maker.gathered, seconds, workers, why
            )
            return answer

        with recorded(show, config.out / RESULT, record):
            maker.make()
    _write_page(record(None), config.out, library)
    show_points(record(None), show)
    show.say(f"{config.out / 'report.html'}: open it in any browser, also without a network")


def make_order(config: ReportConfig, checkpoint: Any, library: dict[str, Any]) -> Any:
    """The library's order.

    Raises:
        QuantizationError, DatasetError: bits, parts or data that cannot be used.
    """
    orders, studies = library["quantize.report.order"], library["quantize.report.study"]
    recipes = library["quantize.recipe"]
    recipe = None if config.recipe is None else recipes.load_recipe(config.recipe)
    path = find_checkpoint(config.model)
    names = None if config.sequences is None else parse_sequences(config.sequences)
    study = studies.open_study(path, checkpoint, config.data, recipe, config.sizes, names)
    usual = orders.ASKED if config.bits else orders.PARTS
    return orders.Order(
        study,
        bits=config.bits,
        full=config.full,
        qat=tuple(find_checkpoint(str(run)) for run in config.qat),
        deployable=config.deployable,
        max_drop=config.max_drop,
        mixed=config.mixed or orders.MIXED,
        parts=config.parts or usual,
        threads=os.cpu_count() or 1,
    )


def _write_page(record: dict[str, Any], out: Path, library: dict[str, Any]) -> None:
    library["quantize.report.tables"].write_tables(record, out)
    write: Callable[..., Any] = library["quantize.report.page"].write
    write(record, out)


def _size(text: str | None, option: str) -> Size | None:
    return None if text is None else parse_size(text, option)


def _split(text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(part for part in text.split(",") if part)
