"""Objects that come and go, more of them than slots, and engines that fail half-way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_ttvos.errors import CapacityError, EngineError, InputError, MaskError
from edge_ttvos.firmware_bridge.prompts import Box
from edge_ttvos.firmware_bridge.tracker import Result, Tracker


def slot_of(tracker: Tracker, object_id: int) -> Any:
    return next(slot for slot in tracker.memory.occupied if slot.object_id == object_id)


def state_of(tracker: Tracker, object_id: int) -> list[np.ndarray]:
    """Copies of all that an object's slot holds."""
    slot = slot_of(tracker, object_id)
    own = (slot.template, slot.masks, slot.updates, slot.probability, slot.decoded.update_weight)
    return [array.copy() for array in own]


def assert_same_state(one: Tracker, other: Tracker) -> None:
    assert set(one.objects) == set(other.objects)
    for object_id in one.objects:
        for a, b in zip(state_of(one, object_id), state_of(other, object_id), strict=True):
            np.testing.assert_array_equal(a, b)


def assert_same_result(one: Result, other: Result) -> None:
    np.testing.assert_array_equal(one.mask, other.mask)
    assert one.states == other.states
    for object_id, probability in one.probabilities.items():
        np.testing.assert_array_equal(probability, other.probabilities[object_id])


def everything(tracker: Tracker) -> tuple[list[int], bytes]:
    """Who is followed, and every byte of the arena but the scratch plane."""
    arrays = tracker.memory.arena.arrays
    return tracker.objects, b"".join(a.tobytes() for name, a in arrays.items() if name != "plane")


@pytest.mark.parametrize("name", ["paper", "release", "frozen"])
def test_objects_added_later_are_followed_as_if_started_there(
    name: str, open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=8, objects=2)
    given = {i: clip.labels[3] == i for i in (1, 2)}
    late, fresh = open_tracker(name), open_tracker(name)
    late.start(clip.frames[0], {9: clip.labels[0] == 1})
    for frame in clip.frames[1:4]:
        late.step(frame)
    late.drop(9)
    for object_id, mask in given.items():
        added = late.add(object_id, mask)
    assert_same_result(fresh.start(clip.frames[3], given), added)
    assert_same_state(late, fresh)
    for frame in clip.frames[4:]:
        assert_same_result(late.step(frame), fresh.step(frame))
        assert_same_state(late, fresh)


def test_an_object_added_beside_another_has_the_state_of_one_just_started(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=4, objects=2)
    late, fresh = open_tracker(), open_tracker()
    late.start(clip.frames[0], {1: clip.labels[0] == 1})
    for frame in clip.frames[1:]:
        late.step(frame)
    before = state_of(late, 1)
    late.add(2, clip.labels[3] == 2)
    fresh.start(clip.frames[3], {2: clip.labels[3] == 2})
    for a, b in zip(state_of(late, 2), state_of(fresh, 2), strict=True):
        np.testing.assert_array_equal(a, b)
    template, _, updates, _, weight = state_of(late, 1)
    for kept, array in zip((0, 2, 4), (template, updates, weight), strict=True):
        np.testing.assert_array_equal(before[kept], array)


def test_what_is_pointed_at_is_taken_from_the_others(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(count=3, objects=1)
    tracker = open_tracker()
    tracker.start(clip.frames[0], clip.labels[0])
    for frame in clip.frames[1:]:
        before = tracker.step(frame).mask.copy()
    older = state_of(tracker, 1)[1][..., 2:]
    half = np.zeros_like(before)
    half[:, :40] = 1
    result = tracker.add(2, half)
    assert np.any(before[half > 0])
    np.testing.assert_array_equal(result.mask, np.where(half > 0, 2, before))
    assert not result.probabilities[1][half > 0].any()
    masks = slot_of(tracker, 1).masks
    assert not masks[:, :5, 1].any()
    np.testing.assert_array_equal(masks[..., 2:], older)


def test_of_overlapping_masks_the_later_has_the_pixels_in_all_of_its_history(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip()
    tracker = open_tracker()
    first, second = (np.zeros((48, 80), np.uint8) for _ in range(2))
    first[8:40, 8:40] = second[8:40, 24:56] = 1
    result = tracker.start(clip.frames[0], [first, second])
    expected = np.where(second, 2, first)
    np.testing.assert_array_equal(result.mask, expected)
    for object_id in (1, 2):
        means = (expected == object_id).reshape(6, 8, 10, 8).mean(axis=(1, 3))
        for age in range(3):
            np.testing.assert_allclose(slot_of(tracker, object_id).masks[..., 2 * age + 1], means)


def test_a_dropped_object_frees_its_slot_and_the_others_go_on(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=8, objects=3)
    tracker = open_tracker(max_objects=3)
    tracker.start(clip.frames[0], clip.labels[0])
    tracker.step(clip.frames[1])
    kept = state_of(tracker, 1), state_of(tracker, 3)
    tracker.drop(2)
    assert tracker.objects == [1, 3]
    for object_id, before in zip((1, 3), kept, strict=True):
        for a, b in zip(before, state_of(tracker, object_id), strict=True):
            np.testing.assert_array_equal(a, b)
    result = tracker.step(clip.frames[2])
    assert set(result.probabilities) == set(result.states) == {1, 3}
    assert 2 not in result.mask
    tracker.add(7, clip.labels[2] == 2)
    assert tracker.objects == [1, 7, 3]


def test_two_trackers_stay_equal_after_different_objects_were_dropped(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=6, objects=3)
    one, other = open_tracker(), open_tracker()
    masks = {i: clip.labels[0] == i for i in (1, 2, 3)}
    one.start(clip.frames[0], masks)
    one.drop(2)
    other.start(clip.frames[0], {i: masks[i] for i in (1, 3)})
    for frame in clip.frames[1:]:
        assert_same_result(one.step(frame), other.step(frame))


def test_all_objects_may_be_dropped(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(count=3)
    tracker = open_tracker()
    tracker.start(clip.frames[0], clip.labels[0])
    tracker.drop(1)
    result = tracker.step(clip.frames[1])
    assert not result.mask.any()
    assert result.probabilities == {}
    assert tracker.objects == []


def test_an_object_given_anew_starts_anew(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(count=6)
    tracker, fresh = open_tracker(max_objects=1), open_tracker(max_objects=1)
    tracker.start(clip.frames[0], clip.labels[0])
    for frame in clip.frames[1:4]:
        tracker.step(frame)
    corrected = tracker.add(1, clip.labels[3])
    assert_same_result(corrected, fresh.start(clip.frames[3], clip.labels[3]))
    for frame in clip.frames[4:]:
        assert_same_result(tracker.step(frame), fresh.step(frame))


def test_start_forgets_everything(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(count=5, objects=2)
    used, fresh = open_tracker(), open_tracker()
    used.start(clip.frames[0], clip.labels[0])
    for frame in clip.frames[1:4]:
        used.step(frame)
    small = make_clip(31, 57, count=4)
    for tracker in (used, fresh):
        tracker.start(small.frames[0], {5: small.labels[0]})
    for frame in small.frames[1:]:
        assert_same_result(used.step(frame), fresh.step(frame))
    assert used.objects == [5]


def test_more_objects_than_slots_are_refused_and_nothing_changes(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=4, objects=3)
    tracker, untouched = open_tracker(max_objects=2), open_tracker(max_objects=2)
    masks = {i: clip.labels[0] == i for i in (1, 2)}
    for each in (tracker, untouched):
        each.start(clip.frames[0], masks)
        each.step(clip.frames[1])
    before = everything(tracker)
    for attempt in (
        lambda: tracker.start(clip.frames[0], clip.labels[0]),
        lambda: tracker.add(3, clip.labels[1] == 3),
    ):
        with pytest.raises(CapacityError, match=r"3 objects, .* 2 slots: raise max_objects .*3\)"):
            attempt()
        assert everything(tracker) == before
    assert_same_result(tracker.step(clip.frames[2]), untouched.step(clip.frames[2]))


def test_a_tracker_needs_a_slot(open_tracker: Any) -> None:
    with pytest.raises(InputError, match="max_objects must be at least 1; got 0"):
        open_tracker(max_objects=0)


def test_bad_prompts_change_nothing(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(count=3)
    tracker, untouched = open_tracker(), open_tracker()
    for each in (tracker, untouched):
        each.start(clip.frames[0], clip.labels[0])
        each.step(clip.frames[1])
    before = everything(tracker)
    for bad in (np.zeros((48, 80), np.uint8), Box(99, 99, 3, 3), clip.labels[0][:20]):
        for attempt in (
            lambda bad=bad: tracker.start(clip.frames[0], {1: bad}),
            lambda bad=bad: tracker.add(1, bad),
            lambda bad=bad: tracker.add(2, bad),
        ):
            with pytest.raises(MaskError):
                attempt()
            assert everything(tracker) == before
    with pytest.raises(MaskError, match="object ids are"):
        tracker.add(0, clip.labels[0])
    assert everything(tracker) == before
    assert_same_result(tracker.step(clip.frames[2]), untouched.step(clip.frames[2]))


@pytest.mark.parametrize("object_id", [0, 2, 255])
def test_an_object_that_is_not_followed_cannot_be_dropped(
    object_id: int, open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip()
    tracker = open_tracker()
    tracker.start(clip.frames[0], clip.labels[0])
    with pytest.raises(InputError, match=rf"object {object_id} is not followed; .* \[1\]"):
        tracker.drop(object_id)
    assert tracker.objects == [1]


def test_nothing_goes_before_start(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip()
    tracker = open_tracker()
    for attempt in (
        lambda: tracker.step(clip.frames[0]),
        lambda: tracker.add(1, clip.labels[0]),
    ):
        with pytest.raises(InputError, match=r"nothing is followed: call start\("):
            attempt()
    with pytest.raises(InputError, match="object 1 is not followed"):
        tracker.drop(1)


@pytest.mark.parametrize("stage", ["encode", "embed", "decode"])
def test_after_an_engine_failed_half_way_a_new_start_is_asked_for(
    stage: str, open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=4, objects=2)
    tracker, fresh = open_tracker(), open_tracker()
    tracker.start(clip.frames[0], clip.labels[0])
    tracker.step(clip.frames[1])
    works = getattr(tracker.engine, stage)
    calls = []

    def fail_late(*arguments: Any) -> None:
        works(*arguments)
        calls.append(stage)
        if stage == "encode" or len(calls) == 2:
            raise EngineError("the device is gone")

    setattr(tracker.engine, stage, fail_late)
    with pytest.raises(EngineError, match="the device is gone"):
        tracker.step(clip.frames[2])
    setattr(tracker.engine, stage, works)
    for attempt in (
        lambda: tracker.step(clip.frames[2]),
        lambda: tracker.add(3, clip.labels[2] == 1),
    ):
        with pytest.raises(InputError, match="nothing is followed"):
            attempt()
    assert_same_result(
        tracker.start(clip.frames[2], clip.labels[2]), fresh.start(clip.frames[2], clip.labels[2])
    )
    assert_same_result(tracker.step(clip.frames[3]), fresh.step(clip.frames[3]))


def test_a_start_that_fails_in_the_engine_follows_nothing(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=3)
    tracker = open_tracker()
    tracker.start(clip.frames[0], clip.labels[0])

    def fail(*arguments: Any) -> None:
        raise EngineError("the device is gone")

    works, tracker.engine.encode = tracker.engine.encode, fail
    with pytest.raises(EngineError):
        tracker.start(clip.frames[1], clip.labels[1])
    tracker.engine.encode = works
    assert tracker.objects == []
    with pytest.raises(InputError, match="nothing is followed"):
        tracker.step(clip.frames[2])
