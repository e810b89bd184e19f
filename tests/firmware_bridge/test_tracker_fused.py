"""Where an engine has one graph for a whole frame of one object, the tracker follows the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from edge_ttvos.firmware_bridge.engines.base import Decoded, Features
from edge_ttvos.firmware_bridge.guards import Verdict
from edge_ttvos.firmware_bridge.prompts import Box
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.network.checkpoint import Checkpoint, load_checkpoint
from edge_ttvos.network.engine import TorchEngine
from edge_ttvos.targets.export.fused import build_fused

Array = NDArray[Any]


class FusedTorch(TorchEngine):
    """The fused graph in PyTorch, beside the other three."""

    fuses = True

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.graph = build_fused(checkpoint.network, self.model.frame)
        self.frames = 0
        self.spoilt = False

    @torch.inference_mode()
    def fused(
        self,
        frame: Array,
        before: Features,
        masks: Array,
        template: Array,
        step: Array,
        now: Features,
        next_template: Array,
        decoded: Decoded,
    ) -> None:
        self.frames += 1
        maps = (frame, before.s8, before.s16, masks, template)
        given = [torch.from_numpy(array)[None] for array in maps]
        results = self.graph.module(*given, torch.from_numpy(step))
        found = dict(zip(self.graph.outputs, results, strict=True))
        places = {"s8": now.s8, "s16": now.s16, "next_template": next_template, **vars(decoded)}
        for name, tensor in found.items():
            places[name][...] = np.nan if self.spoilt else tensor[0].numpy()


@pytest.fixture(params=["release", "paper", "frozen"])
def both(
    request: pytest.FixtureRequest, checkpoint: Callable[[str], Path]
) -> tuple[Tracker, Tracker, FusedTorch]:
    """A tracker on three graphs, another on the fused one, and the latter's engine."""
    loaded = load_checkpoint(checkpoint(request.param))
    engine = FusedTorch(loaded)
    return Tracker(TorchEngine(loaded), 4), Tracker(engine, 4), engine


def same(one: Tracker, other: Tracker) -> None:
    """Both are in the same state."""
    for a, b in zip(one.memory.slots, other.memory.slots, strict=True):
        assert (a.object_id, a.guard.verdict) == (b.object_id, b.guard.verdict)
        assert a.updates[0] == b.updates[0]
        for name in ("template", "masks", "probability"):
            wanted, got = getattr(a, name), getattr(b, name)
            np.testing.assert_allclose(got, wanted, atol=1e-3, err_msg=name)


def test_one_object_is_followed_as_by_three_graphs(
    both: tuple[Tracker, Tracker, FusedTorch], make_clip: Any
) -> None:
    three, one, engine = both
    clip = make_clip(count=6)
    for tracker in (three, one):
        tracker.start(clip.frames[0], clip.labels[0])
    for frame in clip.frames[1:]:
        three.step(frame)
        one.step(frame)
        same(three, one)
    assert engine.frames == 5
    assert one.memory.slots[0].updates[0] > 0


def test_several_objects_go_through_the_three_graphs_and_come_back(
    both: tuple[Tracker, Tracker, FusedTorch], make_clip: Any
) -> None:
    three, one, engine = both
    clip = make_clip(count=7, objects=2)
    for tracker in (three, one):
        tracker.start(clip.frames[0], (clip.labels[0] == 1).astype(np.uint8))
        tracker.step(clip.frames[1])
        tracker.add(2, (clip.labels[1] == 2).astype(np.uint8))
        tracker.step(clip.frames[2])
        tracker.drop(1)
        tracker.step(clip.frames[3])
        tracker.step(clip.frames[4])
    assert engine.frames == 3
    same(three, one)


def test_a_box_that_comes_later_is_looked_into_with_features_of_its_own_frame(
    both: tuple[Tracker, Tracker, FusedTorch], make_clip: Any
) -> None:
    three, one, engine = both
    clip = make_clip(count=4, objects=2)
    for tracker in (three, one):
        tracker.start(clip.frames[0], Box(8, 6, 40, 30))
        tracker.step(clip.frames[1])
        tracker.step(clip.frames[2])
        tracker.add(2, Box(20, 4, 50, 40))
    assert engine.frames == 2
    same(three, one)
    assert three.memory.slots[1].probability.any()


def test_nothing_of_a_frame_that_is_not_finite_is_kept(
    both: tuple[Tracker, Tracker, FusedTorch], make_clip: Any
) -> None:
    _, one, engine = both
    clip = make_clip(count=5)
    one.start(clip.frames[0], clip.labels[0])
    one.step(clip.frames[1])
    slot = one.memory.slots[0]
    before = slot.template.copy(), slot.masks.copy(), int(slot.updates[0])
    engine.spoilt = True
    result = one.step(clip.frames[2])
    assert result.verdicts[1] is Verdict.NOT_FINITE
    assert not result.mask.any()
    np.testing.assert_array_equal(slot.template, before[0])
    np.testing.assert_array_equal(slot.masks, before[1])
    assert int(slot.updates[0]) == before[2]
    engine.spoilt = False
    one.step(clip.frames[3])
    assert np.isfinite(slot.probability).all()
