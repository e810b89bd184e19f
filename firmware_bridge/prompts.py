"""What the user points with, an indexed mask, several masks or boxes → a float mask an object."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import MaskError

VOID = 255  # in an indexed mask: belongs to nobody
MAX_ID = 254

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels: left, top, width, height. It may reach out of the frame."""

    x: float
    y: float
    width: float
    height: float


Prompt = NDArray[Any] | Box
Prompts = NDArray[Any] | Box | Sequence[Prompt] | Mapping[int, Prompt]


def parse_prompts(prompts: Prompts, height: int, width: int) -> dict[int, Plane]:
    """Masks by object id, each float32 (height, width) of 0 and 1.

    An indexed mask gives an object for each value; 255 is void, unless it is the only value: then
    the mask is a plain black-and-white one. A sequence numbers its objects from 1; a mapping may
    be empty.

    Raises:
        MaskError: a mask of another size, type or channel count, an empty or all-foreground mask,
            a box of no area or outside the frame, an id that is not in 1…254.
    """
    if isinstance(prompts, Mapping):
        return {
            _checked_id(object_id): parse_prompt(prompt, height, width)
            for object_id, prompt in prompts.items()
        }
    if isinstance(prompts, np.ndarray):
        return _indexed(prompts, height, width)
    if isinstance(prompts, Box):
        prompts = [prompts]
    if not prompts:
        raise MaskError("nothing to follow: give at least one mask or box")
    return {i: parse_prompt(p, height, width) for i, p in enumerate(prompts, start=1)}


def parse_prompt(prompt: Prompt, height: int, width: int) -> Plane:
    """One object's mask, float32 (height, width) of 0 and 1; any value above 0 is the object.

    Raises:
        MaskError: as ``parse_prompts``.
    """
    if isinstance(prompt, Box):
        return _box_mask(prompt, height, width)
    mask = np.asarray(_checked(prompt, height, width) > 0, np.float32)
    _check_content(mask, "mask")
    return mask


def split_mask(mask: NDArray[Any], object_id: int = 1) -> dict[int, NDArray[Any]]:
    """A mask's objects by id, each (H, W) and above 0 where it is; nothing is checked.

    An indexed mask gives an object for each value; 255 is void, unless it is the only value: then
    the mask is a plain black-and-white one.

    Args:
        mask: (H, W).
        object_id: of the object of a black-and-white mask, or of one of 0 and 1.
    """
    ids = [int(value) for value in np.unique(mask) if value not in (0, VOID)]
    if not ids:
        return {object_id: mask}
    if ids == [1]:
        return {object_id: mask == 1}
    return {number: mask == number for number in ids}


def _indexed(mask: NDArray[Any], height: int, width: int) -> dict[int, Plane]:
    objects = split_mask(_checked(mask, height, width))
    planes = {number: np.asarray(area > 0, np.float32) for number, area in objects.items()}
    for object_id, plane in planes.items():
        _check_content(plane, "mask" if set(planes) == {1} else f"object {object_id}'s mask")
    return planes


def _checked(mask: object, height: int, width: int) -> NDArray[Any]:
    if not isinstance(mask, np.ndarray):
        raise MaskError(f"an object is given by an array (H, W) or a Box; got {mask!r}")
    if mask.ndim != 2:
        raise MaskError(
            f"mask must have one channel, (H, W)=({height}, {width}); got shape {mask.shape}. "
            "Save it as an indexed or grey PNG"
        )
    if mask.dtype not in (np.dtype(np.bool_), np.dtype(np.uint8)):
        raise MaskError(
            f"mask must be 8-bit (uint8) or bool; got {mask.dtype}. Save it as an indexed or "
            "grey 8-bit PNG"
        )
    if mask.shape != (height, width):
        raise MaskError(
            f"mask must be (H, W)=({height}, {width}) to match the frame; got {mask.shape}. "
            "Resize it or pass the original frame's mask"
        )
    return mask


def _check_content(mask: Plane, what: str) -> None:
    covered = np.count_nonzero(mask)
    if covered == 0:
        raise MaskError(f"{what} is empty: no pixel is above 0. Paint the object to follow")
    if covered == mask.size:
        raise MaskError(
            f"{what} covers the whole frame: nothing is left to tell the object from. "
            "Paint the object alone"
        )


def _box_mask(box: Box, height: int, width: int) -> Plane:
    described = f"box {box.x:g},{box.y:g},{box.width:g},{box.height:g}"
    if not all(math.isfinite(v) for v in (box.x + box.width, box.y + box.height)):
        raise MaskError(f"{described} is not a rectangle: give X,Y,W,H as numbers of pixels")
    if not (box.width > 0 and box.height > 0):
        raise MaskError(f"{described} has no area: give X,Y,W,H with W and H above 0")
    left, right = _span(box.x, box.width, width)
    top, bottom = _span(box.y, box.height, height)
    if left >= right or top >= bottom:
        raise MaskError(
            f"{described} is outside the frame of {width}x{height} pixels: give X,Y,W,H with X, Y "
            "the top left corner in pixels"
        )
    mask = np.zeros((height, width), np.float32)
    mask[top:bottom, left:right] = 1
    _check_content(mask, described)
    return mask


def _span(start: float, length: float, limit: int) -> tuple[int, int]:
    """First pixel and the one after the last: one pixel at least, then cut to the frame."""
    first = round(start)
    return max(0, first), min(limit, max(first + 1, round(start + length)))


def _checked_id(object_id: object) -> int:
    if not isinstance(object_id, int | np.integer) or not 1 <= object_id <= MAX_ID:
        raise MaskError(f"object ids are 1…{MAX_ID} (0 is background, 255 void); got {object_id!r}")
    return int(object_id)
