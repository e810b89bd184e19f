from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_ttvos.data.clips import plan_clip
from edge_ttvos.data.hiding import departed, hidden, occluder
from edge_ttvos.data.layers import cut_out, moving_still
from edge_ttvos.data.motion import Pose
from edge_ttvos.data.plan import ClipSpec, LayerPlan
from edge_ttvos.data.pool import Pool, Sequence
from edge_ttvos.data.render import render, visible, warped

SPEC = ClipSpec(frames=7, size=(48, 64), max_stride=3, stills=0.5, boxes=0.0)
SEEDS = range(30)


@pytest.fixture
def resting(pool: Pool) -> LayerPlan:
    """An object in the middle of the frame that does not move."""
    layer = cut_out(pool.stills[0], SPEC, np.random.default_rng(0))
    return replace(layer, poses=(Pose(32.0, 24.0, 0.6, 0.0),) * 7, bends=None)


def areas(target: LayerPlan, *front: LayerPlan) -> NDArray[np.float64]:
    """Share of the resting target that is seen in each frame."""
    alphas = [warped(layer, SPEC.size).alpha for layer in (target, *front)]
    shown = visible(alphas, 0).sum(axis=(1, 2))
    return shown / (alphas[0][0] > 127).sum()


def test_an_occluder_covers_most_of_the_target_and_leaves_it(
    resting: LayerPlan, pool: Pool
) -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        front = occluder(resting.boxes(), pool.stills[1], SPEC, rng)
        seen = areas(resting, front)
        hidden_frames = np.flatnonzero(seen < 0.5)
        assert 1 <= hidden_frames.size <= 3, (seed, seen)
        assert (np.diff(hidden_frames) == 1).all()
        assert seen[0] > 0.6, (seed, seen)
        assert seen[-1] > 0.6, (seed, seen)


def test_an_occluder_goes_with_the_target(resting: LayerPlan, pool: Pool) -> None:
    walk = tuple(replace(pose, x=pose.x + 2.0 * t) for t, pose in enumerate(resting.poses))
    moving = replace(resting, poses=walk)
    still_front = occluder(resting.boxes(), pool.stills[1], SPEC, np.random.default_rng(0))
    front = occluder(moving.boxes(), pool.stills[1], SPEC, np.random.default_rng(0))
    assert [a.x - b.x for a, b in zip(front.poses, still_front.poses, strict=True)] == (
        pytest.approx([2.0 * t for t in range(7)])
    )


def test_a_target_that_leaves_is_gone_for_some_frames_and_comes_back(resting: LayerPlan) -> None:
    ways = set()
    for seed in SEEDS:
        layer = departed(resting, SPEC, np.random.default_rng(seed))
        seen = areas(resting) * warped(layer, SPEC.size).alpha.astype(bool).sum(axis=(1, 2))
        gone = np.flatnonzero(seen == 0)
        assert 1 <= gone.size <= 5, (seed, seen)
        assert (np.diff(gone) == 1).all()
        assert seen[0] > 0
        assert seen[-1] > 0
        out = layer.poses[int(gone[0])]
        ways.add((np.sign(out.x - 32.0), np.sign(out.y - 24.0)))
    assert ways == {(1, 0), (-1, 0), (0, 1), (0, -1)}


def test_nothing_is_drawn_where_nothing_is_asked_for(resting: LayerPlan, pool: Pool) -> None:
    """Recipes without these keys see the clips that they always saw."""
    rng, other = np.random.default_rng(3), np.random.default_rng(3)
    layers, target = hidden([resting], 0, pool, SPEC, rng)
    assert layers == [resting]
    assert target == 0
    assert rng.random() == other.random()


def test_the_backdrop_does_not_leave(pool: Pool) -> None:
    backdrop = moving_still(pool.stills[0], SPEC, np.random.default_rng(0))
    spec = replace(SPEC, departures=1.0)
    layers, target = hidden([backdrop], 0, pool, spec, np.random.default_rng(0))
    assert len(layers) == 2
    assert target == 1
    assert layers[0] == backdrop


@pytest.mark.parametrize("key", ["occlusions", "departures"])
def test_clips_lose_their_target_and_show_it_again(pool: Pool, key: str) -> None:
    spec = replace(SPEC, **{key: 1.0})  # type: ignore[arg-type]
    lost = returned = 0
    for seed in SEEDS:
        frames, masks = render(plan_clip(pool, spec, np.random.default_rng(seed)))
        again = render(plan_clip(pool, spec, np.random.default_rng(seed)))
        np.testing.assert_array_equal(frames, again[0])
        np.testing.assert_array_equal(masks, again[1])
        shares = masks[0].mean(axis=(1, 2))
        assert shares[0] > 0
        low = int(shares[1:-1].argmin()) + 1
        lost += shares[low] < 0.5 * shares[0]
        returned += shares[low] < 0.5 * shares[0] and shares[low + 1 :].max() > 0.5 * shares[0]
    assert lost > 0.8 * len(SEEDS)
    assert returned > 0.5 * len(SEEDS)


def test_the_shortest_clip_that_can_hide(pool: Pool) -> None:
    spec = replace(SPEC, frames=3, departures=1.0, stills=1.0)
    for seed in SEEDS:
        masks = render(plan_clip(pool, spec, np.random.default_rng(seed)))[1][0]
        assert masks[0].any()
        assert masks[1].sum() < masks[0].sum()


def test_a_target_that_is_empty_in_some_frames_can_be_hidden(
    make_sequence: Callable[..., Sequence], pool: Pool
) -> None:
    whole = make_sequence(length=12)
    shown = tuple(m if i < 6 else np.zeros_like(m) for i, m in enumerate(whole.masks))
    spec = replace(SPEC, occlusions=1.0, stills=0.0)
    patchy = Pool(pool.stills, (replace(whole, masks=shown),))
    for seed in SEEDS:
        masks = render(plan_clip(patchy, spec, np.random.default_rng(seed)))[1][0]
        assert masks[0].any()
