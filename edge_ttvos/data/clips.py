"""Training clips: a moving backdrop, cut-out objects over it, one of them the target.

A clip of stills and a clip of a real sequence differ in their backdrop alone. Any object may be the
target: the backdrop's own, or a pasted one; the others are then distractors and occluders. The cut
object warps by affine and elastic paths, so that the network sees shape change.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.data.motion import CAMERA, OBJECT, Motion, Pose, bends, poses, sampling_maps
from edge_ttvos.data.odds import EVEN, Odds, drawn
from edge_ttvos.data.pool import Image, Pool, Sequence, Still

MIN_TARGET = 0.003  # share of the first frame that the target must cover
ATTEMPTS = 20


@dataclass(frozen=True)
class ClipSpec:
    """What a clip must look like.

    Attributes:
        frames: its length.
        size: height and width in pixels.
        max_stride: largest distance in frames between two frames of a real clip.
        stills: share of clips made from still images.
        boxes: share of clips whose first frame gives only the target's bounding box.
        occlusions: share of clips in which something hides most of the target for some frames.
        departures: share of clips whose target leaves the frame and comes back; it is a pasted one.
    """

    frames: int
    size: tuple[int, int]
    max_stride: int
    stills: float
    boxes: float
    occlusions: float = 0.0
    departures: float = 0.0


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


@dataclass(frozen=True)
class Layer:
    """One layer over time: colours (T, H, W, 3) uint8 and coverage (T, H, W) uint8 of 0…255."""

    frames: Image
    alpha: Image


def make_clip(pool: Pool, spec: ClipSpec, rng: np.random.Generator, odds: Odds = EVEN) -> Clip:
    """Draw a clip whose first frame shows the target; equal ``rng`` states give equal clips."""
    for _ in range(ATTEMPTS):
        clip = _draw(pool, spec, rng, odds)
        if clip.masks[0].mean() >= MIN_TARGET and clip.masks[0].mean() < 0.9:
            break
    return clip


def make_image(pool: Pool, spec: ClipSpec, rng: np.random.Generator, odds: Odds = EVEN) -> Clip:
    """A single photograph and its object as a clip of one frame, turned, cropped and graded."""
    still = drawn(pool.stills, odds.stills, rng)
    layer = _moving_still(still, spec, rng)
    return _finished(still.name, layer.frames, (layer.alpha > 127).astype(np.uint8), spec, rng)


def _draw(pool: Pool, spec: ClipSpec, rng: np.random.Generator, odds: Odds) -> Clip:
    use_still = not pool.sequences or (pool.stills and rng.random() < spec.stills)
    if use_still:
        still = drawn(pool.stills, odds.stills, rng)
        name, backdrop = still.name, _moving_still(still, spec, rng)
    else:
        sequence = drawn(pool.sequences, odds.sequences, rng)
        name, backdrop = sequence.name, _real_backdrop(sequence, spec, rng)
    pasted = int(rng.choice(3, p=(0.3, 0.5, 0.2) if use_still else (0.6, 0.3, 0.1)))
    layers = [backdrop]
    if pool.stills:
        for index in rng.integers(len(pool.stills), size=pasted):
            layers.append(_cut_out(pool.stills[index], spec, rng))
    target = int(rng.integers(len(layers)))
    frames, masks = _composite(layers, target)
    return _finished(name, frames, masks, spec, rng)


def _finished(
    name: str, frames: Image, masks: Image, spec: ClipSpec, rng: np.random.Generator
) -> Clip:
    """Graded, at times mirrored, with what the tracker is told."""
    frames = _grade(frames, rng)
    if rng.random() < 0.5:
        frames, masks = frames[:, :, ::-1], masks[:, :, ::-1]
    given = _box(masks[0]) if rng.random() < spec.boxes else masks[0]
    return Clip(
        name,
        np.ascontiguousarray(frames),
        np.ascontiguousarray(masks),
        np.ascontiguousarray(given),
    )


def _box(mask: Image) -> Image:
    """The mask's bounding box, filled."""
    x, y, width, height = cv2.boundingRect(np.ascontiguousarray(mask))
    box = np.zeros_like(mask)
    box[y : y + height, x : x + width] = 1
    return box


def _warp(
    image: Image, mask: Image, maps: tuple[NDArray[np.float32], NDArray[np.float32]], border: int
) -> tuple[Image, Image]:
    colours = cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    alpha = cv2.remap(mask, *maps, cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(colours, np.uint8), np.asarray(alpha, np.uint8)


def _animate(
    pair: tuple[Image, Image],
    start: Pose,
    centre: tuple[float, float],
    motion: Motion,
    spec: ClipSpec,
    rng: np.random.Generator,
    border: int,
) -> Layer:
    frames, alphas = [], []
    path = poses(rng, start, motion, spec.frames, spec.size[0])
    for pose, bend in zip(path, bends(rng, motion, spec.frames, spec.size), strict=True):
        x, y = sampling_maps(pose, centre, spec.size)
        if bend is not None:
            x, y = x + bend[0], y + bend[1]
        colours, alpha = _warp(*pair, (x, y), border)
        frames.append(colours)
        alphas.append(alpha)
    return Layer(np.stack(frames), np.stack(alphas))


def _moving_still(still: Still, spec: ClipSpec, rng: np.random.Generator) -> Layer:
    """The whole photograph under a moving camera; at times object and all bend with it."""
    height, width = still.mask.shape
    cover = max(spec.size[0] / height, spec.size[1] / width)
    scale = cover * rng.uniform(1.0, 1.5)
    start = Pose(spec.size[1] / 2, spec.size[0] / 2, scale, float(rng.normal(0, 0.1)))
    slack_x = max(0.0, width - spec.size[1] / scale) / 2
    slack_y = max(0.0, height - spec.size[0] / scale) / 2
    centre = (
        width / 2 + rng.uniform(-slack_x, slack_x),
        height / 2 + rng.uniform(-slack_y, slack_y),
    )
    motion = CAMERA if rng.random() < 0.5 else OBJECT
    pair = (still.image, still.mask)
    return _animate(pair, start, centre, motion, spec, rng, cv2.BORDER_REFLECT_101)


def _cut_out(still: Still, spec: ClipSpec, rng: np.random.Generator) -> Layer:
    """A photograph's object alone, scaled to the frame, on a path of its own."""
    x, y, width, height = cv2.boundingRect(still.mask)
    extent = spec.size[0] * float(np.exp(rng.uniform(np.log(0.15), np.log(0.9))))
    scale = extent / max(width, height)
    start = Pose(
        rng.uniform(0.1, 0.9) * spec.size[1],
        rng.uniform(0.15, 0.85) * spec.size[0],
        scale,
        float(rng.normal(0, 0.2)),
    )
    centre = (x + width / 2, y + height / 2)
    pair = (still.image, still.mask)
    return _animate(pair, start, centre, OBJECT, spec, rng, cv2.BORDER_CONSTANT)


def _real_backdrop(sequence: Sequence, spec: ClipSpec, rng: np.random.Generator) -> Layer:
    """Consecutive frames at a random stride, forward or backward, under one random crop."""
    length = len(sequence.frames)
    stride = int(rng.integers(1, min(spec.max_stride, max(1, (length - 1) // spec.frames)) + 1))
    span = stride * (spec.frames - 1)
    first = int(rng.integers(0, max(1, length - span)))
    indices = np.minimum(first + stride * np.arange(spec.frames), length - 1)
    if rng.random() < 0.5:
        indices = indices[::-1]
    height, width = sequence.masks[0].shape
    cover = max(spec.size[0] / height, spec.size[1] / width)
    scale = cover * float(np.exp(rng.uniform(0, np.log(1.8))))
    centre = _object_crop(sequence.masks[indices[0]], scale, spec, rng)
    angle = float(rng.normal(0, 0.05))
    pose = Pose(spec.size[1] / 2, spec.size[0] / 2, scale, angle)
    maps = sampling_maps(pose, centre, spec.size)
    pairs = [
        _warp(sequence.frames[i], sequence.masks[i], maps, cv2.BORDER_REFLECT_101) for i in indices
    ]
    return Layer(np.stack([p[0] for p in pairs]), np.stack([p[1] for p in pairs]))


def _object_crop(
    mask: Image, scale: float, spec: ClipSpec, rng: np.random.Generator
) -> tuple[float, float]:
    """Centre of a crop window that stays in the frame and holds some of the object."""
    height, width = mask.shape
    half_w, half_h = spec.size[1] / scale / 2, spec.size[0] / scale / 2
    x, y, w, h = cv2.boundingRect(mask)
    aim_x = x + rng.uniform(0, 1) * w if w else width / 2
    aim_y = y + rng.uniform(0, 1) * h if h else height / 2
    aim_x += rng.uniform(-0.7, 0.7) * half_w
    aim_y += rng.uniform(-0.7, 0.7) * half_h
    return (
        float(np.clip(aim_x, min(half_w, width / 2), max(width - half_w, width / 2))),
        float(np.clip(aim_y, min(half_h, height / 2), max(height - half_h, height / 2))),
    )


def _composite(layers: list[Layer], target: int) -> tuple[Image, Image]:
    """Paint the layers in order; the target keeps what no later layer covers."""
    frames = layers[0].frames
    visible = layers[0].alpha > 127 if target == 0 else np.zeros(layers[0].alpha.shape, bool)
    for index, layer in enumerate(layers[1:], start=1):
        alpha = layer.alpha[..., None].astype(np.uint16)
        blended = (layer.frames * alpha + frames * (255 - alpha)) // 255
        frames = blended.astype(np.uint8)
        covered = layer.alpha > 127
        visible = covered if index == target else visible & ~covered
    return frames, visible.astype(np.uint8)


def _grade(frames: Image, rng: np.random.Generator) -> Image:
    """Exposure, contrast and colour cast that drift through the clip; at times blur or grey."""
    length = len(frames)
    cast, drift = 0.08 * rng.normal(size=3), 0.04 * rng.normal(size=(length, 1))
    gain = np.exp(0.15 * rng.normal() + cast + drift)
    offset = 12 * rng.normal() + 4 * rng.normal(size=(length, 1))
    levels = np.arange(256)[None, :, None]
    tables = np.clip((levels - 128) * gain[:, None] + 128 + offset[:, None], 0, 255)
    graded = np.stack(
        [cv2.LUT(f, t[None].astype(np.uint8)) for f, t in zip(frames, tables, strict=True)]
    )
    if rng.random() < 0.15:
        sigma = rng.uniform(0.4, 1.6)
        graded = np.stack([cv2.GaussianBlur(f, (0, 0), sigma) for f in graded])
    if rng.random() < 0.08:
        graded = np.repeat(graded.mean(axis=-1, keepdims=True).astype(np.uint8), 3, axis=-1)
    return np.asarray(graded, np.uint8)
