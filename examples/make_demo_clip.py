"""Make the clip that the demo tracks: a flying saucer, cup and all, over a launch pad at dusk.

All pictures are photographs that scikit-image ships inside its package; see demo/README.md for
their sources and licences. Nothing is drawn at random, so that the same clip comes out each time:

    pip install scikit-image
    python examples/make_demo_clip.py examples/demo
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_ttvos.evaluation.masks import write_mask
from edge_ttvos.files import write_bytes

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]

NAME = "demo"
FRAMES = 72
SIZE = (480, 854)  # height, width
OBJECT = 2  # green in the DAVIS palette: 1 would be red on red
JPEG_QUALITY = 72
FINE = 4  # outlines are drawn this many times larger than the photograph, then averaged


@dataclass(frozen=True)
class Ellipse:
    """An outline in a photograph's pixels: centre, half axes, angle in degrees."""

    centre: tuple[float, float]
    axes: tuple[float, float]
    angle: float

    def points(self) -> Plane:
        """Its outline (N, 2)."""
        turn = np.linspace(0, 2 * np.pi, 720, endpoint=False)
        x, y = self.axes[0] * np.cos(turn), self.axes[1] * np.sin(turn)
        cos, sin = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        outline = np.stack([cos * x - sin * y, sin * x + cos * y], axis=1) + self.centre
        return np.asarray(outline, np.float32)


@dataclass(frozen=True)
class Polygon:
    """An outline in a photograph's pixels, corner by corner."""

    corners: tuple[tuple[float, float], ...]

    def points(self) -> Plane:
        """Its corners (N, 2)."""
        return np.array(self.corners, np.float32)


SAUCER = Ellipse((278.3, 221.4), (200.8, 166.5), 8.1)
CUP = Ellipse((290.4, 112.1), (117.8, 95.2), 6.9)
SPOON = Polygon(((393, 73), (404, 67), (417, 68), (424, 75), (423, 84), (415, 110), (400, 135)))
SHUTTLE = Polygon(
    (
        *((410, 2), (420, 2), (428, 13), (434, 28), (437, 44), (444, 39), (449, 46), (453, 60)),
        *((454, 80), (454, 205), (455, 225), (454, 240), (458, 262), (450, 265), (434, 261)),
        *((436, 238), (428, 232), (420, 231), (416, 238), (410, 237), (407, 247), (403, 249)),
        *((397, 243), (390, 242), (387, 246), (378, 261), (369, 271), (367, 265), (374, 240)),
        *((378, 231), (365, 227), (355, 222), (355, 212), (359, 204), (368, 194), (378, 184)),
        *((378, 118), (381, 102), (380, 80), (381, 60), (384, 47), (387, 42), (391, 47)),
        *((395, 62), (396, 40), (400, 21), (404, 9)),
    )
)


@dataclass(frozen=True)
class CutOut:
    """Part of a photograph: RGB (h, w, 3), its coverage (h, w) 0…1, the point that poses move."""

    image: Picture
    alpha: Plane
    centre: tuple[float, float]


@dataclass(frozen=True)
class Pose:
    """Where a layer's centre stands in the frame in pixels, its scale, its angle in degrees."""

    x: float
    y: float
    scale: float
    angle: float


def cut_out(image: Picture, outlines: tuple[Ellipse | Polygon, ...], inset: float) -> CutOut:
    """Cut the union of outlines out of a photograph, ``inset`` pixels inside them, soft-edged."""
    height, width = image.shape[:2]
    fine = np.zeros((height * FINE, width * FINE), np.uint8)
    for outline in outlines:
        corners = np.rint((outline.points() + 0.5) * FINE).astype(np.int32)
        cv2.fillPoly(fine, [corners], (255,))
    solid = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    sigma = 1.5
    soft = cv2.GaussianBlur(solid.astype(np.float32) / 255, (0, 0), sigma)
    distance = (soft - 0.5) * sigma * np.sqrt(2 * np.pi)  # to the outline, near it
    alpha = np.clip(distance - inset + 0.5, 0, 1).astype(np.float32)
    x, y, w, h = cv2.boundingRect((alpha > 0).astype(np.uint8))
    return CutOut(image, alpha, (x + w / 2, y + h / 2))


def saucer_pose(time: float) -> Pose:
    """The target's path; time runs from 0 to 1."""
    turn = 2 * np.pi * time
    return Pose(
        x=420 - 190 * np.cos(0.9 * turn + 0.35) + 30 * np.sin(2.6 * turn),
        y=262 + 62 * np.sin(1.3 * turn + 2.6) + 16 * np.sin(3.1 * turn),
        scale=0.72 + 0.13 * np.sin(0.9 * turn - 0.9) + 0.05 * np.sin(2.2 * turn),
        angle=13 * np.sin(1.6 * turn + 0.4) + 5 * np.sin(3.3 * turn),
    )


def shuttle_pose(time: float) -> Pose:
    """The distractor's path: in from the right, behind the target, out at the top left."""
    return Pose(
        x=1250 - 1450 * time,
        y=420 - 330 * time + 20 * np.sin(9 * time),
        scale=0.95 + 0.1 * time,
        angle=-28 + 10 * np.sin(5 * time),
    )


def camera_pose(time: float) -> Pose:
    """The camera's view of the launch pad: a pan, a slow zoom, an unsteady hand."""
    turn = 2 * np.pi * time
    return Pose(
        x=SIZE[1] / 2 + 26 * np.cos(0.8 * turn) + 3 * np.sin(4.3 * turn),
        y=SIZE[0] / 2 + 58 * np.cos(0.5 * turn) + 3 * np.sin(5.1 * turn),
        scale=1.50 + 0.04 * np.sin(turn),
        angle=0.7 * np.sin(1.7 * turn),
    )


def sampling_maps(pose: Pose, centre: tuple[float, float], sway: float) -> tuple[Plane, Plane]:
    """For each pixel of the frame, the pixel of the photograph that it shows.

    Args:
        pose: where ``centre`` goes.
        centre: of the photograph's part.
        sway: height in the frame's pixels of the wave that bends the layer.
    """
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(np.float32)
    x, y = x - np.float32(pose.x), y - np.float32(pose.y)
    x, y = x + np.float32(sway) * np.sin(y / 70), y + np.float32(sway) * np.sin(x / 80 + 1)
    cos = np.float32(np.cos(np.radians(pose.angle)) / pose.scale)
    sin = np.float32(np.sin(np.radians(pose.angle)) / pose.scale)
    return cos * x + sin * y + np.float32(centre[0]), cos * y - sin * x + np.float32(centre[1])


def lay_over(frame: Plane, layer: CutOut, pose: Pose, sway: float) -> tuple[Plane, Plane]:
    """A frame with a cut-out laid over it, and what the cut-out covers, 0…1."""
    maps = sampling_maps(pose, layer.centre, sway)
    image = cv2.remap(layer.image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    alpha = cv2.remap(layer.alpha, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    cover = np.asarray(alpha, np.float32)
    return frame + cover[..., None] * (image.astype(np.float32) - frame), cover


def dusk(image: Picture, gain: tuple[float, float, float]) -> Picture:
    """A photograph in the launch pad's light: each channel times a factor."""
    return np.clip(np.rint(image * np.array(gain, np.float32)), 0, 255).astype(np.uint8)


def frames(
    coffee: Picture, astronaut: Picture, rocket: Picture
) -> Iterator[tuple[Picture, Picture]]:
    """The clip: frames (H, W, 3) RGB uint8 and masks (H, W) uint8."""
    saucer = cut_out(dusk(coffee, (0.98, 0.98, 1.05)), (SAUCER, CUP, SPOON), 1.2)
    shuttle = cut_out(dusk(astronaut, (0.80, 0.83, 0.92)), (SHUTTLE,), 1.0)
    middle = (rocket.shape[1] / 2, rocket.shape[0] / 2)
    for index in range(FRAMES):
        time = index / (FRAMES - 1)
        view = sampling_maps(camera_pose(time), middle, 0)
        scene = cv2.remap(rocket, *view, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        sway = 4 * np.sin(4 * np.pi * time)
        picture, _ = lay_over(scene.astype(np.float32), shuttle, shuttle_pose(time), 0)
        picture, seen = lay_over(picture, saucer, saucer_pose(time), sway)
        exposure = 1.08 + 0.14 * np.sin(2 * np.pi * (1.4 * time + 0.1))
        picture = np.clip(np.rint(picture * np.float32(exposure)), 0, 255).astype(np.uint8)
        yield picture, (seen > 0.5).astype(np.uint8) * np.uint8(OBJECT)


def photographs() -> tuple[Picture, Picture, Picture]:
    """The coffee, the astronaut and the rocket as scikit-image ships them."""
    data: Any = import_module("skimage.data")
    return data.coffee(), data.astronaut(), data.rocket()


def main(folder: Path) -> None:
    """Write ``JPEGImages/`` and ``Annotations/`` as DAVIS lays them out."""
    images, masks = folder / "JPEGImages" / NAME, folder / "Annotations" / NAME
    for made in (images, masks):
        made.mkdir(parents=True, exist_ok=True)
    for index, (picture, mask) in enumerate(frames(*photographs())):
        jpeg = io.BytesIO()
        Image.fromarray(picture).save(jpeg, "JPEG", quality=JPEG_QUALITY, optimize=True)
        write_bytes(images / f"{index:05d}.jpg", jpeg.getvalue())
        write_mask(masks / f"{index:05d}.png", mask)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/make_demo_clip.py FOLDER")
    main(Path(sys.argv[1]))
