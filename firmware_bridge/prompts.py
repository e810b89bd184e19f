"""What the user points with, an indexed mask, several masks or boxes → a float plane an object."""

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


@dataclass(frozen=True)
class Pointed:
    """Where an object is, as far as the user said.

    Attributes:
        plane: float32 (H, W). Of a mask: 0 and 1. Of a box: exp(−r²) inside, with r from 0 in the
            middle to 1 at the sides, along each axis; 0 outside.
        boxed: whether it is a box, in which the object is still to be found.
    """

    plane: Plane
    boxed: bool = False


Prompt = NDArray[Any] | Box
Prompts = NDArray[Any] | Box | Sequence[Prompt] | Mapping[int, Prompt]


def parse_prompts(prompts: Prompts, height: int, width: int) -> dict[int, Pointed]:
    """Planes (height, width) by object id.

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


def parse_prompt(prompt: Prompt, height: int, width: int) -> Pointed:
    """One object's plane (height, width); any value of a mask above 0 is the object.

    Raises:
        MaskError: as ``parse_prompts``.
    """
    if isinstance(prompt, Box):
        return Pointed(_prior(prompt, height, width), boxed=True)
    mask = np.asarray(_checked(prompt, height, width) > 0, np.float32)
    _check_content(mask, "mask")
    return Pointed(mask)


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


def _indexed(mask: NDArray[Any], height: int, width: int) -> dict[int, Pointed]:
    objects = split_mask(_checked(mask, height, width))
    planes = {number: np.asarray(area > 0, np.float32) for number, area in objects.items()}
    for object_id, plane in planes.items():
        _check_content(plane, "mask" if set(planes) == {1} else f"object {object_id}'s mask")
    return {number: Pointed(plane) for number, plane in planes.items()}


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


def _prior(box: Box, height: int, width: int) -> Plane:
    described = f"box {box.x:g},{box.y:g},{box.width:g},{box.height:g}"
    if not all(math.isfinite(v) for v in (box.x + box.width, box.y + box.height)):
        raise MaskError(f"{described} is not a rectangle: give X,Y,W,H as numbers of pixels")
    if not (box.width > 0 and box.height > 0):
        raise MaskError(f"{described} has no area: give X,Y,W,H with W and H above 0")
    plane = np.outer(_from_middle(box.y, box.height, height), _from_middle(box.x, box.width, width))
    if not plane.any():
        raise MaskError(
            f"{described} is outside the frame of {width}x{height} pixels: give X,Y,W,H with X, Y "
            "the top left corner in pixels"
        )
    _check_content(plane, described)
    return plane


def _from_middle(start: float, length: float, limit: int) -> NDArray[np.float32]:
    """exp(−r²) at each pixel 0…limit − 1, r = 1 at the ends, one pixel at least; 0 beyond them."""
    first = round(start)
    end = max(first + 1, round(start + length))
    r = ((np.arange(limit) + 0.5 - (first + end) / 2) / ((end - first) / 2)).clip(-1, 1)
    return np.where(np.abs(r) < 1, np.exp(-r * r), 0).astype(np.float32)


def _checked_id(object_id: object) -> int:
    if not isinstance(object_id, int | np.integer) or not 1 <= object_id <= MAX_ID:
        raise MaskError(f"object ids are 1…{MAX_ID} (0 is background, 255 void); got {object_id!r}")
    return int(object_id)
