"""The loop: newest picture, tracker, outlets. The only thread that touches the tracker."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from edge_ttvos.errors import InputError
from edge_ttvos.firmware_bridge.live.film import Film
from edge_ttvos.firmware_bridge.live.meter import Meter
from edge_ttvos.firmware_bridge.live.outcome import Label, Outcome
from edge_ttvos.firmware_bridge.live.recorder import Recording
from edge_ttvos.firmware_bridge.live.session import Session
from edge_ttvos.firmware_bridge.live.slot import Numbered, Slot
from edge_ttvos.firmware_bridge.prompts import Prompt

IDLE = 0.1  # seconds to wait for a picture before looking for commands again
POINTING = 60.0  # seconds that somebody may point before the others get their picture back

Answer = TypeVar("Answer")


@dataclass
class Live:
    """Everything that the loop owns. Other threads reach it through ``ask`` alone.

    Attributes:
        session: the tracker and its objects.
        slot: where pictures come from.
        recordings: folder for recordings.
        meter: how fast it goes.
        first: what to follow from the first picture on, by object id.
        outlets: each is handed every outcome.
        screens: likewise, and the last one again when something about it has changed.
        every_turn: called whether pictures come or not.
        paused: pictures are dropped.
        pointing: who is pointing at the last picture; None: nobody.
        recording: the last one, running or not.
    """

    session: Session
    slot: Slot
    recordings: Path
    meter: Meter = field(default_factory=Meter)
    first: Mapping[int, Prompt] = field(default_factory=dict)
    outlets: list[Callable[[Outcome], None]] = field(default_factory=list)
    screens: list[Callable[[Outcome], None]] = field(default_factory=list)
    every_turn: list[Callable[[], None]] = field(default_factory=list)
    paused: bool = False
    pointing: str | None = None
    recording: Recording | None = None

    def __post_init__(self) -> None:
        self._film = Film(self.slot)
        self._asked: queue.SimpleQueue[tuple[Callable[[Live], Any], Future[Any]]]
        self._asked = queue.SimpleQueue()
        self._stop = threading.Event()
        self._pointing_until = 0.0

    def ask(self, what: Callable[[Live], Answer]) -> Future[Answer]:
        """Have the loop's thread do something between two pictures; from any thread."""
        answer: Future[Answer] = Future()
        self._asked.put((what, answer))
        return answer

    def stop(self) -> None:
        """End the loop after the picture at hand; from any thread or signal handler."""
        self._stop.set()

    def run(self, over: Callable[[], bool] = lambda: False) -> None:
        """Turn until ``stop``, or until nothing is left and ``over``: nothing will come."""
        try:
            while not self._stop.is_set():
                was_over = over()
                if not self.turn() and was_over and self.pointing is None:
                    break
        finally:
            if self.recording is not None:
                self.recording.close()

    def turn(self) -> bool:
        """Answer, take a picture, follow; whether there was a picture."""
        for call in self.every_turn:
            call()
        self._answer_all()
        self._end_pointing_if_due()
        pointing = self.pointing is not None
        if pointing and self.slot.keep_all:  # whoever puts pictures waits too
            time.sleep(IDLE)
            return False
        picture = self.slot.take(0 if self._film and not pointing else IDLE)
        if picture is not None and (pointing or self._film):
            self._film.add(picture)
        elif picture is not None:
            self._follow(picture, late=False)
        if self._film and not pointing:
            self._follow(self._film.next(), late=True)
            return True
        return picture is not None

    def freeze(self, who: str) -> Outcome:
        """Stand at the last picture while somebody points at something in it.

        Raises:
            InputError: somebody else is pointing, it is nobody, or there is no picture yet.
        """
        if not who:
            raise InputError("the page has no connection: wait until it is back, then point again")
        if self.pointing not in (None, who):
            raise InputError("somebody else is pointing at the moment: wait until they are done")
        if self.session.last is None:
            raise InputError("no picture has come yet: wait for the camera, then point again")
        self.pointing, self._pointing_until = who, time.monotonic() + POINTING
        return self.session.last

    def thaw(self, who: str) -> None:
        """They are done, or gone; the tracker catches up."""
        if self.pointing == who:
            self.pointing = None

    def point(self, who: str, prompt: Prompt, object_id: int | None, name: str) -> Outcome:
        """Follow an object from the picture that somebody points at, then catch up.

        Raises:
            InputError: they are not pointing (any more), or the prompt cannot be followed.
            CapacityError: all slots are taken.
        """
        if self.pointing != who:
            raise InputError("the picture you pointed at is gone: freeze a new one")
        outcome = self.session.point(prompt, object_id, name)
        self.thaw(who)
        self._publish(outcome)
        return outcome

    def drop(self, object_id: int) -> None:
        """Follow an object no longer."""
        self.session.drop(object_id)
        self._show_last()

    def name(self, object_id: int, label: Label) -> None:
        """Another name or colour."""
        self.session.name(object_id, label)
        self._show_last()

    def pause(self, paused: bool) -> None:
        """Follow nothing for a while, or go on."""
        self.paused = paused
        self._show_last()

    def record(self, wanted: bool) -> None:
        """Begin a recording, or end the one that runs.

        Raises:
            OutputError: it cannot be written.
        """
        running = self.recording is not None and self.recording.status.running
        if wanted and not running:
            self.recording = Recording(self.recordings, self.slot.keep_all)
        elif not wanted and running and self.recording is not None:
            self.recording.stop()

    def _follow(self, picture: Numbered, late: bool) -> None:
        if self.paused:
            self.slot.drop()
            return
        outcome = self.session.follow(picture, late)
        for object_id, prompt in self.first.items():
            outcome = self.session.point(prompt, object_id, late=late)
        self.first = {}
        self.slot.processed()
        self.meter.add(outcome)
        self._publish(outcome)

    def _publish(self, outcome: Outcome) -> None:
        for outlet in (*self.outlets, *self.screens):
            outlet(outcome)
        if self.recording is not None:
            self.recording.put(outcome)

    def _show_last(self) -> None:
        if self.session.last is not None:
            for screen in self.screens:
                screen(self.session.last)

    def _answer_all(self) -> None:
        with suppress(queue.Empty):
            while True:
                what, answer = self._asked.get_nowait()
                _answer(what, answer, self)

    def _end_pointing_if_due(self) -> None:
        if self.pointing is not None and time.monotonic() > self._pointing_until:
            self.pointing = None


def _answer(what: Callable[[Live], Any], answer: Future[Any], live: Live) -> None:
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(what(live))
    except Exception as error:  # whatever it is, the loop goes on without this answer
        answer.set_exception(error)
