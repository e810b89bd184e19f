"""Engines that fail without a word, and objects out of sight: what may enter the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edge_ttvos.firmware_bridge.guards import Verdict
from edge_ttvos.firmware_bridge.tracker import ObjectState, Tracker

Spoil = Callable[..., None]  # handed the arguments of the engine's call, after it


def log_odds(value: float, *where: int) -> Spoil:
    """The object's log-odds, all of them or at one pixel."""

    def spoil(*arguments: Any) -> None:
        arguments[-1].log_odds[where or ...] = value

    return spoil


def all_but(value: float, pixels: int) -> Spoil:
    """The object's log-odds but for a few pixels of a row, which are the object's for certain."""

    def spoil(*arguments: Any) -> None:
        arguments[-1].log_odds[...] = value
        arguments[-1].log_odds[20, :pixels] = 9

    return spoil


def weight(value: float) -> Spoil:
    def spoil(*arguments: Any) -> None:
        arguments[-1].update_weight[:] = value

    return spoil


def in_map(name: str, value: float) -> Spoil:
    """One value of a map that encode or embed writes."""

    def spoil(*arguments: Any) -> None:
        getattr(arguments[-1], name)[2, 3, 4] = value

    return spoil


NOT_FINITE, SATURATED = Verdict.NOT_FINITE, Verdict.SATURATED
EMPTY, REMNANT = Verdict.EMPTY, Verdict.REMNANT
FAULTS: dict[str, tuple[str, Spoil, Verdict]] = {
    "NaN": ("decode", log_odds(np.nan, 5, 5), NOT_FINITE),
    "all NaN": ("decode", log_odds(np.nan), NOT_FINITE),
    "infinity": ("decode", log_odds(np.inf, 0, 0), NOT_FINITE),
    "minus infinity": ("decode", log_odds(-np.inf, 47, 79), NOT_FINITE),
    "weight NaN": ("decode", weight(np.nan), NOT_FINITE),
    "weight -1": ("decode", weight(-1.0), NOT_FINITE),
    "s8 NaN": ("encode", in_map("s8", np.nan), NOT_FINITE),
    "saturated": ("decode", log_odds(9.0), SATURATED),
    "empty": ("decode", log_odds(-9.0), EMPTY),
    "remnant": ("decode", all_but(-9.0, 3), REMNANT),
}
OWN = {name: fault for name, fault in FAULTS.items() if fault[0] != "encode"}  # of one object


def step_spoilt(tracker: Tracker, frame: Any, stage: str, spoil: Spoil, call: int = 0) -> Any:
    """A step in which one call of the engine goes wrong."""
    works = getattr(tracker.engine, stage)
    calls = []

    def spoilt(*arguments: Any) -> None:
        works(*arguments)
        if len(calls) == call:
            spoil(*arguments)
        calls.append(stage)

    setattr(tracker.engine, stage, spoilt)
    try:
        return tracker.step(frame)
    finally:
        setattr(tracker.engine, stage, works)


def state_of(tracker: Tracker, object_id: int) -> dict[str, np.ndarray]:
    """Copies of what an object's slot hands to the next frame."""
    slot = next(slot for slot in tracker.memory.occupied if slot.object_id == object_id)
    return {
        "template": slot.template.copy(),
        "masks": slot.masks.copy(),
        "updates": slot.updates.copy(),
        "last": np.array(slot.guard.last),
    }


def assert_equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


@pytest.mark.parametrize(
    ("name", "fault"),
    [*(("release", fault) for fault in FAULTS), ("paper", "NaN"), ("frozen", "empty")],
)
def test_after_a_bad_frame_it_goes_on_as_if_there_had_been_none(
    name: str, fault: str, open_tracker: Any, make_clip: Any
) -> None:
    stage, spoil, verdict = FAULTS[fault]
    clip = make_clip(count=7)
    tracker, untouched = open_tracker(name), open_tracker(name)
    for each in (tracker, untouched):
        each.start(clip.frames[0], clip.labels[0])
        assert each.step(clip.frames[1]).mask.any()
    for frame in (clip.frames[2], clip.frames[5], clip.frames[3]):
        result = step_spoilt(tracker, frame, stage, spoil)
        assert result.states == {1: ObjectState.LOST}
        assert result.verdicts == {1: verdict}
        assert not result.mask.any()
        assert np.all(np.isfinite(result.probabilities[1]))
    assert tracker.memory.slots[0].lost_frames[0] == 3
    for frame in clip.frames[3:]:
        found, expected = tracker.step(frame), untouched.step(frame)
        np.testing.assert_array_equal(found.mask, expected.mask)
        np.testing.assert_array_equal(found.probabilities[1], expected.probabilities[1])
        assert found.verdicts == expected.verdicts == {1: Verdict.GOOD}
        assert_equal(state_of(tracker, 1), state_of(untouched, 1))
    assert tracker.memory.slots[0].lost_frames[0] == 0


@pytest.mark.parametrize(
    ("stage", "spoil"),
    [
        ("encode", in_map("s8", np.nan)),
        ("embed", in_map("f", np.nan)),
        ("embed", in_map("g", np.inf)),
        ("embed", in_map("q", np.nan)),
        ("decode", log_odds(np.nan)),
        ("decode", log_odds(9.0)),
    ],
    ids=["encode", "f", "g", "q", "decode", "saturated"],
)
def test_the_very_first_step_may_be_bad(
    stage: str, spoil: Spoil, open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=6)
    tracker, untouched = open_tracker(), open_tracker()
    for each in (tracker, untouched):
        each.start(clip.frames[0], clip.labels[0])

    def spoil_and_hide(*arguments: Any) -> None:
        spoil(*arguments)
        if stage == "embed":  # f and g alone reach no mask
            arguments[-1].s8.fill(np.nan)

    result = step_spoilt(tracker, clip.frames[1], stage, spoil_and_hide)
    assert result.states == {1: ObjectState.LOST}
    for frame in clip.frames[2:]:
        np.testing.assert_array_equal(tracker.step(frame).mask, untouched.step(frame).mask)
        assert_equal(state_of(tracker, 1), state_of(untouched, 1))


@pytest.mark.parametrize("name", ["f", "g"])
def test_an_embedding_that_is_not_finite_stays_out_of_the_template(
    name: str, open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=4)
    tracker = open_tracker()
    tracker.start(clip.frames[0], clip.labels[0])
    tracker.step(clip.frames[1])
    before = state_of(tracker, 1)
    result = step_spoilt(tracker, clip.frames[2], "embed", in_map(name, np.nan))
    assert result.verdicts == {1: Verdict.GOOD}
    after = state_of(tracker, 1)
    np.testing.assert_array_equal(after["template"], before["template"])
    np.testing.assert_array_equal(after["updates"], [1])
    assert np.any(after["masks"] != before["masks"])
    tracker.step(clip.frames[3])
    assert state_of(tracker, 1)["updates"] == 2


@pytest.mark.parametrize(("stage", "spoil", "verdict"), OWN.values(), ids=list(OWN))
def test_one_objects_bad_frame_touches_no_other(
    stage: str, spoil: Spoil, verdict: Verdict, open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=6, objects=3)
    tracker, without = open_tracker(), open_tracker()
    for each in (tracker, without):
        each.start(clip.frames[0], clip.labels[0])
        each.step(clip.frames[1])
    without.drop(2)
    before = state_of(tracker, 2)
    result = step_spoilt(tracker, clip.frames[2], stage, spoil, call=1)
    expected = without.step(clip.frames[2])
    assert result.verdicts == {1: Verdict.GOOD, 2: verdict, 3: Verdict.GOOD}
    after = state_of(tracker, 2)
    for name in ("masks", "last"):
        np.testing.assert_array_equal(before[name], after[name])
    close = 2e-4 if verdict is EMPTY else 0  # what is empty still takes part in the aggregation
    for i in (1, 3):
        np.testing.assert_allclose(
            result.probabilities[i], expected.probabilities[i], rtol=0, atol=close
        )
        if not close:
            assert_equal(state_of(tracker, i), state_of(without, i))
    result = tracker.step(clip.frames[3])
    assert all(np.all(np.isfinite(plane)) for plane in result.probabilities.values())
    np.testing.assert_array_equal(state_of(tracker, 2)["updates"], after["updates"])


def test_a_lost_object_is_sought_by_the_frame_that_showed_it_last(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=6, objects=2)
    tracker = open_tracker()
    tracker.start(clip.frames[0], clip.labels[0])
    tracker.step(clip.frames[1])
    slot = tracker.memory.slots[1]
    last = [getattr(tracker.memory.current, name).copy() for name in ("s8", "s16")]
    for frame in clip.frames[2:5]:
        result = step_spoilt(tracker, frame, "decode", log_odds(-9.0), call=1)
        assert result.verdicts == {1: Verdict.GOOD, 2: EMPTY}
        for kept, found in zip(last, (slot.seen.s8, slot.seen.s16), strict=True):
            np.testing.assert_array_equal(kept, found)
    decode, inputs = tracker.engine.decode, []

    def note(*arguments: Any) -> None:
        inputs.append(arguments[3].copy())
        decode(*arguments)

    tracker.engine.decode = note
    previous = tracker.memory.current.s16.copy()
    tracker.step(clip.frames[5])
    np.testing.assert_array_equal(inputs[0], previous)
    np.testing.assert_array_equal(inputs[1], last[1])
    tracker.step(clip.frames[4])
    assert slot.good
    assert not slot.holding
    np.testing.assert_array_equal(inputs[3], inputs[2])


def test_a_mask_may_fill_the_frame_if_it_grows_into_it(open_still: Any, make_clip: Any) -> None:
    clip = make_clip()
    tracker = open_still()
    tracker.start(clip.frames[0], {1: clip.labels[0]})
    rows = np.arange(48)[:, None]
    for height, verdict in ((48, SATURATED), (30, Verdict.GOOD), (48, Verdict.GOOD)):

        def cover(*arguments: Any, height: int = height) -> None:
            arguments[-1].log_odds[...] = np.where(rows < height, 5, -5)

        result = step_spoilt(tracker, clip.frames[0], "decode", cover)
        assert result.verdicts == {1: verdict}
        assert np.count_nonzero(result.mask) == (height * 80 if verdict is Verdict.GOOD else 0)


def test_padding_does_not_count_as_background(open_still: Any, make_clip: Any) -> None:
    clip = make_clip(24, 40)
    tracker = open_still()
    tracker.start(clip.frames[0], clip.labels[0])

    def all_but_padding(*arguments: Any) -> None:
        arguments[-1].log_odds[...] = -5
        arguments[-1].log_odds[:24, :40] = 5

    result = step_spoilt(tracker, clip.frames[0], "decode", all_but_padding)
    assert result.verdicts == {1: SATURATED}


def test_an_engine_that_never_answers_does_no_harm(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(count=3, objects=2)
    tracker = open_tracker()
    tracker.start(clip.frames[0], clip.labels[0])
    tracker.step(clip.frames[1])
    before = [state_of(tracker, i) for i in (1, 2)]
    nothing = in_map("s16", np.nan)
    for lost in range(1, 20):
        result = step_spoilt(tracker, clip.frames[2], "encode", nothing)
        assert set(result.verdicts.values()) == {NOT_FINITE}
        assert all(slot.lost_frames[0] == lost for slot in tracker.memory.occupied)
    for i, kept in zip((1, 2), before, strict=True):
        np.testing.assert_array_equal(state_of(tracker, i)["masks"], kept["masks"])
        assert np.all(np.isfinite(state_of(tracker, i)["template"]))
    assert set(tracker.step(clip.frames[2]).verdicts.values()) == {Verdict.GOOD}


def test_a_lost_object_keeps_its_masks_when_another_is_added(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=4, objects=2)
    tracker = open_tracker()
    tracker.start(clip.frames[0], {1: clip.labels[0] == 1})
    tracker.step(clip.frames[1])
    kept = state_of(tracker, 1)["masks"]
    step_spoilt(tracker, clip.frames[2], "decode", log_odds(-9.0))
    result = tracker.add(2, clip.labels[2] == 2)
    assert result.verdicts == {1: EMPTY, 2: Verdict.GOOD}
    np.testing.assert_array_equal(state_of(tracker, 1)["masks"], kept)
    result = tracker.add(1, clip.labels[2] == 1)
    assert result.verdicts == {1: Verdict.GOOD, 2: Verdict.GOOD}
    assert tracker.memory.slots[0].lost_frames[0] == 0


def test_an_object_whose_pixels_all_go_to_another_is_lost(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=3)
    tracker = open_tracker()
    tracker.start(clip.frames[0], clip.labels[0])
    found = tracker.step(clip.frames[1]).mask
    taken = np.maximum(found, clip.labels[1]).astype(np.uint8)
    assert tracker.add(2, taken).verdicts == {1: EMPTY, 2: Verdict.GOOD}
    seen, now = tracker.memory.slots[0].seen, tracker.memory.current
    assert tracker.memory.slots[0].holding
    np.testing.assert_array_equal(seen.s8, now.s8)
    np.testing.assert_array_equal(seen.s16, now.s16)
    updates = state_of(tracker, 1)["updates"]
    tracker.step(clip.frames[2])
    np.testing.assert_array_equal(state_of(tracker, 1)["updates"], updates)
