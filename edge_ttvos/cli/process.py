"""The process around the command: signals, and text that a terminal cannot show.

Imports nothing heavy, so that it is in force while the rest of the program loads.
"""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
KEPT = "what was finished is kept"
ENDING = ("SIGTERM", "SIGHUP")  # signals that end a run as Ctrl-C does; not every system has all


@contextmanager
def orderly() -> Iterator[None]:
    """End on SIGTERM and SIGHUP as on Ctrl-C, and on Ctrl-C without a traceback.

    A signal that the caller ignores (``nohup``) stays ignored.
    """
    for name in ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except KeyboardInterrupt as error:
        print(f"edge-ttvos: {interruption(error)}; {KEPT}", file=sys.stderr)
        sys.exit(INTERRUPTED)


def interruption(error: KeyboardInterrupt) -> str:
    """``interrupted``, and by what signal if it was not Ctrl-C."""
    return " by ".join(("interrupted", *map(str, error.args)))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)
