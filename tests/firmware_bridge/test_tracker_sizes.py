"""Several sizes of one model: the graph is chosen by the frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge_ttvos.errors import EngineError, InputError, ModelError
from edge_ttvos.firmware_bridge.protocol import protocol
from edge_ttvos.firmware_bridge.tracker import Tracker

LANDSCAPE, PORTRAIT, SMALL = (48, 80), (80, 48), (32, 48)


def size_of(tracker: Tracker) -> tuple[int, int]:
    return tracker.model.frame.height, tracker.model.frame.width


@pytest.mark.parametrize("sizes", [(LANDSCAPE, PORTRAIT, SMALL), (SMALL, PORTRAIT, LANDSCAPE)])
@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ((96, 160), LANDSCAPE),
        ((160, 96), PORTRAIT),
        ((50, 49), PORTRAIT),  # 48 of 49 columns; the landscape keeps 48 of 50 rows
        ((49, 50), LANDSCAPE),
        ((32, 48), SMALL),  # fits all of them
        ((10, 10), SMALL),
        ((33, 48), LANDSCAPE),  # fits two of one area: the first of either order
    ],
)
def test_the_size_that_keeps_most_of_the_frame_is_taken(
    sizes: tuple[tuple[int, int], ...],
    frame: tuple[int, int],
    expected: tuple[int, int],
    open_still: Any,
    make_clip: Any,
) -> None:
    clip = make_clip(*frame, count=2)
    tracker = open_still(sizes=sizes)
    result = tracker.start(clip.frames[0], clip.labels[0])
    if frame == (33, 48):
        expected = next(size for size in sizes if size != SMALL)
    assert size_of(tracker) == expected
    np.testing.assert_array_equal(result.mask, clip.labels[0])
    assert tracker.step(clip.frames[1]).mask.shape == frame
    assert tracker.memory.spec.slot[1].shape[:2] == (expected[0] // 8, expected[1] // 8)
    assert tracker.engine.model is tracker.model


def test_each_video_is_followed_as_with_its_size_alone(open_still: Any, make_clip: Any) -> None:
    both = open_still(sizes=(LANDSCAPE, PORTRAIT))
    for frame, size in (((96, 160), LANDSCAPE), ((160, 96), PORTRAIT), ((90, 150), LANDSCAPE)):
        clip = make_clip(*frame, count=4, objects=2)
        own = open_still(sizes=(size,))
        for tracker in (both, own):
            tracker.start(clip.frames[0], clip.labels[0])
        for image in clip.frames[1:]:
            np.testing.assert_array_equal(both.step(image).mask, own.step(image).mask)


def test_a_start_forgets_the_objects_of_the_other_size(open_still: Any, make_clip: Any) -> None:
    tracker = open_still(sizes=(LANDSCAPE, PORTRAIT))
    wide, tall = make_clip(96, 160, objects=2), make_clip(160, 96, objects=1)
    tracker.start(wide.frames[0], wide.labels[0])
    assert tracker.objects == [1, 2]
    tracker.start(tall.frames[0], {5: tall.labels[0]})
    assert tracker.objects == [5]
    tracker.start(wide.frames[0], {})
    assert tracker.objects == []


def test_all_memory_is_there_when_it_opens(open_still: Any, make_clip: Any) -> None:
    sizes = (LANDSCAPE, (96, 48))
    tracker = open_still(sizes=sizes)
    alone = [open_still(sizes=(size,)).arena_bytes for size in sizes]
    assert alone[0] != alone[1]
    before = tracker.arena_bytes
    arenas = []
    for size in ((96, 160), (160, 80)):
        clip = make_clip(*size, count=2)
        tracker.start(clip.frames[0], clip.labels[0])
        arenas.append(tracker.memory.arena)
    assert tracker.arena_bytes == before == sum(alone)
    assert arenas[0] is not arenas[1]
    reported = protocol(tracker)
    assert reported["arena_bytes"] == before
    assert reported["resolution"] == "96x48"


def test_a_refused_start_leaves_size_and_objects_alone(open_still: Any, make_clip: Any) -> None:
    wide, tall = make_clip(96, 160, count=2), make_clip(160, 96)
    tracker, untouched = (open_still(sizes=(LANDSCAPE, PORTRAIT)) for _ in range(2))
    for each in (tracker, untouched):
        each.start(wide.frames[0], wide.labels[0])
    with pytest.raises(InputError):
        tracker.start(tall.frames[0], wide.labels[0])
    assert size_of(tracker) == LANDSCAPE
    found = tracker.step(wide.frames[1]).mask
    assert found.any()
    np.testing.assert_array_equal(found, untouched.step(wide.frames[1]).mask)


@pytest.mark.parametrize(
    "change", [{"name": "another"}, {"sha256": "1"}, {"precision": "w8a8"}, {"mask_history": 3}]
)
def test_engines_of_different_models_are_refused(change: dict[str, Any], open_still: Any) -> None:
    one, other = open_still().engine, open_still(sizes=(PORTRAIT,)).engine
    Tracker([one, other])
    other.model = replace(other.model, **change)
    with pytest.raises(ModelError, match=r"must run one model .* at 48x80, .* at 80x48"):
        Tracker([one, other])


def test_two_engines_of_one_size_and_none_are_refused(open_still: Any) -> None:
    engine = open_still().engine
    with pytest.raises(ModelError, match="one engine for each size; got 48x80, 48x80"):
        Tracker([engine, open_still().engine])
    with pytest.raises(InputError, match="needs an engine; got none"):
        Tracker([])


def test_closing_closes_all_even_if_one_fails(open_still: Any) -> None:
    engines = [open_still(sizes=(size,)).engine for size in (LANDSCAPE, PORTRAIT, SMALL)]

    def fail() -> None:
        raise EngineError("the device is gone")

    engines[1].close = fail
    with pytest.raises(EngineError, match="the device is gone"):
        Tracker(engines).close()
    assert engines[0].closed
    assert engines[2].closed
