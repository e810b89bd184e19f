"""Frames of any size, and frames that cannot be used."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from edge_ttvos.errors import FrameError
from edge_ttvos.firmware_bridge.geometry import Fit

PADDED = [(31, 57), (48, 33), (17, 80), (1, 3)]
SCALED = [(97, 211), (96, 160), (160, 90), (49, 80), (480, 854)]


@pytest.mark.parametrize("size", [(48, 80), *PADDED, *SCALED])
def test_masks_come_back_at_the_frames_size_with_its_ids(
    size: tuple[int, int], open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(*size, count=3, objects=2 if size[1] > 3 else 1)
    tracker = open_tracker()
    given = np.where(clip.labels[0] == 1, 200, clip.labels[0]).astype(np.uint8)
    first = tracker.start(clip.frames[0], {int(i): given == i for i in np.unique(given) if i})
    np.testing.assert_array_equal(first.mask, given)
    for frame in clip.frames[1:]:
        result = tracker.step(frame)
        assert result.mask.shape == size
        assert set(np.unique(result.mask)) <= {0, 2, 200}
        for probability in result.probabilities.values():
            assert probability.shape == Fit.of(tracker.model.frame, *size).content
    if size[1] > 3:
        assert result.mask.any()


@pytest.mark.parametrize("size", PADDED)
def test_a_smaller_frame_is_followed_as_one_padded_by_hand(
    size: tuple[int, int], open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(*size, count=5)
    own, padded = open_tracker(), open_tracker()
    own.start(clip.frames[0], clip.labels[0])
    padded.start(pad_frame(clip.frames[0]), pad(clip.labels[0], 0))
    for frame in clip.frames[1:]:
        found, expected = own.step(frame), padded.step(pad_frame(frame))
        inside = np.s_[: size[0], : size[1]]
        np.testing.assert_array_equal(found.mask, expected.mask[inside])
        np.testing.assert_array_equal(found.probabilities[1], expected.probabilities[1][inside])


def pad(plane: np.ndarray, value: int) -> np.ndarray:
    edges = ((0, 48 - plane.shape[0]), (0, 80 - plane.shape[1]))
    return np.pad(plane, edges, constant_values=value)


def pad_frame(frame: np.ndarray) -> np.ndarray:
    return np.dstack([pad(frame[..., i], mean) for i, mean in enumerate((124, 116, 104))])


@pytest.mark.parametrize("size", SCALED)
def test_a_larger_frame_is_followed_as_one_scaled_by_hand(
    size: tuple[int, int], open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(*size, count=4)
    scaled = open_tracker()
    by_hand = open_tracker()
    scaled.start(clip.frames[0], clip.labels[0])
    content = Fit.of(scaled.model.frame, *size).content
    assert max(content[0] / 48, content[1] / 80) == 1
    by_hand.start(shrink(clip.frames[0], content), shrink(clip.labels[0], content) > 0)
    slots = [tracker.memory.slots[0] for tracker in (scaled, by_hand)]
    by_hand.memory.slots[0].masks[...] = scaled.memory.slots[0].masks  # keeps its soft edges
    for frame in clip.frames[1:]:
        found, expected = scaled.step(frame), by_hand.step(shrink(frame, content))
        np.testing.assert_array_equal(found.probabilities[1], expected.probabilities[1])
        large = cv2.resize(expected.probabilities[1], size[::-1], interpolation=cv2.INTER_LINEAR)
        clear = np.abs(large - 0.5) > 1e-5
        np.testing.assert_array_equal(found.mask[clear], (large > 0.5)[clear])
    np.testing.assert_array_equal(slots[0].template, slots[1].template)


def shrink(image: np.ndarray, content: tuple[int, int]) -> np.ndarray:
    return cv2.resize(image, content[::-1], interpolation=cv2.INTER_AREA)


def test_a_small_objects_first_mask_survives_scaling(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(960, 1600, count=2)
    mask = np.zeros((960, 1600), np.uint8)
    mask[500:503, 700:702] = 1
    tracker = open_tracker()
    result = tracker.start(clip.frames[0], mask)
    np.testing.assert_array_equal(result.mask, mask)
    assert result.states[1].value == "tracking"
    assert tracker.memory.slots[0].masks[..., 1].max() > 0


@pytest.mark.parametrize("size", [(31, 57), (97, 211)])
def test_a_frame_may_be_any_view(size: tuple[int, int], open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(*size, count=3)
    own, viewed = open_tracker(), open_tracker()
    own.start(clip.frames[0], clip.labels[0])
    stored = [np.ascontiguousarray(frame[::-1, :, ::-1]) for frame in clip.frames]
    views = [frame[::-1, :, ::-1] for frame in stored]
    assert not views[0].flags.c_contiguous
    for view in views:
        view.flags.writeable = False
    viewed.start(views[0], clip.labels[0])
    for frame, view in zip(clip.frames[1:], views[1:], strict=True):
        np.testing.assert_array_equal(own.step(frame).mask, viewed.step(view).mask)


def test_frames_of_another_size_than_the_first_are_refused(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(31, 57, count=3)
    tracker, untouched = open_tracker(), open_tracker()
    for each in (tracker, untouched):
        each.start(clip.frames[0], clip.labels[0])
    for other in (clip.frames[1][:30], clip.frames[1].transpose(1, 0, 2), np.zeros((48, 80, 3))):
        with pytest.raises(FrameError, match=r"frame must be (31x57 \(HxW\).*Start anew|RGB)"):
            tracker.step(other.astype(np.uint8) if other.shape[0] != 48 else other)
    with pytest.raises(FrameError, match=r"31x57 \(HxW\) as the first one; got 30x57. Start anew"):
        tracker.step(clip.frames[1][:30])
    np.testing.assert_array_equal(
        tracker.step(clip.frames[1]).mask, untouched.step(clip.frames[1]).mask
    )


GREY = np.zeros((48, 80), np.uint8)
BAD = {
    "grey": (GREY, r"got uint8 \(48, 80\)"),
    "one channel": (GREY[..., None], r"got uint8 \(48, 80, 1\)"),
    "RGBA": (np.zeros((48, 80, 4), np.uint8), r"got uint8 \(48, 80, 4\)"),
    "batch": (np.zeros((1, 48, 80, 3), np.uint8), r"got uint8 \(1, 48, 80, 3\)"),
    "16-bit": (np.zeros((48, 80, 3), np.uint16), r"got uint16 \(48, 80, 3\)"),
    "float": (np.zeros((48, 80, 3), np.float32), r"got float32 \(48, 80, 3\)"),
    "no pixel": (np.zeros((0, 80, 3), np.uint8), r"got uint8 \(0, 80, 3\)"),
    "no array": (None, r"got NoneType"),
    "list": (np.zeros((48, 80, 3), np.uint8).tolist(), r"got list"),
}


@pytest.mark.parametrize(("frame", "got"), BAD.values(), ids=list(BAD))
def test_what_is_no_rgb_frame_is_refused(
    frame: Any, got: str, open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=2)
    tracker = open_tracker()
    message = rf"frame must be RGB uint8 \(H, W, 3\); {got}. Convert"
    with pytest.raises(FrameError, match=message):
        tracker.start(frame, clip.labels[0])
    tracker.start(clip.frames[0], clip.labels[0])
    with pytest.raises(FrameError, match=message):
        tracker.step(frame)
    tracker.step(clip.frames[1])
