"""What hides a target for some frames: something in front of it, or the edge of the frame.

The network meets both so that it learns to find an object again. The first frame is spared, and so
is the last: there is something to find.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.data.layers import cut_out
from edge_ttvos.data.motion import Box, Pose
from edge_ttvos.data.plan import ClipSpec, LayerPlan
from edge_ttvos.data.pool import Pool, Still

SIDES = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
COVER = (0.8, 1.3)  # sides of what hides the target, in sides of the target's box
PASSING = (0.8, 1.3)  # what it moves a frame, in the distance that clears the box
BLURRED_EDGE = 0.5  # of the way out stands a target in the frames beside its absence


def hidden(
    layers: list[LayerPlan],
    target: int,
    pool: Pool,
    spec: ClipSpec,
    rng: np.random.Generator,
) -> tuple[list[LayerPlan], int]:
    """At times one more layer, in front of the target; at times a target that leaves.

    The backdrop cannot leave: where it is the target, a pasted object takes its place.
    """
    if spec.departures and rng.random() < spec.departures:
        if target == 0 and len(layers) == 1:
            layers = [*layers, cut_out(pool.stills[rng.integers(len(pool.stills))], spec, rng)]
        target = target or len(layers) - 1
        away = departed(layers[target], spec, rng)
        return [*layers[:target], away, *layers[target + 1 :]], target
    if spec.occlusions and rng.random() < spec.occlusions:
        still = pool.stills[rng.integers(len(pool.stills))]
        return [*layers, occluder(layers[target].boxes(), still, spec, rng)], target
    return layers, target


def departed(layer: LayerPlan, spec: ClipSpec, rng: np.random.Generator) -> LayerPlan:
    """The same layer, out of the frame on one side for some frames."""
    gaps = _gaps(spec.frames, rng)
    side = SIDES[rng.integers(len(SIDES))]
    boxes = [box for box, gap in zip(layer.boxes(), gaps, strict=True) if gap == 0]
    way = max(_way_out(box, side, spec.size) for box in boxes)
    shares = np.select([gaps == 0, gaps == 1], [1.0, BLURRED_EDGE], 0.0)
    shares[0] = 0.0
    path = tuple(
        replace(pose, x=pose.x + share * way * side[0], y=pose.y + share * way * side[1])
        for pose, share in zip(layer.poses, shares, strict=True)
    )
    return replace(layer, poses=path)


def occluder(boxes: list[Box], still: Still, spec: ClipSpec, rng: np.random.Generator) -> LayerPlan:
    """A piece of a photograph, an ellipse or a rectangle, that passes in front of these boxes."""
    gaps = _gaps(spec.frames, rng)
    side = SIDES[rng.integers(len(SIDES))] * rng.uniform(*PASSING)
    _, _, width, height = boxes[int(np.argmin(gaps))]
    width, height = max(width, 1.0), max(height, 1.0)
    mask, scale = _piece(still, width / height, rng)
    factor = rng.uniform(*COVER) * width / scale
    signed = np.sign(np.arange(spec.frames) - int(np.argmin(gaps))) * gaps
    clear = 1.2 * np.array([width, height])
    path = []
    for box, gap in zip(boxes, signed, strict=True):
        x, y = np.array([box[0] + box[2] / 2, box[1] + box[3] / 2]) + gap * side * clear
        path.append(Pose(float(x), float(y), factor, 0.0))
    rows, columns = np.nonzero(mask)
    centre = (float(columns.mean()), float(rows.mean()))
    length = spec.frames
    return LayerPlan(
        (still.image,) * length, (mask,) * length, tuple(path), centre, bends=None, cut=True
    )


def _gaps(length: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Distance in frames of each frame to those in which the target is hidden."""
    most = max(1, (length - 1) // 2)
    hidden_frames = int(rng.integers(1, most + 1))
    first = int(rng.integers(1, length - hidden_frames))
    numbers = np.arange(length)
    return np.maximum(np.maximum(first - numbers, numbers - first - hidden_frames + 1), 0)


def _way_out(box: Box, side: NDArray[np.int64], size: tuple[int, int]) -> float:
    """Pixels that a box must move to leave a frame of ``size`` on a side."""
    left, top, width, height = box
    ways = {(1, 0): size[1] - left, (-1, 0): left + width, (0, 1): size[0] - top}
    return max(0.0, ways.get((int(side[0]), int(side[1])), top + height))


def _piece(
    still: Still, aspect: float, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], float]:
    """A mask on a photograph with these proportions, as large as fits; and its width in pixels."""
    rows, columns = still.mask.shape
    width = min(float(columns), rows * aspect)
    y, x = np.mgrid[:rows, :columns]
    across = 2 * (x - (columns - 1) / 2) / width
    down = 2 * (y - (rows - 1) / 2) / (width / aspect)
    inside = across**2 + down**2 if rng.random() < 0.5 else np.maximum(abs(across), abs(down))
    return np.where(inside <= 1, 255, 0).astype(np.uint8), width
