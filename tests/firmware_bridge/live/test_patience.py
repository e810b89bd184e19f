"""How long a camera is waited for: shorter once it is known, longer where it is slow."""

from __future__ import annotations

import pytest

from edge_ttvos.firmware_bridge.live.patience import LATELY, Patience, Waits


class Camera:
    """A simulator with a clock: pictures at an even pace, of which the first are held back."""

    def __init__(self, period: float, burst: int = 0) -> None:
        self.period, self.now, self._burst = period, 0.0, burst
        self.waits = Waits(Patience())

    def show(self, most: int) -> int:
        """Open it and wait as long as patience lasts; how many pictures came."""
        self.waits.opened(self.now)
        for count in range(most):
            if self.period > self.waits.wait and not 0 < count <= self._burst:
                self.now += self.waits.wait
                self.waits.gave_up()
                self.now += self.waits.delay()
                return count
            self.now += 0.01 if 0 < count <= self._burst else self.period
            self.waits.came(self.now)
        return most


@pytest.mark.parametrize(("fps", "wait"), [(None, 2.0), (30.0, 2.0), (0.4, 6.25), (0.1, 25.0)])
def test_pictures_that_were_asked_for_seldom_are_waited_for(fps: float | None, wait: float) -> None:
    waits = Waits(Patience.of(fps))
    waits.opened(0.0)
    assert waits.wait == max(20.0, wait), "the first"

    waits.came(0.1)

    assert waits.wait == wait


def test_a_camera_of_few_pictures_works_once_it_was_opened_anew() -> None:
    camera = Camera(period=5.0)

    assert camera.show(100) == 1
    assert camera.show(100) == 100


def test_a_few_pictures_at_once_say_nothing_about_a_cameras_pace() -> None:
    camera = Camera(period=5.0, burst=2)

    assert camera.show(100) == 3
    assert camera.show(100) == 100


def test_nobody_waits_longer_than_for_the_first_picture() -> None:
    camera = Camera(period=15.0)
    assert camera.show(100) == 1
    assert camera.show(100) == 100

    assert camera.waits.wait == 20.0


def test_what_a_camera_was_slow_at_is_forgotten() -> None:
    camera = Camera(period=0.03)
    assert camera.show(10) == 10
    camera.period = 1.9
    assert camera.show(2) == 2
    assert camera.waits.wait == pytest.approx(4.75)

    camera.period = 0.03
    camera.show(LATELY + 1)

    assert camera.waits.wait == 2.0


def test_a_camera_that_was_away_is_no_slow_one() -> None:
    camera = Camera(period=0.03)
    camera.show(10)
    camera.period = 60.0
    for _ in range(10):
        assert camera.show(1) == 0

    camera.period = 0.03
    camera.show(1)

    assert camera.waits.wait == 2.0


@pytest.mark.parametrize(("first", "wait"), [(0.5, 4.0), (3.0, 6.0), (15.0, 20.0)])
def test_a_camera_that_is_known_is_opened_with_less_patience(first: float, wait: float) -> None:
    waits = Waits(Patience())
    waits.opened(100.0)
    waits.came(100.0 + first)

    waits.opened(200.0)

    assert waits.wait == wait


def test_now_and_then_a_known_camera_gets_all_the_time_of_the_first() -> None:
    camera = Camera(period=0.5)
    camera.show(10)
    camera.period = 60.0

    given = []
    for _ in range(8):
        camera.waits.opened(camera.now)
        given.append(camera.waits.wait)
        camera.show(1)

    assert given == [4.0, 4.0, 4.0, 20.0] * 2


def test_who_waited_in_vain_tries_again_soon() -> None:
    camera = Camera(period=0.5)
    camera.show(10)
    camera.period = 60.0
    assert [camera.waits.delay() for _ in range(4)] == [0.5, 1.0, 2.0, 3.0]

    camera.show(1)

    assert camera.waits.delay() == 1.0, "0.5 s were waited already"
