"""The process around the command: signals, and text that a terminal cannot show.

Imports nothing heavy, so that it is in force while the rest of the program loads.
"""

from __future__ import annotations

import io
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
ENDING = ("SIGTERM", "SIGHUP")  # signals that end a run as Ctrl-C does, where the system has them


@contextmanager
def orderly() -> Iterator[None]:
    """End on SIGTERM and SIGHUP as on Ctrl-C, and on Ctrl-C without a traceback.

    A signal that the caller ignores (``nohup``) stays ignored.
    """
    for number in _numbers(*ENDING):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _raise)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as end:
        interrupt = _interrupt_behind(end)
        if interrupt is None:
            raise
        tell(interrupt)
        sys.exit(INTERRUPTED)


@contextmanager
def held() -> Iterator[None]:
    """Hold Ctrl-C and its kin back until the block is done; pressed twice, it breaks in.

    For imports: libraries in the middle of their own may swallow an interrupt and break.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[KeyboardInterrupt] = []

    def note(number: int, frame: FrameType | None) -> None:
        try:
            _raise(number, frame)
        except KeyboardInterrupt as error:
            if pending:
                raise
            pending.append(error)

    handlers = {number: signal.getsignal(number) for number in _numbers("SIGINT", *ENDING)}
    ours = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in ours:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        if pending:
            raise pending[0]


def tell(error: KeyboardInterrupt) -> None:
    """Say on stderr that the run was interrupted, once."""
    if not vars(error).setdefault("told", False):
        vars(error)["told"] = True
        print(f"edge-ttvos: {interruption(error)}; what was finished is kept", file=sys.stderr)


def interruption(error: KeyboardInterrupt) -> str:
    """``interrupted``, and by what signal if it was not Ctrl-C."""
    return " by ".join(("interrupted", *map(str, error.args)))


def _interrupt_behind(end: BaseException | None) -> KeyboardInterrupt | None:
    """Typer, interrupted while no verb runs, ends without a word: find out why it ended."""
    if isinstance(end, SystemExit) and end.code != INTERRUPTED:
        return None
    while end is not None and not isinstance(end, KeyboardInterrupt):
        end = end.__context__
    return end


def _numbers(*names: str) -> list[signal.Signals]:
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _raise(number: int, frame: FrameType | None) -> None:
    name = signal.Signals(number).name
    raise KeyboardInterrupt(*([] if name == "SIGINT" else [name]))
