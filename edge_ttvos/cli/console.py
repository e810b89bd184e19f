"""What a verb shows: tables and progress for people, JSON for machines."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge_ttvos.cli.guard import USAGE, reason
from edge_ttvos.cli.progress import ProgressLine, progress_of
from edge_ttvos.errors import OutputError
from edge_ttvos.files import write_json
from edge_ttvos.firmware_bridge.output import spare_room
from edge_ttvos.firmware_bridge.protocol import bare_protocol

__all__ = ["STDOUT", "ProgressLine", "Screen"]

STDOUT = Path("-")
NUMBER = re.compile(r"-?[0-9.]+|—")  # or the dash that stands for none


@dataclass
class Screen:
    """Where a verb shows itself. As a ``with`` block it sees to it that ``--json`` gets an answer:
    where the verb fails before it has a result, a record that says so and why.

    Attributes:
        json: also write the result's JSON here; ``-`` is stdout, and people's output then goes to
            stderr.
        verbosity: −1 quiet (errors only), 0 normal, 1 verbose.
    """

    json: Path | None = None
    verbosity: int = 0
    _answered: bool = field(default=False, init=False, repr=False)

    @property
    def console(self) -> Console:
        """For people; stdout unless JSON goes there."""
        return Console(file=sys.stderr if self.json == STDOUT else sys.stdout, highlight=False)

    def say(self, text: str, verbosity: int = 0) -> None:
        """A line of text, shown from this verbosity on."""
        if self.verbosity >= verbosity:
            self.console.print(Text(text), soft_wrap=True)

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], total: bool = False
    ) -> None:
        """A table; ``total`` sets the last row apart. Texts are shown as they are."""
        if self.verbosity < 0:
            return
        table = Table(title=Text(title), title_justify="left")
        for column, *cells in zip(columns, *rows, strict=True):
            side: Literal["left", "right"] = "right" if all(map(_is_number, cells)) else "left"
            table.add_column(Text(column), justify=side, overflow="fold")
        for index, row in enumerate(rows):
            if total and index == len(rows) - 1:
                table.add_section()
            table.add_row(*(Text(cell) for cell in row))
        self.console.print(table)

    def result(self, record: dict[str, Any], file: Path | None = None) -> None:
        """A result's JSON: into ``file``, and where ``--json`` says.

        Raises:
            OutputError: it cannot be written.
        """
        if file is not None:
            write_json(file, record)
        self._answered = True
        if self.json == STDOUT:
            _print(json.dumps(record, indent=2, allow_nan=False))
        elif self.json is not None:
            with suppress(OSError):  # then writing says what is in the way
                self.json.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.json, record)

    def progress(self, task: str) -> AbstractContextManager[ProgressLine]:
        """A task's progress with ETA on stderr, unless quiet."""
        return progress_of(task, self.verbosity < 0)

    def __enter__(self) -> Screen:
        if self.json not in (None, STDOUT):
            _check_writable(self.json)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or isinstance(error, USAGE) or self._answered:
            return
        record = {"schema": 1, "complete": False, "reason": reason(error)}
        with suppress(OutputError):  # the error that is under way matters more
            self.result({**record, "protocol": bare_protocol()})


def _is_number(cell: str) -> bool:
    return NUMBER.fullmatch(cell) is not None


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        # what is left in the buffer must not fail again when the interpreter ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(f"cannot write JSON to stdout: {error.strerror}") from error


def _check_writable(file: Path) -> None:
    """Refuse a ``--json`` file that cannot be written, before hours of work go by."""
    if file.is_dir():
        raise OutputError(f"--json {file} is a folder: expected a file's name, or - for stdout")
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    try:
        spare_room(folder).close()
    except OutputError as error:
        raise OutputError(f"--json {file}: {error}") from error
