"""Rooms for pictures: used again when nobody holds them, and only then."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.firmware_bridge.live.rooms import Rooms, _Lease


def place(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_a_room_is_used_again() -> None:
    rooms = Rooms(2)
    places = {place(rooms.take(100)) for _ in range(50)}
    assert len(places) == 1


def test_a_view_of_a_view_keeps_its_room() -> None:
    rooms = Rooms(1)
    taken = rooms.take(12)
    view = taken.reshape(2, 6)[:, ::2].T
    view[:] = 7
    del taken
    other = rooms.take(12)
    other[:] = 1
    assert (view == 7).all()
    here = place(view)
    del view
    assert place(rooms.take(12)) == here


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([8, 16])), max_size=60))
def test_whatever_is_held_stays_as_it_is(steps: list[tuple[int, int]]) -> None:
    rooms, held = Rooms(3), {}
    for number, (key, length) in enumerate(steps):
        if key in held:
            array, value = held.pop(key)
            assert (array == value).all()
        else:
            array = rooms.take(length)
            assert (array.shape, array.dtype, array.flags.writeable) == ((length,), np.uint8, True)
            array[:] = number
            held[key] = array, number
    assert all((array == value).all() for array, value in held.values())


def test_rooms_of_another_length_leave_the_old_ones_alone() -> None:
    rooms = Rooms(1)
    small = rooms.take(4)
    small[:] = 3
    large = rooms.take(400)
    large[:] = 5
    assert (small == 3).all()
    del small  # goes back to rooms that are gone
    here = place(large)
    del large
    assert place(rooms.take(400)) == here


def test_another_thread_may_let_go() -> None:
    rooms = Rooms(1)
    with ThreadPoolExecutor(1) as pool:
        here = pool.submit(place, rooms.take(64)).result()
        pool.submit(int).result()  # what it held is gone
    assert place(rooms.take(64)) == here


def test_large_pictures_have_fewer_rooms() -> None:
    rooms, length = Rooms(), 12 << 20
    held = [rooms.take(length) for _ in range(6)]
    assert [isinstance(array.base, _Lease) for array in held] == [True] * 4 + [False] * 2
