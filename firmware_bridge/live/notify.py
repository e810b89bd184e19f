"""Tells systemd that the loop turns: a datagram to $NOTIFY_SOCKET, nothing where there is none.

Source: freedesktop.org/software/systemd/man/latest/sd_notify.html.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress


class Watchdog:
    """Feeds systemd's watchdog.

    Args:
        environment: with ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC`` where systemd started us.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        place = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{place[1:]}" if place.startswith("@") else place
        self._period = int(environment.get("WATCHDOG_USEC", "0")) / 4e6  # four times as often
        self._clock, self._due = clock, 0.0

    def ready(self) -> None:
        """The loop is about to turn."""
        self._send("READY=1")

    def feed(self) -> None:
        """The loop has turned once more: call it from there, and from nowhere else."""
        if self._period and self._clock() >= self._due:
            self._due = self._clock() + self._period
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The loop has ended."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(text.encode(), self._address)
