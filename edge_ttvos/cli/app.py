"""The verbs under one command."""

from __future__ import annotations

from typing import Annotated

import typer

from edge_ttvos import origin
from edge_ttvos.cli import (
    bench,
    deploy,
    doctor,
    evaluate,
    live,
    quantize,
    report,
    score,
    track,
    train,
)
from edge_ttvos.cli.guard import guarded

HELP = "Follow any object through video, pixel by pixel, on a small board."

app = typer.Typer(
    name="edge-ttvos",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("track")(guarded(track.track))
app.command("eval")(guarded(evaluate.evaluate))
app.command("score")(guarded(score.score))
app.command("train")(guarded(train.train))
app.command("quantize")(guarded(quantize.quantize))
app.command("report")(guarded(report.report))
app.command("bench")(guarded(bench.bench))
app.command("live")(guarded(live.live))
app.command("deploy")(guarded(deploy.deploy))
app.command("doctor")(guarded(doctor.doctor))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edge-ttvos {origin.version()}")
        raise typer.Exit


@app.callback(help=HELP)
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options of the command itself."""
