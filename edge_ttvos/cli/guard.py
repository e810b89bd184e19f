"""The one handler: typed errors become a message and an exit code."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer

from edge_ttvos.errors import EdgeTtvosError

FAILED = 1
INTERRUPTED = 130

P = ParamSpec("P")
R = TypeVar("R")


def guarded(verb: Callable[P, R]) -> Callable[P, R]:
    """The same verb, ending in exit code 1 on a typed error and 130 when interrupted."""

    @functools.wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return verb(*args, **kwargs)
        except EdgeTtvosError as error:
            typer.echo(f"edge-ttvos: {error}", err=True)
            raise typer.Exit(FAILED) from error
        except KeyboardInterrupt as error:
            typer.echo("edge-ttvos: interrupted; what was finished is kept", err=True)
            raise typer.Exit(INTERRUPTED) from error

    return run


def reason(error: BaseException) -> str:
    """Why a run is not complete, for its JSON."""
    return "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)
