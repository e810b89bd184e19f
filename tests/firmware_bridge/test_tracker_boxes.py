"""In a box the object is found first, in the very frame that the box was drawn in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edge_ttvos.firmware_bridge.box_head import CAUTION
from edge_ttvos.firmware_bridge.engines import open_engine
from edge_ttvos.firmware_bridge.prompts import Box, parse_prompt
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.network.checkpoint import Checkpoint, load_checkpoint
from edge_ttvos.network.engine import TorchEngine
from edge_ttvos.network.ttvos import TTVOS

BOX = Box(10, 6, 40, 30)
INSIDE = np.s_[6:36, 10:50]
CLOSE = 1e-4


def inside() -> np.ndarray:
    plane = np.zeros((48, 80), np.bool_)
    plane[INSIDE] = True
    return plane


def slot_of(tracker: Tracker, object_id: int = 1) -> Any:
    return next(slot for slot in tracker.memory.occupied if slot.object_id == object_id)


@pytest.mark.parametrize(
    "name", ["release", "paper", "frozen", "no-long-term", "no-short-term", "box-head"]
)
def test_boxes_are_followed_as_they_are_learnt(
    name: str, checkpoint: Callable[[str], Path], make_clip: Any
) -> None:
    clip = make_clip(count=5)
    network = load_checkpoint(checkpoint(name)).network
    tracker = Tracker(open_engine(str(checkpoint(name)), "torch"))
    prior = torch.from_numpy(parse_prompt(BOX, 48, 80).plane)[None]
    frames = [torch.from_numpy(f).permute(2, 0, 1)[None].float() for f in clip.frames]
    with torch.no_grad():
        logits, state = network.start_in_box(network.encode(frames[0]), prior)
        doubt = CAUTION if network.config.box_head else 0
        found = (logits[0, 1] - logits[0, 0] - doubt).sigmoid().numpy() * inside()
        result = tracker.start(clip.frames[0], BOX)
        assert 0.05 < (found > 0.5).sum() / inside().sum() < 0.95, "the test would show nothing"
        np.testing.assert_allclose(result.probabilities[1], found, atol=CLOSE)
        clear = np.abs(found - 0.5) > CLOSE
        np.testing.assert_array_equal((result.mask == 1)[clear], (found > 0.5)[clear])
        for frame, seen in zip(frames[1:], clip.frames[1:], strict=True):
            output, state = network.step(network.encode(frame), state)
            expected = output.logits.softmax(dim=1)[0, 1].numpy()
            np.testing.assert_allclose(tracker.step(seen).probabilities[1], expected, atol=CLOSE)


@pytest.mark.parametrize("value", [-20.0, np.nan, np.inf])
def test_where_nothing_is_found_all_of_the_box_is_the_object(
    value: float, open_tracker: Any, make_clip: Any
) -> None:
    tracker = open_tracker()
    works = tracker.engine.decode

    def blind(*arguments: Any) -> None:
        works(*arguments)
        arguments[-1].log_odds[...] = value

    tracker.engine.decode = blind
    result = tracker.start(make_clip().frames[0], BOX)
    np.testing.assert_array_equal(result.mask == 1, inside())
    np.testing.assert_array_equal(result.probabilities[1], inside())
    assert slot_of(tracker).guard.usual == pytest.approx(inside().mean())


def test_a_speck_is_no_object(open_tracker: Any, make_clip: Any) -> None:
    tracker = open_tracker()
    works = tracker.engine.decode
    for pixels, whole in ((59, True), (60, False)):  # of 1,200

        def specks(*arguments: Any, pixels: int = pixels) -> None:
            works(*arguments)
            arguments[-1].log_odds[...] = -9
            arguments[-1].log_odds[6:8, 10:40].flat[:pixels] = 9
            arguments[-1].log_odds[:5] = 9  # outside the box

        tracker.engine.decode = specks
        result = tracker.start(make_clip().frames[0], BOX)
        assert np.count_nonzero(result.mask) == (1200 if whole else 60)


def test_the_guards_usual_size_is_that_of_what_was_found(open_tracker: Any, make_clip: Any) -> None:
    tracker = open_tracker()
    result = tracker.start(make_clip().frames[0], BOX)
    share = np.count_nonzero(result.mask) / result.mask.size
    assert slot_of(tracker).guard.usual == pytest.approx(share)
    assert share < inside().mean()


def test_the_template_is_made_of_the_mask_not_of_the_box(open_tracker: Any, make_clip: Any) -> None:
    """The same state as that of an object which was given by the mask found."""
    clip = make_clip(count=3)
    boxed, masked = open_tracker(), open_tracker()
    boxed.start(clip.frames[0], BOX)
    assert slot_of(boxed).updates[0] == 0
    found = slot_of(boxed).probability.copy()
    masked.start(clip.frames[0], inside())
    slot = slot_of(masked)
    slot.probability[...] = found
    slot.guard.begin(slot_of(boxed).guard.usual)
    slot.masks[...] = slot_of(boxed).masks
    for frame in clip.frames[1:]:
        one, other = boxed.step(frame), masked.step(frame)
        np.testing.assert_array_equal(one.probabilities[1], other.probabilities[1])
        np.testing.assert_array_equal(slot_of(boxed).template, slot_of(masked).template)


def test_of_what_two_boxes_hold_the_later_has_the_pixels(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip()
    tracker = open_tracker()
    alone = {
        number: tracker.start(clip.frames[0], {number: box}).probabilities[number].copy()
        for number, box in ((1, BOX), (2, Box(30, 10, 40, 30)))
    }
    result = tracker.start(clip.frames[0], [BOX, Box(30, 10, 40, 30)])
    np.testing.assert_array_equal(result.probabilities[2], alone[2])
    np.testing.assert_array_equal(result.probabilities[1], np.minimum(alone[1], 1 - alone[2]))
    for number in (1, 2):
        means = result.probabilities[number].reshape(6, 8, 10, 8).mean(axis=(1, 3))
        np.testing.assert_allclose(slot_of(tracker, number).masks[..., 1], means, atol=1e-6)


def test_a_box_that_comes_later_is_looked_into_in_the_last_frame(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=3)
    later, fresh = open_tracker(), open_tracker()
    later.start(clip.frames[0], {9: clip.labels[0] == 1})
    later.step(clip.frames[1])
    held = slot_of(later, 9).template.copy()
    added = later.add(3, BOX).probabilities[3].copy()
    np.testing.assert_array_equal(added, fresh.start(clip.frames[1], BOX).probabilities[1])
    np.testing.assert_array_equal(slot_of(later, 9).template, held)
    assert set(later.step(clip.frames[2]).probabilities) == {9, 3}


def test_a_box_that_reaches_out_of_a_frame_of_another_size(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(110, 150, count=2)
    tracker = open_tracker()
    result = tracker.start(clip.frames[0], Box(-30, 40, 90, 200))
    outside = np.ones((110, 150), np.bool_)
    outside[38:, :62] = False  # scaled to 0.44: a pixel of the graph is more than two of the frame
    assert not result.mask[outside].any()
    assert result.mask.any()
    assert tracker.step(clip.frames[1]).mask.shape == (110, 150)


def test_a_box_head_leaves_the_tracker_itself_alone(
    checkpoint: Callable[[str], Path], make_clip: Any
) -> None:
    """An object given by its mask is followed bit by bit as without one."""
    clip = make_clip(count=4)
    network = load_checkpoint(checkpoint("box-head")).network
    plain = TTVOS(replace(network.config, box_head=False)).eval()
    plain.load_state_dict(network.state_dict(), strict=False)
    bare = Checkpoint(plain, (48, 80), {}, "")
    masks = []
    for engine in (open_engine(str(checkpoint("box-head")), "torch"), TorchEngine(bare)):
        tracker = Tracker(engine)
        tracker.start(clip.frames[0], inside())
        masks.append([tracker.step(frame).probabilities[1].copy() for frame in clip.frames[1:]])
    np.testing.assert_array_equal(*masks)
