"""Objects come, go, are renamed, and outlive a change of the camera's size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edge_ttvos.errors import CapacityError, InputError, MaskError
from edge_ttvos.firmware_bridge.live.outcome import Label
from edge_ttvos.firmware_bridge.live.session import Session
from edge_ttvos.firmware_bridge.live.slot import Numbered
from edge_ttvos.firmware_bridge.prompts import Box
from edge_ttvos.firmware_bridge.result import ObjectState
from edge_ttvos.firmware_bridge.sources.camera import Shot
from edge_ttvos.firmware_bridge.tracker import Tracker

CUP = Box(16, 8, 24, 16)
BALL = Box(56, 24, 8, 16)


def picture(number: int, size: tuple[int, int] = (48, 80)) -> Numbered:
    return Numbered(number, Shot(number, np.full((*size, 3), 90, np.uint8)))


@pytest.fixture
def session(open_still: Callable[..., Tracker]) -> Session:
    """With one picture."""
    session = Session(open_still(2))
    session.follow(picture(0))
    return session


def test_without_objects_there_is_no_mask(session: Session) -> None:
    outcome = session.follow(picture(1))

    assert outcome.mask is None
    assert outcome.objects == ()


def test_an_object_is_where_it_was_pointed_at(session: Session) -> None:
    session.point(CUP, name="  cup ")

    (cup,) = session.follow(picture(1)).objects

    assert cup.label.name == "cup"
    assert cup.state is ObjectState.TRACKING
    assert cup.box == (16, 8, 24, 16)
    assert cup.centroid == pytest.approx((27.5, 15.5))
    assert cup.area == 24 * 16
    assert 0.99 < cup.score <= 1


def test_objects_get_the_lowest_free_number(session: Session) -> None:
    session.point(CUP)
    session.point(BALL)
    session.drop(1)

    outcome = session.point(CUP, name="again")

    assert [seen.object_id for seen in outcome.objects] == [1, 2]
    assert session.labels[1].name == "again"


def test_pointing_again_moves_an_object_and_keeps_its_name(session: Session) -> None:
    session.point(CUP, name="cup")
    session.point(BALL, object_id=1)

    (cup,) = session.follow(picture(1)).objects

    assert (cup.label.name, cup.box) == ("cup", (56, 24, 8, 16))


def test_dropping_the_last_object_leaves_nothing(session: Session) -> None:
    session.point(CUP)
    session.drop(1)

    assert session.last is not None
    assert session.last.mask is None
    assert session.follow(picture(1)).objects == ()


def test_a_name_and_a_colour(session: Session) -> None:
    session.point(CUP)
    session.name(1, Label("mug", (1, 2, 3)))

    (mug,) = session.follow(picture(1)).objects

    assert mug.label == Label("mug", (1, 2, 3))
    session.name(1, Label(" \n ", (4, 5, 6)))
    assert session.labels[1] == Label("mug", (4, 5, 6))
    session.name(1, Label("very " * 20, (4, 5, 6)))
    assert len(session.labels[1].name) <= 40


@pytest.mark.parametrize("size", [(96, 160), (48, 72), (90, 100)])
def test_objects_outlive_a_change_of_size(session: Session, size: tuple[int, int]) -> None:
    session.point(CUP, name="cup")
    session.follow(picture(1))

    (cup,) = session.follow(picture(2, size)).objects
    (later,) = session.follow(picture(3, size)).objects

    assert cup.label.name == "cup"
    share = cup.area / (size[0] * size[1])
    assert share == pytest.approx(24 * 16 / (48 * 80), rel=0.1)
    assert later.state is ObjectState.TRACKING


def test_what_cannot_be_followed_changes_nothing(session: Session) -> None:
    session.point(CUP)

    with pytest.raises(MaskError, match="outside the frame"):
        session.point(Box(500, 500, 4, 4))
    with pytest.raises(InputError, match="object 7 is not followed"):
        session.drop(7)
    with pytest.raises(InputError, match="object 7 is not followed"):
        session.name(7, Label("x", (0, 0, 0)))

    (cup,) = session.follow(picture(1)).objects
    assert cup.object_id == 1


def test_the_arena_is_full(session: Session) -> None:
    session.point(CUP)
    session.point(BALL)

    with pytest.raises(CapacityError, match="max_objects"):
        session.point(Box(0, 0, 8, 8))
    assert list(session.labels) == [1, 2]


def test_pointing_needs_a_picture(open_still: Callable[..., Tracker]) -> None:
    with pytest.raises(InputError, match="wait for the camera"):
        Session(open_still()).point(CUP)


def test_an_outcome_does_not_change_later(session: Session) -> None:
    session.point(CUP)
    outcome = session.follow(picture(1))
    assert outcome.mask is not None
    before = outcome.mask.copy()

    session.point(BALL, object_id=1)
    session.follow(picture(2))

    assert (outcome.mask == before).all()


def test_an_object_lost_while_the_size_changes_is_given_up_aloud(
    open_still: Callable[..., Tracker],
) -> None:
    told: list[str] = []
    session = Session(open_still(2), told.append)
    session.follow(picture(0))
    session.point(CUP, name="cup")
    last = session.last
    assert last is not None
    session.last = replace(last, mask=np.zeros((48, 80), np.uint8))  # as if it were out of sight

    outcome = session.follow(picture(1, (96, 160)))

    assert outcome.objects == ()
    assert session.labels == {}
    assert told == [
        "cup (object 1) was lost when the camera's size changed to 96x160 (HxW), and is not "
        "looked for any more: point at it again"
    ]
