"""What an object looks like on a frame: its tint, its outline and its name.

Colours are those of the DAVIS palette, brightened where they would be too dark to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edge_ttvos.errors import MaskError
from edge_ttvos.evaluation.masks import davis_palette

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]
Colour = tuple[int, int, int]  # R, G, B

TINT = 0.45  # share of the object's colour inside it
DIMMEST = 150  # of an object's brightest channel
OUTLINE = 1 / 240  # width of an outline, share of the frame's shorter side
TEXT = 1 / 26  # height of a label's text, share of the frame's shorter side
SMALLEST_TEXT = 11  # pixels


def draw(
    frame: Picture,
    mask: Picture,
    labels: Mapping[int, str] | None = None,
    alpha: float = TINT,
    colours: Mapping[int, Colour] | None = None,
) -> Picture:
    """Draw all objects on a copy of a frame.

    Args:
        frame: (H, W, 3) RGB uint8.
        mask: object ids (H, W) uint8, 0 is the background.
        labels: text for each id; an id without one gets no label. None: the ids themselves.
        alpha: share of the colour in the tint, 0…1.
        colours: RGB for each id; an id without one has that of ``colour``.

    Returns:
        (H, W, 3) RGB uint8.

    Raises:
        MaskError: the mask has another size than the frame.
    """
    check_mask(frame, mask)
    picture = frame.copy()
    ids = [int(i) for i in np.flatnonzero(np.bincount(mask.ravel(), minlength=256)) if i]
    paints = {i: (colours or {}).get(i) or colour(i) for i in ids}
    boxes = {i: _paint(picture, mask == i, paints[i], alpha) for i in ids}
    texts = {i: str(i) for i in ids} if labels is None else labels
    for i in ids:
        if texts.get(i):
            _name(picture, boxes[i], texts[i], paints[i])
    return picture


def check_mask(frame: Picture, mask: Picture) -> None:
    """Raise a MaskError that names both sizes if a mask has another size than its frame."""
    if mask.shape != frame.shape[:2] or mask.dtype != np.uint8:
        raise MaskError(
            f"mask must be (H, W)={frame.shape[:2]} uint8 to match the frame; "
            f"got {mask.shape} {mask.dtype}"
        )


@lru_cache(maxsize=256)
def colour(object_id: int) -> Colour:
    """RGB of an object: the DAVIS palette's hue, at least ``DIMMEST`` bright."""
    red, green, blue = (int(c) for c in davis_palette()[object_id])
    brightest = max(red, green, blue, 1)
    gain = (DIMMEST + (255 - DIMMEST) * brightest / 255) / brightest
    return round(red * gain), round(green * gain), round(blue * gain)


def _paint(
    picture: Picture, inside: NDArray[np.bool_], rgb: Colour, alpha: float
) -> tuple[int, int, int, int]:
    """Tint and outline one object in place; returns its box (x, y, width, height)."""
    solid = inside.view(np.uint8)
    x, y, w, h = cv2.boundingRect(solid)
    width = max(1.4, OUTLINE * min(picture.shape[:2]))
    margin = int(np.ceil(2 * width)) + 2
    rows = slice(max(0, y - margin), y + h + margin)
    columns = slice(max(0, x - margin), x + w + margin)
    part, solid = picture[rows, columns], np.ascontiguousarray(solid[rows, columns])
    paint = np.full(part.shape, rgb, np.uint8)
    cv2.copyTo(cv2.addWeighted(part, 1 - alpha, paint, alpha, 0), solid, part)
    edge = _edge(solid, width)
    on_edge = np.nonzero(edge)
    share = edge[on_edge].astype(np.float32)[:, None] / np.float32(255)
    bright = np.array(rgb, np.float32) * np.float32(0.65) + np.float32(0.35 * 255)
    below = part[on_edge].astype(np.float32)
    part[on_edge] = np.rint(below + share * (bright - below)).astype(np.uint8)
    return x, y, w, h


def _edge(solid: Picture, width: float) -> Picture:
    """How much of each pixel the outline covers, 0…255, anti-aliased.

    A blurred mask is a function of the signed distance to its edge, near the edge, so it gives
    smooth lines where the mask itself has stairs.

    Args:
        solid: (H, W) uint8 of 0 and 1.
        width: of the outline in pixels.
    """
    sigma = 0.5 * (width + 1)
    soft = cv2.GaussianBlur(solid * np.uint8(255), (0, 0), sigma)
    distance = (np.arange(256) / 255 - 0.5) * sigma * np.sqrt(2 * np.pi)
    cover = np.clip(0.5 * width + 0.5 - np.abs(distance), 0, 1)
    cover[[0, 255]] = 0  # far from any edge
    return np.asarray(cv2.LUT(soft, np.rint(255 * cover).astype(np.uint8)), np.uint8)


def _name(picture: Picture, box: tuple[int, int, int, int], text: str, rgb: Colour) -> None:
    """Put a label above the object, or inside it where there is no room above."""
    height, width = picture.shape[:2]
    badge, cover = _badge(text, max(SMALLEST_TEXT, round(TEXT * min(height, width))), rgb)
    h, w = min(cover.shape[0], height), min(cover.shape[1], width)
    x, y, box_width, _ = box
    left = int(np.clip(x + box_width / 2 - w / 2, 0, width - w))
    top = y - h - h // 4
    top = min(y + h // 4, height - h) if top < 0 else top
    part = picture[top : top + h, left : left + w]
    blended = part + cover[:h, :w, None] * (badge[:h, :w] - part.astype(np.float32))
    part[:] = np.rint(blended).astype(np.uint8)


@lru_cache(maxsize=64)
def _badge(text: str, size: int, rgb: Colour) -> tuple[Picture, Plane]:
    """Text on a rounded patch of the object's colour: RGB (h, w, 3) and its coverage (h, w)."""
    font = ImageFont.load_default(size)
    left, _, right, _ = font.getbbox(text)
    height = round(1.5 * size)
    width = max(height, round(right - left + 0.9 * size))
    cover = Image.new("L", (4 * width, 4 * height))
    ImageDraw.Draw(cover).rounded_rectangle(
        (0, 0, 4 * width - 1, 4 * height - 1), radius=4 * 0.35 * height, fill=255
    )
    badge = Image.new("RGB", (width, height), rgb)
    ink = (255, 255, 255) if _luminance(rgb) < 140 else (0, 0, 0)
    ImageDraw.Draw(badge).text((width / 2, height / 2), text, ink, font, anchor="mm")
    smooth = cover.resize((width, height), Image.Resampling.BOX)
    return np.array(badge), np.array(smooth, np.float32) / np.float32(255)


def _luminance(rgb: Colour) -> float:
    """How bright a colour looks, 0…255."""
    return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]
