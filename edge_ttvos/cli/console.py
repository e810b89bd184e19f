"""What a verb shows: tables and progress for people on stderr or stdout, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from edge_ttvos.files import write_json

STDOUT = Path("-")


@dataclass(frozen=True)
class Screen:
    """Where a verb shows itself.

    Attributes:
        json: also write the result's JSON here; ``-`` is stdout, and people's output then goes to
            stderr.
        verbosity: −1 quiet (errors only), 0 normal, 1 verbose.
    """

    json: Path | None = None
    verbosity: int = 0

    @property
    def console(self) -> Console:
        """For people; stdout unless JSON goes there."""
        return Console(file=sys.stderr if self.json == STDOUT else sys.stdout, highlight=False)

    def say(self, text: str, verbosity: int = 0) -> None:
        """A line of text, shown from this verbosity on."""
        if self.verbosity >= verbosity:
            self.console.print(text, soft_wrap=True, markup=False)

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], total: bool = False
    ) -> None:
        """A table; ``total`` sets the last row apart."""
        if self.verbosity < 0:
            return
        table = Table(title=title, title_justify="left")
        for index, column in enumerate(columns):
            table.add_column(column, justify="right" if index else "left")
        for index, row in enumerate(rows):
            if total and index == len(rows) - 1:
                table.add_section()
            table.add_row(*row)
        self.console.print(table)

    def result(self, record: dict[str, Any], file: Path | None = None) -> None:
        """A result's JSON: into ``file``, and where ``--json`` says.

        Raises:
            OutputError: it cannot be written.
        """
        if file is not None:
            write_json(file, record)
        if self.json == STDOUT:
            print(json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False), flush=True)
        elif self.json is not None:
            write_json(self.json, record)

    @contextmanager
    def progress(self, task: str) -> Iterator[ProgressLine]:
        """A progress bar with ETA on stderr, unless quiet."""
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            disable=self.verbosity < 0,
            transient=True,
        )
        with bar:
            yield ProgressLine(bar, bar.add_task(task, total=1.0, note=""))


class ProgressLine:
    """One task's line of a progress bar."""

    def __init__(self, bar: Progress, task: Any) -> None:
        self._bar = bar
        self._task = task

    def update(self, share: float | None, note: str = "") -> None:
        """``share`` of the work is done, 0…1; None where the end is unknown."""
        if share is None:
            self._bar.update(self._task, total=None, note=note)
        else:
            self._bar.update(self._task, completed=share, note=note)
