"""The layers of a clip: a photograph as backdrop, its object alone, frames of a real sequence."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.data.motion import CAMERA, OBJECT, Motion, Pose, bends, poses
from edge_ttvos.data.plan import ClipSpec, LayerPlan
from edge_ttvos.data.pool import Image, Sequence, Still

Point = tuple[float, float]  # x and y in pixels


def moving_still(still: Still, spec: ClipSpec, rng: np.random.Generator) -> LayerPlan:
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
    return _animated(still, start, centre, motion, spec, rng)


def cut_out(still: Still, spec: ClipSpec, rng: np.random.Generator) -> LayerPlan:
    """A photograph's object alone, scaled to the frame, on a path of its own."""
    start, centre = _somewhere(still.mask, spec, rng)
    return _animated(still, start, centre, None, spec, rng)


def cut_film(sequence: Sequence, spec: ClipSpec, rng: np.random.Generator) -> LayerPlan:
    """A real sequence's object alone, scaled to the frame, on a path beside its own motion."""
    indices = _window(sequence, spec, rng)
    masks = tuple(sequence.masks[i] for i in indices)
    start, centre = _somewhere(masks[0], spec, rng)
    path = poses(rng, start, CAMERA, spec.frames, spec.size[0])
    frames = tuple(sequence.frames[i] for i in indices)
    return LayerPlan(frames, masks, tuple(path), centre, bends=None, cut=True)


def _somewhere(mask: Image, spec: ClipSpec, rng: np.random.Generator) -> tuple[Pose, Point]:
    """A random place and size for a mask's object, and its centre in the source."""
    x, y, width, height = cv2.boundingRect(mask)
    extent = spec.size[0] * float(np.exp(rng.uniform(np.log(0.15), np.log(0.9))))
    pose = Pose(
        rng.uniform(0.1, 0.9) * spec.size[1],
        rng.uniform(0.15, 0.85) * spec.size[0],
        extent / max(width, height, 1),
        float(rng.normal(0, 0.2)),
    )
    return pose, (x + width / 2, y + height / 2)


def _animated(
    still: Still,
    start: Pose,
    centre: Point,
    camera: Motion | None,
    spec: ClipSpec,
    rng: np.random.Generator,
) -> LayerPlan:
    """A photograph on a random path: the camera's, or its object's alone."""
    motion, length = camera or OBJECT, spec.frames
    path = poses(rng, start, motion, length, spec.size[0])
    fields = bends(rng, motion, length, spec.size[0])
    return LayerPlan(
        (still.image,) * length,
        (still.mask,) * length,
        tuple(path),
        centre,
        fields,
        cut=camera is None,
    )


def real_backdrop(sequence: Sequence, spec: ClipSpec, rng: np.random.Generator) -> LayerPlan:
    """Consecutive frames at a random stride, forward or backward, under one random crop."""
    indices = _window(sequence, spec, rng)
    height, width = sequence.masks[0].shape
    cover = max(spec.size[0] / height, spec.size[1] / width)
    scale = cover * float(np.exp(rng.uniform(0, np.log(1.8))))
    centre = _object_crop(sequence.masks[indices[0]], scale, spec, rng)
    pose = Pose(spec.size[1] / 2, spec.size[0] / 2, scale, float(rng.normal(0, 0.05)))
    return LayerPlan(
        tuple(sequence.frames[i] for i in indices),
        tuple(sequence.masks[i] for i in indices),
        (pose,) * spec.frames,
        centre,
        bends=None,
        cut=False,
    )


def _window(
    sequence: Sequence, spec: ClipSpec, rng: np.random.Generator
) -> NDArray[np.signedinteger]:
    """Numbers of the frames: a random stride from a random first, forward or backward."""
    length = len(sequence.frames)
    stride = int(rng.integers(1, min(spec.max_stride, max(1, (length - 1) // spec.frames)) + 1))
    span = stride * (spec.frames - 1)
    first = int(rng.integers(0, max(1, length - span)))
    indices = np.minimum(first + stride * np.arange(spec.frames), length - 1)
    return indices[::-1] if rng.random() < 0.5 else indices


def _object_crop(mask: Image, scale: float, spec: ClipSpec, rng: np.random.Generator) -> Point:
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
