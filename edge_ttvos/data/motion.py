"""Random but smooth motion: how a layer of a synthetic clip moves, turns, grows and bends."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Maps = tuple[NDArray[np.float32], NDArray[np.float32]]
Box = tuple[float, float, float, float]  # left, top, width, height in pixels

BEND_GRID = (4, 5)  # control points of the elastic field, rows and columns


@dataclass(frozen=True)
class Motion:
    """Ranges of a layer's motion, each the largest value drawn.

    Attributes:
        shift: velocity, share of the frame's height a frame.
        turn: angular velocity in degrees a frame.
        growth: relative change of size a frame.
        bend: elastic displacement, share of the frame's height.
    """

    shift: float
    turn: float
    growth: float
    bend: float


CAMERA = Motion(shift=0.04, turn=2.0, growth=0.03, bend=0.0)
OBJECT = Motion(shift=0.09, turn=6.0, growth=0.06, bend=0.03)


@dataclass(frozen=True)
class Pose:
    """Where a layer stands in one frame: centre in pixels, scale, angle in radians."""

    x: float
    y: float
    scale: float
    angle: float


def poses(
    rng: np.random.Generator, start: Pose, motion: Motion, length: int, height: int
) -> list[Pose]:
    """A path from ``start``: a constant velocity and a random walk on top of it."""
    strength = rng.uniform(0, 1)  # many clips are calm, some are wild
    steps = rng.uniform(-1, 1, size=4)[None] + 0.4 * rng.normal(size=(length - 1, 4))
    limits = np.array(
        [motion.shift * height, motion.shift * height, motion.growth, np.radians(motion.turn)]
    )
    path = np.vstack([np.zeros(4), np.cumsum(strength * limits * steps, axis=0)])
    return [
        Pose(start.x + dx, start.y + dy, start.scale * float(np.exp(ds)), start.angle + da)
        for dx, dy, ds, da in path
    ]


def bends(
    rng: np.random.Generator, motion: Motion, length: int, height: int
) -> NDArray[np.float32] | None:
    """Elastic displacements in pixels that grow from none in the first frame; None: no bend.

    Returns:
        (length, 2, 4, 5): x and y at the control points of each frame.
    """
    if motion.bend == 0 or rng.random() < 0.3:
        return None
    amount = motion.bend * height * rng.uniform(0.2, 1)
    walk = np.cumsum(0.6 * amount * rng.normal(size=(length, 2, *BEND_GRID)), axis=0)
    walk[0] = 0
    return walk.astype(np.float32)


def bend_maps(bend: NDArray[np.float32], size: tuple[int, int]) -> Maps:
    """One frame's displacements (2, 4, 5) in x and y at every pixel of a frame of ``size``."""
    dx, dy = (cv2.resize(part, size[::-1], interpolation=cv2.INTER_CUBIC) for part in bend)
    return np.asarray(dx, np.float32), np.asarray(dy, np.float32)


def placed_box(box: Box, pose: Pose, centre: tuple[float, float]) -> Box:
    """The smallest upright box around a box of the source, where the pose puts it."""
    left, top, width, height = box
    x = np.array([left, left + width, left, left + width]) - centre[0]
    y = np.array([top, top, top + height, top + height]) - centre[1]
    cos, sin = pose.scale * np.cos(pose.angle), pose.scale * np.sin(pose.angle)
    placed_x, placed_y = pose.x + cos * x - sin * y, pose.y + sin * x + cos * y
    return (
        float(placed_x.min()),
        float(placed_y.min()),
        float(np.ptp(placed_x)),
        float(np.ptp(placed_y)),
    )


def sampling_matrix(pose: Pose, centre: tuple[float, float]) -> NDArray[np.float32]:
    """Output pixel (x, y, 1) → source pixel (x, y): ``centre`` of the source lands on the pose.

    Args:
        pose: position in the output.
        centre: x and y of the source's point of interest in pixels.

    Returns:
        (2, 3).
    """
    cos, sin = np.cos(pose.angle) / pose.scale, np.sin(pose.angle) / pose.scale
    turn = np.array([[cos, sin], [-sin, cos]])
    shift = np.array(centre) - turn @ np.array([pose.x, pose.y])
    return np.column_stack([turn, shift]).astype(np.float32)


def sampling_maps(pose: Pose, centre: tuple[float, float], size: tuple[int, int]) -> Maps:
    """For each pixel of a frame of ``size``, the source pixel that it shows: x and y."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    across, down = sampling_matrix(pose, centre)
    return across[0] * x + across[1] * y + across[2], down[0] * x + down[1] * y + down[2]
