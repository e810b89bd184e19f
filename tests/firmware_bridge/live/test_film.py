"""The film: bounded whatever is put on it, in order, and it always comes to an end."""

from __future__ import annotations

import numpy as np
import pytest

from edge_ttvos.firmware_bridge.live.film import Film
from edge_ttvos.firmware_bridge.live.slot import Slot
from edge_ttvos.firmware_bridge.sources.camera import Shot

PICTURE = np.full((16, 24, 3), (200, 90, 30), np.uint8)


def feed(slot: Slot, film: Film, count: int) -> None:
    for _ in range(count):
        slot.put(Shot(slot.counts.received, PICTURE))
        picture = slot.take(0)
        assert picture is not None
        film.add(picture)


@pytest.mark.parametrize("count", [1, 8, 9, 100, 1000])
def test_it_is_bounded_evenly_spread_and_in_order(count: int) -> None:
    slot = Slot()
    film = Film(slot, capacity=8)

    feed(slot, film, count)

    assert 0 < len(film) <= 8
    assert slot.counts.in_flight == len(film)
    numbers = []
    while film:
        numbers.append(film.next().number)
        slot.processed()
    assert numbers[0] == 0
    assert len(set(np.diff(numbers))) <= 1
    counts = slot.counts
    assert (counts.received, counts.in_flight) == (count, 0)
    assert counts.processed + counts.dropped == count


def test_a_picture_comes_back_as_it_was_but_for_jpeg() -> None:
    slot = Slot()
    film = Film(slot)

    feed(slot, film, 1)
    picture = film.next()

    assert picture.shot.captured == 0
    assert np.abs(picture.shot.image.astype(int) - PICTURE).max() <= 3


@pytest.mark.parametrize("camera_is_faster", [1, 3, 10])
def test_it_comes_to_an_end_however_slow_the_tracker(camera_is_faster: int) -> None:
    slot = Slot()
    film = Film(slot, capacity=8)
    feed(slot, film, 100)

    turns = 0
    while film:
        film.next()
        slot.processed()
        if film:
            feed(slot, film, camera_is_faster)
        turns += 1
        assert turns < 200

    feed(slot, film, 3)
    assert len(film) == 3, "the next film begins without thinning"
