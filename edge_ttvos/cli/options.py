"""Options that several verbs share, and how their text becomes values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_ttvos.cli.console import Screen
from edge_ttvos.firmware_bridge.engines.base import EngineOptions

MOST_THREADS = 256  # more would only wait for each other, or bring the system down

ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="M",
        help="'default' (the shipped weights), a .safetensors file or a run's folder; to follow "
        "or measure also 'release-int8' or a bundle.",
    ),
]
EngineOption = Annotated[
    str | None,
    typer.Option("--engine", metavar="E", help="Inference engine; default: the first installed."),
]
SizeOption = Annotated[
    str | None,
    typer.Option("--size", metavar="HxW", help="Size the network runs at; default: the model's."),
]
ThreadsOption = Annotated[
    int | None, typer.Option("--threads", metavar="N", min=1, max=MOST_THREADS, help="CPU threads.")
]
JsonOption = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Also write the result as JSON; - is stdout."),
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace results that --out already holds.")
]
VerboseOption = Annotated[int, typer.Option("--verbose", "-v", count=True, help="Show more.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")]


def screen(json: Path | None, verbose: int, quiet: bool) -> Screen:
    """Where the verb shows itself."""
    return Screen(json, -1 if quiet else verbose)


def engine_options(size: str | None, threads: int | None) -> EngineOptions:
    """Parse ``--size`` and ``--threads``.

    Raises:
        typer.BadParameter: not HxW.
    """
    return EngineOptions(None if size is None else parse_size(size), threads)


def parse_size(text: str, option: str = "--size") -> tuple[int, int]:
    """``480x864`` → (480, 864), height first.

    Raises:
        typer.BadParameter: not HxW, or out of range; names the option.
    """
    try:
        height, width = (int(side) for side in text.lower().split("x"))
    except ValueError:
        height = width = 0
    if not (16 <= height <= 4096 and 16 <= width <= 4096):
        raise typer.BadParameter(
            f"{text!r}: expected HxW in pixels, each 16 to 4096, such as 480x864",
            param_hint=option,
        )
    return height, width
