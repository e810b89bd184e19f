"""The tracker against the network's own rollout in torch, and several objects against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edge_ttvos.firmware_bridge.engines import open_engine
from edge_ttvos.firmware_bridge.latency import MODEL_STAGES, STAGES
from edge_ttvos.firmware_bridge.tracker import ObjectState, Tracker
from edge_ttvos.network.checkpoint import load_checkpoint
from edge_ttvos.network.ttvos import TTVOS, State, heatmap

CONFIGURATIONS = ["paper", "release", "frozen", "no-short-term", "no-long-term"]
CLOSE = 1e-4  # of probabilities, after a rollout


@torch.inference_mode()
def rollout(network: TTVOS, clip: Any, join: Callable[[Any], Any]) -> list[np.ndarray]:
    """Probabilities (objects, H, W) of every frame after the first; ``join`` aggregates them."""
    objects = range(1, int(clip.labels[0].max()) + 1)
    given = np.stack([clip.labels[0] == i for i in objects]).astype(np.float32)
    frames = torch.from_numpy(np.stack(clip.frames)).permute(0, 3, 1, 2).float()
    features = [network.encode(frame.expand(len(given), -1, -1, -1)) for frame in frames]
    state = network.start(features[0], torch.from_numpy(given))
    probabilities = []
    for current in features[1:]:
        output, after = network.step(current, state)
        probabilities.append(join(output.logits.double().softmax(dim=1)[:, 1].numpy()))
        state = with_newest(after, probabilities[-1])
    return probabilities


def with_newest(state: State, probabilities: np.ndarray) -> State:
    newest = heatmap(torch.from_numpy(probabilities.astype(np.float32)))
    return replace(state, masks=torch.cat([newest, state.masks[:, 2:]], dim=1))


def soft_aggregation(p: np.ndarray) -> np.ndarray:
    """Background Π(1 − pᵢ), odds normalised over background and objects; (n, H, W)."""
    everything = np.concatenate([np.prod(1 - p, axis=0)[None], p])
    everything = np.clip(everything, 1e-9, 1 - 1e-9)
    odds = everything / (1 - everything)
    return (odds / odds.sum(axis=0))[1:]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_one_object_is_followed_as_in_torch(
    name: str, checkpoint: Callable[[str], Path], make_clip: Any
) -> None:
    clip = make_clip(count=8)
    network = load_checkpoint(checkpoint(name)).network
    tracker = Tracker(open_engine(str(checkpoint(name)), "torch"))
    tracker.start(clip.frames[0], clip.labels[0])
    pairs = zip(clip.frames[1:], rollout(network, clip, lambda p: p), strict=True)
    for frame, expected in pairs:
        result = tracker.step(frame)
        np.testing.assert_allclose(result.probabilities[1], expected[0], atol=CLOSE)
        clear = np.abs(expected[0] - 0.5) > CLOSE
        np.testing.assert_array_equal(result.mask[clear], (expected[0] > 0.5)[clear])


@pytest.mark.parametrize("name", ["paper", "release"])
@pytest.mark.parametrize("objects", [2, 3])
def test_several_objects_are_aggregated_and_fed_back(
    name: str, objects: int, checkpoint: Callable[[str], Path], make_clip: Any
) -> None:
    clip = make_clip(count=7, objects=objects)
    network = load_checkpoint(checkpoint(name)).network
    tracker = Tracker(open_engine(str(checkpoint(name)), "torch"))
    tracker.start(clip.frames[0], clip.labels[0])
    pairs = zip(clip.frames[1:], rollout(network, clip, soft_aggregation), strict=True)
    for frame, expected in pairs:
        result = tracker.step(frame)
        found = np.stack([result.probabilities[i] for i in range(1, objects + 1)])
        np.testing.assert_allclose(found, expected, atol=CLOSE)
        everything = np.concatenate([1 - expected.sum(axis=0)[None], expected])
        best, second = np.sort(everything, axis=0)[[-1, -2]]
        clear = best - second > 2 * CLOSE
        np.testing.assert_array_equal(result.mask[clear], everything.argmax(axis=0)[clear])


def test_what_is_fed_back_is_the_aggregated_mask(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(count=3, objects=2)
    tracker = open_tracker()
    tracker.start(clip.frames[0], clip.labels[0])
    for frame in clip.frames[1:]:
        result = tracker.step(frame)
        for slot in tracker.memory.occupied:
            a = result.probabilities[slot.object_id]
            means = a.reshape(6, 8, 10, 8).mean(axis=(1, 3))
            np.testing.assert_allclose(slot.masks[..., 1], means, atol=1e-6)
            np.testing.assert_allclose(slot.masks[..., 0], 1 - means, atol=1e-6)


class CountingEngine:
    """An engine that counts its calls and hands them on."""

    def __init__(self, engine: Any) -> None:
        self.engine, self.model, self.info = engine, engine.model, engine.info
        self.calls = dict.fromkeys(MODEL_STAGES, 0)

    def encode(self, *arguments: Any) -> None:
        self.calls["encode"] += 1
        self.engine.encode(*arguments)

    def embed(self, *arguments: Any) -> None:
        self.calls["embed"] += 1
        self.engine.embed(*arguments)

    def decode(self, *arguments: Any) -> None:
        self.calls["decode"] += 1
        self.engine.decode(*arguments)

    def close(self) -> None:
        self.engine.close()


@pytest.mark.parametrize("objects", [0, 1, 3])
def test_the_backbone_runs_once_a_frame_for_all_objects(
    objects: int, checkpoint: Callable[[str], Path], make_clip: Any
) -> None:
    clip = make_clip(count=4, objects=3)
    engine = CountingEngine(open_engine(str(checkpoint("release")), "torch"))
    tracker = Tracker(engine)
    tracker.start(clip.frames[0], {i: clip.labels[0] == i for i in range(1, objects + 1)})
    assert engine.calls == {"encode": 1, "embed": 0, "decode": 0}
    for done, frame in enumerate(clip.frames[1:], start=1):
        tracker.step(frame)
        assert engine.calls == {
            "encode": 1 + done,
            "embed": done * objects,
            "decode": done * objects,
        }
    tracker.add(9, clip.labels[3] == 1)
    assert engine.calls["encode"] == 4


def test_the_first_masks_and_boxes_come_back(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(objects=3)
    tracker = open_tracker()
    result = tracker.start(clip.frames[0], clip.labels[0])
    np.testing.assert_array_equal(result.mask, clip.labels[0])
    assert result.mask.dtype == np.uint8
    assert set(result.states.values()) == {ObjectState.TRACKING}
    result = tracker.start(clip.frames[0], {200: clip.labels[0] == 2, 7: clip.labels[0] == 1})
    expected = np.select([clip.labels[0] == 2, clip.labels[0] == 1], [200, 7])
    np.testing.assert_array_equal(result.mask, expected)
    assert tracker.objects == [200, 7]


def test_an_object_out_of_sight_is_lost_and_found_again(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(count=8)
    tracker = open_tracker()
    tracker.start(clip.frames[0], clip.labels[0])
    log_odds = tracker.memory.slots[0].decoded.log_odds
    decode = tracker.engine.decode
    seen = []
    for visible in (True, False, False, True):

        def decode_or_hide(*arguments: Any, visible: bool = visible) -> None:
            decode(*arguments)
            log_odds[...] -= 0 if visible else 1e4

        tracker.engine.decode = decode_or_hide
        result = tracker.step(clip.frames[1])
        assert np.any(result.mask) == visible
        seen.append((result.states[1], int(tracker.memory.slots[0].lost_frames[0])))
    assert seen == [
        (ObjectState.TRACKING, 0),
        (ObjectState.LOST, 1),
        (ObjectState.LOST, 2),
        (ObjectState.TRACKING, 0),
    ]


def test_timings_name_every_stage(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(count=2)
    tracker = open_tracker()
    first = tracker.start(clip.frames[0], clip.labels[0]).timings
    second = tracker.step(clip.frames[1]).timings
    assert tuple(first) == tuple(second) == STAGES
    assert first["decode"] == 0
    assert all(second[stage] > 0 for stage in STAGES)
    added = tracker.add(2, clip.labels[0]).timings
    assert all(added[stage] == 0 for stage in STAGES if stage != "mask")
    assert tuple(second.values()) != tuple(added.values())
