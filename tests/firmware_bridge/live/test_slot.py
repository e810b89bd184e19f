"""The slot: the newest picture wins, and every picture is accounted for."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.firmware_bridge.live.slot import Counts, Slot
from edge_ttvos.firmware_bridge.sources.camera import Shot

PICTURE = np.zeros((2, 2, 3), np.uint8)


def shot(captured: int) -> Shot:
    return Shot(captured, PICTURE)


def test_the_newest_wins() -> None:
    slot = Slot()
    for captured in range(3):
        slot.put(shot(captured))

    taken = slot.take(0)

    assert taken is not None
    assert (taken.number, taken.shot.captured) == (2, 2)
    assert slot.counts == Counts(received=3, processed=0, dropped=2, in_flight=1)
    assert slot.take(0) is None


@given(st.lists(st.sampled_from(("put", "take", "processed", "drop")), max_size=60))
def test_every_picture_is_accounted_for_at_every_moment(steps: list[str]) -> None:
    slot, taken = Slot(), 0
    for step in steps:
        if step == "put":
            slot.put(shot(0))
        elif step == "take":
            taken += slot.take(0) is not None
        elif taken:
            getattr(slot, step)()
            taken -= 1
        counts = slot.counts
        assert counts.received == counts.processed + counts.dropped + counts.in_flight
        assert counts.in_flight >= taken


def test_what_nobody_took_cannot_be_settled() -> None:
    slot = Slot()
    slot.put(shot(0))

    with pytest.raises(RuntimeError, match="nobody took"):
        slot.processed()


def test_keeping_all_drops_nothing() -> None:
    slot, seen = Slot(keep_all=True), []

    def feed() -> None:
        for captured in range(20):
            slot.put(shot(captured))

    feeder = threading.Thread(target=feed)
    feeder.start()
    while len(seen) < 20:
        picture = slot.take(5)
        assert picture is not None
        seen.append(picture.shot.captured)
        slot.processed()
    feeder.join()

    assert seen == list(range(20))
    assert slot.counts == Counts(received=20, processed=20)


def test_closing_lets_go_whoever_waits_for_room() -> None:
    slot = Slot(keep_all=True)
    slot.put(shot(0))
    feeder = threading.Thread(target=slot.put, args=(shot(1),))
    feeder.start()

    slot.close()
    feeder.join(10)

    assert not feeder.is_alive()
