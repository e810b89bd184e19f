"""Keeps a capture process running: kills it when it hangs, starts it anew when it ends.

Nothing here looks at the wall clock: it may jump.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.live.patience import Patience, Waits
from edge_ttvos.firmware_bridge.live.rooms import Rooms
from edge_ttvos.firmware_bridge.live.slot import Slot
from edge_ttvos.firmware_bridge.live.wire import Kind, Note, receive
from edge_ttvos.firmware_bridge.sources.camera import Shot

Command = Callable[[int], list[str]]  # the number of the pipe to write to → what to run


class CameraState(str, Enum):
    """How the camera is."""

    OPENING = "opening"  # no picture has come yet
    LIVE = "live"
    WAITING = "waiting"  # it failed; it is tried again in a moment
    ENDED = "ended"  # the recording is over
    FAILED = "failed"  # trying again does not help


@dataclass(frozen=True)
class CameraStatus:
    """How the camera is, and why.

    Attributes:
        state: now.
        why: what went wrong last; empty where nothing did.
        restarts: how often it was opened anew.
    """

    state: CameraState = CameraState.OPENING
    why: str = ""
    restarts: int = 0


class Supervisor:
    """One camera's capture process, over and over, and the thread that reads from it.

    Args:
        command: what to run.
        slot: gets the pictures.
        patience: how long to wait for what.
        tell: called with a line for people when the camera's state changes for the worse; an
            error of its own would end the thread (``run.heard_or_not``).
    """

    def __init__(
        self,
        command: Command,
        slot: Slot,
        patience: Patience = Patience(),  # noqa: B008 - frozen
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._command, self._slot, self._patience, self._tell = command, slot, patience, tell
        self._waits, self._rooms = Waits(patience), Rooms()
        self._closing = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self.status = CameraStatus()

    def start(self) -> None:
        """Open the camera, in the background."""
        self._thread.start()

    def close(self) -> None:
        """End the capture process."""
        self._closing.set()
        self._slot.close()
        if self._process is not None:
            _kill(self._process, signal.SIGTERM)
        if self._thread.is_alive():
            self._thread.join(2 * self._patience.leaving + 1)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._become(CameraState.OPENING)
            end = self._one_life()
            if self._closing.is_set():
                return
            if end.kind in (Kind.DONE, Kind.FATAL):
                done = end.kind is Kind.DONE
                self._become(CameraState.ENDED if done else CameraState.FAILED, end.text)
                return
            delay = self._waits.delay()
            self._become(CameraState.WAITING, end.text)
            self._tell(f"{end.text}; trying again in {delay:g} s")
            self._closing.wait(delay)
            self.status = replace(self.status, restarts=self.status.restarts + 1)

    def _become(self, state: CameraState, why: str | None = None) -> None:
        why = self.status.why if why is None else why
        self.status = replace(self.status, state=state, why=why)

    def _one_life(self) -> Note:
        """One capture process from its start to its end; why it ended."""
        self._waits.opened(time.monotonic())
        try:
            reading, writing = os.pipe()
            try:
                self._process = self._started(writing)
                return self._read_until_end(reading, self._process)
            finally:
                os.close(reading)
        except OSError as error:
            return Note(Kind.ERROR, f"the capture process cannot be started: {error.strerror}")

    def _started(self, pipe: int) -> subprocess.Popen[bytes]:
        """A capture process that has the pipe's writing end to itself."""
        nothing = subprocess.DEVNULL
        try:
            return subprocess.Popen(
                self._command(pipe),
                pass_fds=(pipe,),
                stdin=nothing,
                stdout=nothing,
                start_new_session=True,  # Ctrl-C is not for it, and its children end with it
            )
        finally:
            os.close(pipe)

    def _read_until_end(self, pipe: int, process: subprocess.Popen[bytes]) -> Note:
        try:
            return self._read(pipe)
        except TimeoutError:
            self._waits.gave_up()
            return Note(Kind.ERROR, "the camera sends no picture")
        except SourceError as error:
            return Note(Kind.ERROR, str(error))
        finally:
            _end(process, self._patience.leaving)

    def _read(self, pipe: int) -> Note:
        """Hand on pictures until another message comes."""
        while not self._closing.is_set():
            message = receive(pipe, self._waits.wait, self._rooms)
            if message is None:
                return Note(Kind.ERROR, "the capture process died")
            if isinstance(message, Note):
                return message
            self._hand_on(message)
        return Note(Kind.DONE, "")

    def _hand_on(self, shot: Shot) -> None:
        self._waits.came(time.monotonic())
        if self._waits.pictures == 1:
            self._become(CameraState.LIVE, "")
        self._slot.put(shot)


def _end(process: subprocess.Popen[bytes], leaving: float) -> None:
    """End a process and its children; one that the kernel does not let die is left behind."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        _kill(process, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(leaving)


def _kill(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
