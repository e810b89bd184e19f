"""How far a long task has come, with an estimate of its end: on stderr, so that stdout stays clean.

A bar on a terminal; elsewhere, such as in a log, a line now and then.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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

LINE_EVERY = 10.0  # seconds, where there is no terminal


class ProgressLine:
    """One task's progress, told to whoever shows it."""

    def __init__(self, show: Callable[[float | None, str], None]) -> None:
        self._show = show

    def update(self, share: float | None, note: str = "") -> None:
        """``share`` of the work is done, 0…1; None where the end is unknown."""
        self._show(share, note)


@contextmanager
def progress_of(task: str, quiet: bool) -> Iterator[ProgressLine]:
    """Show a task's progress while the block runs."""
    console = Console(stderr=True)
    if quiet:
        yield ProgressLine(lambda share, note: None)
    elif console.is_terminal:
        with _bar(console) as bar:
            number = bar.add_task(task, total=1.0, note="")
            yield ProgressLine(
                lambda share, note: bar.update(
                    number,
                    total=None if share is None else 1.0,
                    completed=share or 0.0,
                    note=note,
                )
            )
    else:
        yield ProgressLine(_Log(task).show)


class _Log:
    """A line every ``LINE_EVERY`` seconds."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._begun = self._last = time.monotonic()

    def show(self, share: float | None, note: str) -> None:
        """One line, if it is time."""
        now = time.monotonic()
        if now - self._last < LINE_EVERY:
            return
        self._last = now
        passed = now - self._begun
        parts = [note, f"{_clock(passed)} passed"]
        if share:
            parts.insert(0, f"{share:.0%}")
            parts.append(f"ETA {_clock(passed * (1 - share) / share)}")
        text = ", ".join(part for part in parts if part)
        print(f"{self._task}: {text}", file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def _bar(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
        transient=True,
    )
