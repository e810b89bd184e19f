"""The loop: what happens to pictures while people point, pause, record, and go away."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_ttvos.errors import EngineError, InputError
from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.outcome import Label, Outcome
from edge_ttvos.firmware_bridge.live.slot import Slot
from edge_ttvos.firmware_bridge.prompts import Box
from edge_ttvos.firmware_bridge.sources.camera import Shot

CUP = Box(16, 8, 24, 16)

Push = Callable[..., None]


@pytest.fixture
def seen(live: Live) -> list[Outcome]:
    """All outcomes."""
    outcomes: list[Outcome] = []
    live.outlets.append(outcomes.append)
    return outcomes


def balanced(slot: Slot) -> bool:
    counts = slot.counts
    return counts.received == counts.processed + counts.dropped + counts.in_flight


def test_each_turn_follows_the_newest(live: Live, push: Push, seen: list[Outcome]) -> None:
    push(3)
    live.turn()
    push(2)
    live.turn()

    assert [outcome.picture.number for outcome in seen] == [2, 4]
    assert balanced(live.slot)
    assert live.slot.counts.dropped == 3


def test_what_is_given_at_the_start_is_followed(live: Live, push: Push) -> None:
    live.first = {3: CUP}
    push()
    live.turn()
    push()
    live.turn()

    assert live.session.last is not None
    assert [thing.object_id for thing in live.session.last.objects] == [3]


def test_pointing_stands_still_and_catches_up(live: Live, push: Push, seen: list[Outcome]) -> None:
    push()
    live.turn()
    frozen = live.freeze("me")
    for _ in range(5):
        push()
        live.turn()

    assert live.session.last is frozen
    live.point("me", CUP, None, "cup")
    pushed = 6
    while len(seen) < 7:
        live.turn()

    assert [outcome.picture.number for outcome in seen] == [0, 0, *range(1, pushed)]
    assert [outcome.late for outcome in seen] == [False, *[True] * pushed]
    assert balanced(live.slot)
    push()
    live.turn()
    assert not seen[-1].late
    assert live.slot.counts.processed == 7


def test_a_viewer_that_goes_away_stops_pointing(live: Live, push: Push) -> None:
    push()
    live.turn()
    live.freeze("me")

    live.ask(lambda live: live.thaw("me"))
    push()
    live.turn()

    assert live.pointing is None
    with pytest.raises(InputError, match="freeze a new one"):
        live.point("me", CUP, None, "")


def test_one_points_at_a_time_but_not_for_ever(
    live: Live, push: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    push()
    live.turn()
    live.freeze("me")
    with pytest.raises(InputError, match="somebody else"):
        live.freeze("you")

    monkeypatch.setattr("time.monotonic", lambda: 1e9)
    live.turn()

    assert live.pointing is None
    live.freeze("you")


def test_paused_pictures_are_dropped(live: Live, push: Push, seen: list[Outcome]) -> None:
    push()
    live.turn()
    live.pause(True)
    for _ in range(3):
        push()
        live.turn()

    assert len(seen) == 1
    assert live.slot.counts.dropped == 3
    live.pause(False)
    push()
    live.turn()
    assert len(seen) == 2


def test_latency_of_pointing_people_does_not_count(live: Live, push: Push) -> None:
    push()
    live.turn()
    before = live.meter.whole(live.slot.counts)["latency_ms"]
    live.freeze("me")
    for _ in range(3):
        push()
        live.turn()
    live.thaw("me")
    while live.slot.counts.in_flight:
        live.turn()

    assert live.meter.whole(live.slot.counts)["latency_ms"] == before
    assert live.slot.counts.processed == 4


def test_questions_of_other_threads_are_answered_between_pictures(live: Live) -> None:
    answers: list[Future[Any]] = []

    def ask() -> None:
        answers.append(live.ask(lambda live: threading.current_thread()))
        answers.append(live.ask(lambda live: live.drop(9)))

    other = threading.Thread(target=ask)
    other.start()
    other.join()
    live.turn()

    assert answers[0].result(0) is threading.current_thread()
    with pytest.raises(InputError, match="object 9"):
        answers[1].result(0)


def test_it_ends_when_told_and_when_nothing_will_come(live: Live, push: Push) -> None:
    push()
    turns: list[None] = []
    live.every_turn.append(lambda: turns.append(None))

    live.run(over=lambda: True)
    assert live.slot.counts.processed == 1

    live.stop()
    turns.clear()
    live.run()
    assert turns == []


def test_nothing_looks_at_the_wall_clock() -> None:
    """It may jump: on a board without a clock by decades, when the network comes up."""
    folder = Path(str(files("edge_ttvos.firmware_bridge.live")))
    sources = Path(str(files("edge_ttvos.firmware_bridge.sources")))
    wall = re.compile(r"time\.time\(|datetime|CLOCK_REALTIME|time\.localtime")

    looking = {
        file.name
        for file in (*folder.glob("*.py"), *sources.glob("*.py"))
        if wall.search(file.read_text("utf-8"))
    }

    assert looking == set()


def test_an_engine_that_fails_ends_the_recording_too(
    live: Live, push: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise EngineError("out of memory")

    live.record(True)
    push()
    monkeypatch.setattr(live.session, "follow", fail)

    with pytest.raises(EngineError):
        live.run()

    assert live.recording is not None
    assert not live.recording.status.running


def test_a_question_that_breaks_is_answered_and_ends_nothing(live: Live, push: Push) -> None:
    answer: Future[Any] = live.ask(lambda live: 1 // 0)
    push()
    live.turn()

    with pytest.raises(ZeroDivisionError):
        answer.result(0)
    push()
    assert live.turn()


def test_nobody_cannot_point(live: Live, push: Push) -> None:
    push()
    live.turn()
    with pytest.raises(InputError, match="no connection"):
        live.freeze("")
    live.freeze("me")


def test_a_file_waits_while_somebody_points(live: Live, seen: list[Outcome]) -> None:
    live.slot.keep_all = True
    feeder = threading.Thread(target=feed, args=(live.slot, 30))
    feeder.start()
    live.turn()
    live.freeze("me")
    for _ in range(3):
        live.turn()
    live.thaw("me")
    live.run(lambda: not feeder.is_alive())
    feeder.join()

    assert [outcome.picture.number for outcome in seen] == list(range(30))
    assert live.slot.counts.dropped == 0


def feed(slot: Slot, count: int) -> None:
    for number in range(count):
        slot.put(Shot(number, np.full((48, 80, 3), number, np.uint8)))


def test_a_file_that_ends_while_somebody_points_is_followed_to_its_end(
    live: Live, push: Push, seen: list[Outcome]
) -> None:
    push()
    live.turn()
    live.freeze("me")
    push()
    live.turn()
    threading.Timer(0.3, lambda: live.ask(lambda live: live.thaw("me"))).start()
    live.run(lambda: True)

    assert [outcome.picture.number for outcome in seen] == [0, 1]
    assert live.slot.counts.in_flight == 0


def test_another_name_is_seen_at_once(live: Live, push: Push) -> None:
    shown: list[Outcome] = []
    live.screens.append(shown.append)
    live.first = {1: CUP}
    push()
    live.turn()
    live.pause(True)
    live.name(1, Label("cup", (1, 2, 3)))

    assert shown[-1].objects[0].label == Label("cup", (1, 2, 3))


def test_what_is_given_at_the_start_is_not_late(
    live: Live, push: Push, seen: list[Outcome]
) -> None:
    live.first = {1: CUP}
    push()
    live.turn()

    assert not seen[0].late
