"""The one handler: errors become one line and an exit code."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer

from edge_ttvos.cli.process import INTERRUPTED, interruption, tell
from edge_ttvos.errors import EdgeTtvosError

FAILED = 1

USAGE = (typer.Exit, typer.Abort, typer.BadParameter)  # Typer's own, with their own exit codes

P = ParamSpec("P")
R = TypeVar("R")


def guarded(verb: Callable[P, R]) -> Callable[P, R]:
    """The same verb, ending in exit code 1 on an error and 130 when interrupted.

    An error that nobody foresaw is a line too; its traceback is shown with ``-v``.
    """

    @functools.wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return verb(*args, **kwargs)
        except USAGE:
            raise
        except KeyboardInterrupt as error:
            tell(error)
            raise typer.Exit(INTERRUPTED) from error
        except BrokenPipeError:
            raise  # whoever read the output has gone: Typer ends quietly
        except Exception as error:
            _say(_line(error, bool(kwargs.get("verbose"))))
            raise typer.Exit(FAILED) from error

    return run


def reason(error: BaseException) -> str:
    """Why a run is not complete, in one line."""
    if isinstance(error, KeyboardInterrupt):
        return interruption(error)
    said = " ".join(str(error).splitlines())
    if isinstance(error, EdgeTtvosError):
        return said
    if isinstance(error, OSError):
        return f"the system refused: {said}"
    if isinstance(error, MemoryError):
        details = f" ({said})" if said else ""
        return f"out of memory{details}: try a smaller --size or fewer --max-objects"
    first = next(iter(str(error).splitlines()), "")
    return f"unexpected {type(error).__name__}: {first}"


def _line(error: Exception, verbose: bool) -> str:
    if isinstance(error, EdgeTtvosError):
        return reason(error)
    if verbose:
        traceback.print_exception(error)
    if isinstance(error, OSError | MemoryError):
        return reason(error)
    return f"{reason(error)}; this is a defect: please report it with the output of the same and -v"


def _say(text: str) -> None:
    typer.echo(f"edge-ttvos: {text}", err=True)
