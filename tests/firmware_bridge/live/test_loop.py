"""The loop: what happens to pictures while people point, pause, record, and go away."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import EngineError, InputError
from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.outcome import Outcome
from edge_ttvos.firmware_bridge.live.slot import Slot
from edge_ttvos.firmware_bridge.prompts import Box

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
