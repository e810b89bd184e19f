"""Ctrl-C and SIGTERM held back, so that a training step is done whole or not at all."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupt_held() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether a signal came; the second one breaks in.

    SIGTERM is held where somebody handles it, as the command line does. Processes forked inside
    inherit this: they leave Ctrl-C to their parent. Outside the main thread, where Python delivers
    no signals, nothing is held.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    pressed = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = {signal.SIGINT: signal.getsignal(signal.SIGINT)}
    if callable(handler := signal.getsignal(signal.SIGTERM)):
        before[signal.SIGTERM] = handler
    for number in before:
        signal.signal(number, note)
    try:
        yield pressed.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
