"""A simulated camera process: does what it is told, and fails as cameras do.

    python flaky.py PIPE STATE FAULT

The first life shows two pictures and then has the fault; every later one shows pictures until
nobody reads them. STATE is a file that counts the lives. After ``mute`` the second shows nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from edge_ttvos.firmware_bridge.live.wire import HEADER, Kind, send_note, send_shot
from edge_ttvos.firmware_bridge.sources.camera import Shot

PERIOD = 0.005  # seconds


def main(pipe: int, state: Path, fault: str) -> None:
    """One life."""
    lives = int(state.read_text()) if state.exists() else 0
    state.write_text(str(lives + 1))
    if fault == "mute" and lives == 1:
        time.sleep(3600)
    for number in range(2 if lives == 0 else 10**6):
        picture = np.full((48, 80, 3), number % 256, np.uint8)
        send_shot(pipe, Shot(time.monotonic_ns(), picture))
        time.sleep(PERIOD)
    FAULTS[fault](pipe)


def unplugged(pipe: int) -> None:
    """The driver says so."""
    send_note(pipe, Kind.ERROR, "no such device")


def crashed(pipe: int) -> None:
    """The driver takes the process with it."""
    os.kill(os.getpid(), signal.SIGSEGV)


def hung(pipe: int) -> None:
    """The driver never comes back, and does not hear a polite request."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(3600)


def half(pipe: int) -> None:
    """The process ends in the middle of a picture."""
    os.write(pipe, HEADER.pack(Kind.PICTURE.value, 1, 48, 80, 48 * 80 * 3) + bytes(1000))


def stuck(pipe: int) -> None:
    """The picture never gets whole."""
    half(pipe)
    time.sleep(3600)


def garbage(pipe: int) -> None:
    """Something else writes into the pipe."""
    os.write(pipe, b"!" * 4096)


def unknown(pipe: int) -> None:
    """A message of a kind that there is not."""
    os.write(pipe, HEADER.pack(b"Z", 1, 0, 0, 0))
    time.sleep(3600)


def mute(pipe: int) -> None:
    """Gone, and back without pictures."""
    send_note(pipe, Kind.ERROR, "no such device")


def over(pipe: int) -> None:
    """The recording has ended."""
    send_note(pipe, Kind.DONE, "the recording has ended")


def hopeless(pipe: int) -> None:
    """Something must be installed."""
    send_note(pipe, Kind.FATAL, "type: sudo apt install camera")


ALL = (unplugged, crashed, hung, half, stuck, garbage, unknown, mute, over, hopeless)
FAULTS = {fault.__name__: fault for fault in ALL}

if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    except BrokenPipeError:
        sys.exit()
