"""Training clips: a moving backdrop, cut-out objects over it, one of them the target.

A clip of stills and a clip of a real sequence differ in their backdrop alone. Any object may be the
target: the backdrop's own, or a pasted one; the others are then distractors and occluders. The cut
object warps by affine and elastic paths, so that the network sees shape change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from edge_ttvos.data.hiding import hidden
from edge_ttvos.data.layers import cut_film, cut_out, moving_still, real_backdrop
from edge_ttvos.data.odds import EVEN, Odds, drawn
from edge_ttvos.data.plan import ClipPlan, ClipSpec, Grade, LayerPlan
from edge_ttvos.data.pool import Image, Pool
from edge_ttvos.data.render import first_mask, render

MIN_TARGET = 0.003  # share of the first frame that the target must cover
MAX_TARGET = 0.9
ATTEMPTS = 20


@dataclass(frozen=True)
class Clip:
    """A clip and its target.

    Attributes:
        name: the photograph or sequence behind it.
        frames: (T, H, W, 3) RGB uint8.
        masks: (T, H, W) uint8 of 0 and 1.
        given: (H, W) uint8 of 0 and 1, what the tracker is told in the first frame.
    """

    name: str
    frames: Image
    masks: Image
    given: Image


def make_clip(pool: Pool, spec: ClipSpec, rng: np.random.Generator, odds: Odds = EVEN) -> Clip:
    """A clip whose first frame shows the target; equal ``rng`` states give equal clips."""
    return rendered(plan_clip(pool, spec, rng, odds))


def rendered(plan: ClipPlan) -> Clip:
    """A plan's pixels, by the CPU."""
    frames, masks = render(plan)
    given = _box(masks[0]) if plan.boxed else masks[0].copy()
    return Clip(plan.name, frames, masks, given)


def plan_image(pool: Pool, spec: ClipSpec, rng: np.random.Generator, odds: Odds) -> ClipPlan:
    """A single photograph and its object as a clip of one frame, turned, cropped and graded."""
    still = drawn(pool.stills, odds.stills, rng)
    return _finished(still.name, spec, [moving_still(still, spec, rng)], 0, rng)


def plan_clip(pool: Pool, spec: ClipSpec, rng: np.random.Generator, odds: Odds) -> ClipPlan:
    """A clip whose first frame shows the target, unless many attempts in a row fail."""
    for _ in range(ATTEMPTS):
        plan = _attempt(pool, spec, rng, odds)
        if MIN_TARGET <= first_mask(plan).mean() < MAX_TARGET:
            break
    return plan


def _attempt(pool: Pool, spec: ClipSpec, rng: np.random.Generator, odds: Odds) -> ClipPlan:
    """Draw a clip; whether its first frame shows the target is still to be seen."""
    use_still = not pool.sequences or (pool.stills and rng.random() < spec.stills)
    if use_still:
        still = drawn(pool.stills, odds.stills, rng)
        name, backdrop = still.name, moving_still(still, spec, rng)
    else:
        sequence = drawn(pool.sequences, odds.sequences, rng)
        name, backdrop = sequence.name, real_backdrop(sequence, spec, rng)
    pasted = int(rng.choice(3, p=(0.3, 0.5, 0.2) if use_still else (0.6, 0.3, 0.1)))
    layers = [backdrop, *_pasted(pasted, pool, spec, rng)]
    target = int(rng.integers(len(layers)))
    layers, target = hidden(layers, target, pool, spec, rng)
    return _finished(name, spec, layers, target, rng)


def _pasted(
    count: int, pool: Pool, spec: ClipSpec, rng: np.random.Generator
) -> Iterator[LayerPlan]:
    """Objects of other photographs, or of other sequences, as far as there are any."""
    stills = rng.integers(len(pool.stills), size=count) if pool.stills else [None] * count
    for index in stills:
        if spec.films and pool.sequences and rng.random() < spec.films:
            yield cut_film(pool.sequences[rng.integers(len(pool.sequences))], spec, rng)
        elif index is not None:
            yield cut_out(pool.stills[index], spec, rng)


def _finished(
    name: str, spec: ClipSpec, layers: list[LayerPlan], target: int, rng: np.random.Generator
) -> ClipPlan:
    """With its grading; at times mirrored, at times told by a box."""
    grade = _grade(spec.frames, rng)
    mirrored = rng.random() < 0.5
    boxed = rng.random() < spec.boxes
    return ClipPlan(name, spec.size, tuple(layers), target, grade, mirrored, boxed)


def _grade(length: int, rng: np.random.Generator) -> Grade:
    """Exposure, contrast and colour cast that drift through the clip; at times blur or grey."""
    cast, drift = 0.08 * rng.normal(size=3), 0.04 * rng.normal(size=(length, 1))
    gain = np.exp(0.15 * rng.normal() + cast + drift)
    offset = 12 * rng.normal() + 4 * rng.normal(size=(length, 1))
    sigma = rng.uniform(0.4, 1.6) if rng.random() < 0.15 else None
    return Grade(gain, offset, sigma, grey=rng.random() < 0.08)


def _box(mask: Image) -> Image:
    """The mask's bounding box, filled."""
    x, y, width, height = cv2.boundingRect(mask)
    box = np.zeros_like(mask)
    box[y : y + height, x : x + width] = 1
    return box
