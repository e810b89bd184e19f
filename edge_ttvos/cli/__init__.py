"""The command line: ``edge-ttvos track | eval | score | train | doctor``.

A verb parses its options into one frozen record, makes one library call, and shows a table and
JSON. Exit codes: 0 success, 1 a typed error (one message), 2 usage, 130 interrupted.
"""

from __future__ import annotations

from typing import Annotated

import typer

from edge_ttvos import origin
from edge_ttvos.cli import doctor, evaluate, score, track, train
from edge_ttvos.cli.guard import guarded

HELP = "Follow any object through video, pixel by pixel, on a small board."

main = typer.Typer(
    name="edge-ttvos",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
main.command("track")(guarded(track.track))
main.command("eval")(guarded(evaluate.evaluate))
main.command("score")(guarded(score.score))
main.command("train")(guarded(train.train))
main.command("doctor")(guarded(doctor.doctor))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edge-ttvos {origin.version()}")
        raise typer.Exit


@main.callback(help=HELP)
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options of the command itself."""
