"""An outlet never holds up whoever feeds it, and an error ends it alone."""

from __future__ import annotations

import threading
import weakref

import numpy as np

from edge_ttvos.firmware_bridge.live.outlet import Outlet


def test_everything_arrives_in_order() -> None:
    seen: list[int] = []
    outlet = Outlet("test", seen.append, capacity=100)
    for number in range(50):
        outlet.put(number)

    assert outlet.close(10)
    assert seen == list(range(50))
    assert outlet.skipped == 0


def test_a_slow_one_skips_the_oldest() -> None:
    seen: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def consume(number: int) -> None:
        begun.set()
        go_on.wait(10)
        seen.append(number)

    outlet = Outlet("test", consume, capacity=2)
    outlet.put(0)
    begun.wait(10)
    for number in range(1, 6):
        outlet.put(number)
    go_on.set()

    assert outlet.close(10)
    assert seen == [0, 4, 5]
    assert outlet.skipped == 3


def test_a_patient_one_loses_nothing() -> None:
    seen: list[int] = []
    outlet = Outlet("test", seen.append, capacity=1, patient=True)
    for number in range(200):
        outlet.put(number)

    assert outlet.close(10)
    assert seen == list(range(200))


def test_a_stuck_one_does_not_hold_up_the_end() -> None:
    never = threading.Event()
    outlet = Outlet("test", lambda item: never.wait(), capacity=1)
    outlet.put(0)

    assert not outlet.close(0.01)
    never.set()


def test_an_error_ends_it() -> None:
    def consume(number: int) -> None:
        raise OSError("disk full")

    told: list[Exception] = []
    outlet = Outlet("test", consume, capacity=1, failed=told.append)
    outlet.put(0)

    assert outlet.close(10)
    assert isinstance(outlet.error, OSError)
    assert told == [outlet.error]
    outlet.put(1)


def test_a_patient_one_does_not_wait_for_what_has_failed() -> None:
    def consume(number: int) -> None:
        raise OSError("disk full")

    outlet = Outlet("test", consume, capacity=1, patient=True)
    for number in range(5):
        outlet.put(number)

    assert outlet.close(10)


def test_what_waits_is_let_go_after_an_error() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def consume(item: np.ndarray) -> None:
        begun.set()
        go_on.wait(10)
        raise OSError("disk full")

    outlet = Outlet("test", consume, capacity=3)
    outlet.put(np.zeros(1))
    begun.wait(10)
    item = np.zeros(1)
    alive = weakref.ref(item)
    outlet.put(item)
    del item
    assert alive() is not None
    go_on.set()

    assert outlet.close(10)
    assert alive() is None


def test_an_item_larger_than_all_room_waits_alone() -> None:
    seen: list[int] = []
    outlet = Outlet("test", seen.append, capacity=10, size=lambda item: item)
    outlet.put(99)

    assert outlet.close(10)
    assert seen == [99]
