from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_ttvos.data.clips import MIN_TARGET, SLACK, plan_clip, plan_image
from edge_ttvos.data.layers import cut_film, cut_out, moving_still, real_backdrop
from edge_ttvos.data.odds import EVEN, Odds
from edge_ttvos.data.plan import ClipPlan, ClipSpec, LayerPlan
from edge_ttvos.data.pool import Pool, Sequence, Still
from edge_ttvos.data.render import Layer, composite, render, visible, warped

SPEC = ClipSpec(frames=4, size=(48, 64), max_stride=3, stills=0.5, boxes=0.3)
SEEDS = range(40)


@dataclass(frozen=True)
class Clip:
    """A plan and its pixels: frames (T, H, W, 3), masks (K, T, H, W)."""

    plan: ClipPlan
    frames: NDArray[np.uint8]
    all_masks: NDArray[np.uint8]

    @property
    def masks(self) -> NDArray[np.uint8]:
        """Of the first target, (T, H, W)."""
        return np.asarray(self.all_masks[0], np.uint8)


def draw(pool: Pool, seed: int, **changes: object) -> Clip:
    spec = replace(SPEC, **changes)  # type: ignore[arg-type]
    plan = plan_clip(pool, spec, np.random.default_rng((seed, 0)))
    return Clip(plan, *render(plan))


def test_a_clip_is_frames_and_masks_of_zero_and_one(pool: Pool) -> None:
    for seed in SEEDS:
        clip = draw(pool, seed)
        assert clip.frames.shape == (4, 48, 64, 3)
        assert clip.all_masks.shape == (1, 4, 48, 64)
        for array in (clip.frames, clip.all_masks):
            assert array.dtype == np.uint8
            assert array.flags["C_CONTIGUOUS"]
        assert set(np.unique(clip.masks)) <= {0, 1}
        assert clip.frames.std() > 0


def test_equal_seeds_give_equal_clips_and_others_differ(pool: Pool) -> None:
    for seed in SEEDS:
        first, second, other = draw(pool, seed), draw(pool, seed), draw(pool, seed + 1000)
        assert first.plan.name == second.plan.name
        assert first.plan.targets == second.plan.targets
        for key in ("frames", "all_masks"):
            np.testing.assert_array_equal(getattr(first, key), getattr(second, key))
        assert not np.array_equal(first.frames, other.frames)


def test_the_pool_is_not_written_to(pool: Pool) -> None:
    before = [still.image.copy() for still in pool.stills]
    for seed in range(10):
        draw(pool, seed)
    for still, image in zip(pool.stills, before, strict=True):
        np.testing.assert_array_equal(still.image, image)


def test_the_target_is_visible_in_the_first_frame(pool: Pool) -> None:
    for seed in range(100):
        share = draw(pool, seed).masks[0].mean()
        assert MIN_TARGET <= share < 0.9


def test_a_sequence_that_loses_its_object_is_drawn_where_it_shows_it(
    make_sequence: Callable[..., Sequence],
) -> None:
    """Ten of twelve masks are empty: clips that begin on one of them are drawn again."""
    whole = make_sequence()
    masks = tuple(
        mask if i in (4, 5) else np.zeros_like(mask) for i, mask in enumerate(whole.masks)
    )
    pool = Pool((), (replace(whole, masks=masks),))
    assert all(draw(pool, seed).masks[0].any() for seed in SEEDS)


def test_the_share_of_stills(pool: Pool) -> None:
    names = {
        share: [draw(pool, s, stills=share).plan.name for s in SEEDS] for share in (0.0, 0.5, 1.0)
    }
    assert set(names[0.0]) == {"walk", "stroll"}
    assert set(names[1.0]) == {"still0", "still1", "still2"}
    of_stills = sum(name.startswith("still") for name in names[0.5])
    assert 10 <= of_stills <= 30


def test_a_pool_of_one_kind_alone(pool: Pool) -> None:
    for share in (0.0, 1.0):
        assert draw(Pool(pool.stills, ()), 0, stills=share).plan.name.startswith("still")
        assert draw(Pool((), pool.sequences), 0, stills=share).plan.name in ("walk", "stroll")


def test_targets_are_told_by_masks_or_by_boxes_that_people_would_draw(pool: Pool) -> None:
    assert all(draw(pool, seed, boxes=0.0).plan.targets[0].box is None for seed in SEEDS)
    boxes = [draw(pool, seed, boxes=1.0).plan.targets[0].box for seed in SEEDS]
    slack = np.array([box for box in boxes if box is not None])
    assert slack.shape == (len(SEEDS), 4)
    exact = (slack == 0).all(axis=1)
    assert 0.25 < exact.mean() < 0.75
    sloppy = slack[~exact]
    assert (sloppy >= SLACK[0]).all()
    assert (sloppy <= SLACK[1]).all()
    assert (sloppy < 0).any(), "some cut into the target"
    assert (sloppy > 0.1).any()


def test_several_targets_are_other_objects_where_the_first_frame_shows_some(pool: Pool) -> None:
    apart = again = 0
    for seed in range(60):
        clip = draw(pool, seed, objects=3)
        first, second, third = clip.plan.targets
        assert clip.all_masks.shape == (3, 4, 48, 64)
        layers = [target.layer for target in clip.plan.targets]
        assert layers[0] == draw(pool, seed).plan.targets[0].layer, "the first is who it was"
        for number, masks in zip(layers, clip.all_masks, strict=True):
            if number == layers[0]:
                np.testing.assert_array_equal(masks, clip.all_masks[0])
            else:
                assert masks[0].mean() >= MIN_TARGET
                assert not (masks & clip.all_masks[0]).any(), "a pixel is one object's"
        if len(set(layers)) == 3:
            apart += 1
        elif len(set(layers)) == 1:
            again += 1
            told = [target.box is not None for target in (first, second, third)]
            assert told == [told[0], not told[0], told[0]], "told the other way each time"
    assert apart > 3
    assert again > 3


def test_frames_and_masks_move_together(pool: Pool) -> None:
    """Objects are white on dark ground, whatever the grading, the flip and the other objects."""
    for seed in SEEDS:
        clip = draw(pool, seed)
        for frame, mask in zip(clip.frames.astype(float), clip.masks, strict=True):
            if MIN_TARGET < mask.mean() < 0.9:
                assert frame[mask == 1].mean() > frame[mask == 0].mean() + 20


def test_a_target_moves(pool: Pool) -> None:
    moved = [not np.array_equal(clip.masks[0], clip.masks[3]) for clip in map_clips(pool)]
    assert sum(moved) > 0.9 * len(moved)


def map_clips(pool: Pool) -> list[Clip]:
    return [draw(pool, seed) for seed in SEEDS]


def as_layer(make: Callable[..., LayerPlan], source: Still | Sequence, seed: int) -> Layer:
    return warped(make(source, SPEC, np.random.default_rng(seed)), SPEC.size)


def test_a_photograph_and_its_mask_are_warped_alike(stills: tuple[Still, ...]) -> None:
    """A photograph that is its mask stays so, in every layer it can become."""
    for seed in SEEDS:
        mask = stills[seed % 3].mask
        pure = Still("pure", np.repeat(mask[..., None], 3, axis=-1), mask)
        whole = as_layer(moving_still, pure, seed)
        np.testing.assert_array_equal(whole.frames, whole.alpha[..., None].repeat(3, axis=-1))
        cut = as_layer(cut_out, pure, seed)
        inside = cut.alpha > 127
        assert (cut.frames[inside] > 127).all()


def test_a_real_clip_takes_frames_in_steps_and_masks_of_the_same_frames() -> None:
    """Frame i is grey 10 · i all over, its mask is full for even i: the layer tells its indices."""
    frames = tuple(np.full((60, 80, 3), 10 * i, np.uint8) for i in range(20))
    masks = tuple(np.full((60, 80), 255 * (i % 2 == 0), np.uint8) for i in range(20))
    steps = set()
    for seed in SEEDS:
        layer = as_layer(real_backdrop, Sequence("grey", frames, masks), seed)
        indices = layer.frames[:, 0, 0, 0] // 10
        for index, frame, alpha in zip(indices, layer.frames, layer.alpha, strict=True):
            assert (frame == 10 * index).all()
            assert (alpha == (255 if index % 2 == 0 else 0)).all()
        unique = set(np.diff(indices.astype(int)).tolist())
        assert len(unique) == 1
        steps |= unique
    assert steps == {-3, -2, -1, 1, 2, 3}


def test_a_sequence_shorter_than_the_clip_rests_on_its_last_frame(
    make_sequence: Callable[..., Sequence],
) -> None:
    pool = Pool((), (make_sequence(length=2),))
    assert draw(pool, 0, frames=6).masks.shape[0] == 6


def row(*values: int) -> NDArray[np.uint8]:
    return np.array([[values]], np.uint8)  # one frame, one row


def layer(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> Layer:
    return Layer(np.repeat(colours[..., None], 3, axis=-1), alpha)


LAYERS = [
    layer(row(100, 100, 100, 100, 100), row(255, 255, 255, 0, 0)),
    layer(row(200, 200, 200, 200, 200), row(0, 255, 127, 255, 128)),
    layer(row(50, 50, 50, 50, 50), row(0, 0, 0, 255, 0)),
]


def test_layers_are_painted_in_order_by_hand() -> None:
    frames = composite(LAYERS)
    blend127 = (200 * 127 + 100 * 128) // 255
    blend128 = (200 * 128 + 100 * 127) // 255
    want = row(100, 200, blend127, 50, blend128)
    np.testing.assert_array_equal(frames, np.repeat(want[..., None], 3, axis=-1))
    assert frames.dtype == np.uint8


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        (0, row(1, 0, 1, 0, 0)),  # a coverage of 127 hides nothing, 255 does
        (1, row(0, 1, 0, 0, 1)),  # the third layer lies on its fourth pixel
        (2, row(0, 0, 0, 1, 0)),
    ],
)
def test_the_target_keeps_what_no_later_layer_covers(target: int, seen: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(visible([layer.alpha for layer in LAYERS], target), seen)


def test_a_lone_layer_is_itself() -> None:
    np.testing.assert_array_equal(composite(LAYERS[:1]), LAYERS[0].frames)


def test_an_image_is_a_photograph_with_its_object(pool: Pool) -> None:
    spec = replace(SPEC, frames=1)
    names = set()
    for seed in SEEDS:
        plan = plan_image(pool, spec, np.random.default_rng(seed), EVEN)
        frames, masks = render(plan)
        names.add(plan.name)
        assert frames.shape == (1, 48, 64, 3)
        inside = masks[0, 0] == 1
        if inside.any():
            assert frames[0][inside].mean() > frames[0][~inside].mean() + 20
    assert names == {"still0", "still1", "still2"}


def test_odds_choose_the_source(pool: Pool) -> None:
    """One still and one sequence have all the odds."""
    odds = Odds(np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0]))
    clips = [plan_clip(pool, SPEC, np.random.default_rng(seed), odds) for seed in SEEDS]
    assert {clip.name for clip in clips} == {"still1", "walk"}
    plan = plan_image(pool, replace(SPEC, frames=1), np.random.default_rng(0), odds)
    assert plan.name == "still1"


def test_objects_are_pasted_from_films(pool: Pool) -> None:
    """A film is a rising grey, its object a disc: what is pasted shows frames that change."""
    frames = tuple(np.full((60, 80, 3), 60 + 12 * i, np.uint8) for i in range(12))
    film = replace(pool.sequences[0], frames=frames)
    layer = as_layer(cut_film, film, 0)
    greys = [int(np.median(f[a > 200])) for f, a in zip(layer.frames, layer.alpha, strict=True)]
    steps = set(np.diff(greys).tolist())
    assert len(steps) == 1
    assert steps <= {12, 24, -12, -24}


def test_without_photographs_films_alone_are_pasted(pool: Pool) -> None:
    sequences_alone = Pool((), pool.sequences)
    for films, most in ((0.0, 1), (1.0, 3)):
        spec = replace(SPEC, films=films)
        plans = [
            plan_clip(sequences_alone, spec, np.random.default_rng(seed), EVEN) for seed in SEEDS
        ]
        assert max(len(plan.layers) for plan in plans) == most
