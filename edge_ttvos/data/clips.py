"""Training clips: a moving backdrop, cut-out objects over it, one of them the target.

A clip of stills and a clip of a real sequence differ in their backdrop alone. Any object may be the
target: the backdrop's own, or a pasted one; the others are then distractors and occluders. The cut
object warps by affine and elastic paths, so that the network sees shape change.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edge_ttvos.data.hiding import hidden
from edge_ttvos.data.layers import cut_film, cut_out, moving_still, real_backdrop
from edge_ttvos.data.odds import EVEN, Odds, drawn
from edge_ttvos.data.plan import ClipPlan, ClipSpec, Grade, LayerPlan, Target
from edge_ttvos.data.pool import Pool
from edge_ttvos.data.render import first_mask

MIN_TARGET = 0.003  # share of the first frame that the target must cover
MAX_TARGET = 0.9
ATTEMPTS = 20
EXACT_BOXES = 0.5  # share of boxes that touch the target on all sides
SLACK = (-0.05, 0.15)  # of the others' sides: people draw a little too large, seldom too small


def plan_image(pool: Pool, spec: ClipSpec, rng: np.random.Generator, odds: Odds) -> ClipPlan:
    """A single photograph and its object as a clip of one frame, turned, cropped and graded."""
    still = drawn(pool.stills, odds.stills, rng)
    return _finished(still.name, spec, [moving_still(still, spec, rng)], [0], rng)


def plan_clip(pool: Pool, spec: ClipSpec, rng: np.random.Generator, odds: Odds = EVEN) -> ClipPlan:
    """A clip whose first frame shows its targets; equal ``rng`` states give equal plans.

    Many attempts in a row that do not show the first target are given up: then it is not there.
    """
    for _ in range(ATTEMPTS):
        name, layers, target = _attempt(pool, spec, rng, odds)
        if _is_shown(layers, target, spec):
            break
    others = [
        number
        for number in range(len(layers))
        if spec.objects > 1 and number != target and _is_shown(layers, number, spec)
    ]
    rng.shuffle(others)
    return _finished(name, spec, layers, [target, *others], rng)


def _is_shown(layers: list[LayerPlan], number: int, spec: ClipSpec) -> bool:
    return bool(MIN_TARGET <= first_mask(layers, number, spec.size).mean() < MAX_TARGET)


def _attempt(
    pool: Pool, spec: ClipSpec, rng: np.random.Generator, odds: Odds
) -> tuple[str, list[LayerPlan], int]:
    """A name, layers and the first target; whether the first frame shows it is to be seen."""
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
    return name, layers, target


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
    name: str, spec: ClipSpec, layers: list[LayerPlan], shown: list[int], rng: np.random.Generator
) -> ClipPlan:
    """With its grading; at times mirrored; its targets told by masks or by boxes."""
    grade = _grade(spec.frames, rng)
    mirrored = rng.random() < 0.5
    targets = tuple(_targets(shown, spec, rng))
    return ClipPlan(name, spec.size, tuple(layers), targets, grade, mirrored)


def _targets(shown: list[int], spec: ClipSpec, rng: np.random.Generator) -> Iterator[Target]:
    """As many as are wanted: where too few are shown they come again, told the other way."""
    boxed: list[bool] = []
    for number in range(spec.objects):
        again = number >= len(shown)
        boxed.append(not boxed[number - len(shown)] if again else bool(rng.random() < spec.boxes))
        yield Target(shown[number % len(shown)], _drawn_box(rng) if boxed[-1] else None)


def _drawn_box(rng: np.random.Generator) -> tuple[float, float, float, float]:
    if rng.random() < EXACT_BOXES:
        return (0.0, 0.0, 0.0, 0.0)
    left, top, right, bottom = rng.uniform(*SLACK, size=4).tolist()
    return left, top, right, bottom


def _grade(length: int, rng: np.random.Generator) -> Grade:
    """Exposure, contrast and colour cast that drift through the clip; at times blur or grey."""
    cast, drift = 0.08 * rng.normal(size=3), 0.04 * rng.normal(size=(length, 1))
    gain = np.exp(0.15 * rng.normal() + cast + drift)
    offset = 12 * rng.normal() + 4 * rng.normal(size=(length, 1))
    sigma = rng.uniform(0.4, 1.6) if rng.random() < 0.15 else None
    return Grade(gain, offset, sigma, grey=rng.random() < 0.08)
