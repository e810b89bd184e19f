"""``--mask [K[@F]:]PNG`` and ``--box [K[@F]:]X,Y,W,H``: object K, given at the source's frame F."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer

from edge_ttvos.errors import MaskError
from edge_ttvos.evaluation.masks import read_mask
from edge_ttvos.firmware_bridge.follow import Prompts
from edge_ttvos.firmware_bridge.prompts import MAX_ID, Box, Prompt, split_mask

PREFIX = re.compile(r"^(?:(?P<id>\d+)(?:@(?P<frame>\d+))?:)?(?P<rest>.+)$", re.DOTALL)


@dataclass(frozen=True)
class Pointer:
    """One option's text, taken apart: object id (None: the next free one), frame, and the rest."""

    object_id: int | None
    frame: int | None
    rest: str


def pointer(text: str, option: str) -> Pointer:
    """Take ``K@F:REST`` apart.

    Raises:
        typer.BadParameter: nothing behind the colon, or an id out of range.
    """
    match = PREFIX.match(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is empty", param_hint=option)
    object_id = int(match["id"]) if match["id"] else None
    if object_id is not None and not 1 <= object_id <= MAX_ID:
        raise typer.BadParameter(f"{text!r}: object ids are 1…{MAX_ID}", param_hint=option)
    frame = int(match["frame"]) if match["frame"] else None
    return Pointer(object_id, frame, match["rest"])


def parse_box(text: str) -> Box:
    """``X,Y,W,H`` in pixels.

    Raises:
        typer.BadParameter: not four numbers.
    """
    try:
        x, y, width, height = (float(part) for part in text.split(","))
        if not np.isfinite([x, y, width, height]).all():
            raise ValueError
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: expected X,Y,W,H, four numbers in pixels", param_hint="--box"
        ) from None
    return Box(x, y, width, height)


def collect(masks: Iterable[str], boxes: Iterable[str], first_frame: int) -> Prompts:
    """Read all masks and boxes, by frame and object id.

    An indexed PNG without K gives an object for each of its values; a black-and-white one and a box
    get the next free id.

    Args:
        masks: texts of ``--mask``.
        boxes: texts of ``--box``.
        first_frame: where objects without F are given.

    Raises:
        MaskError: a file that cannot be read, or two prompts for one object at one frame.
        typer.BadParameter: a text of another form, or none at all.
    """
    prompts: dict[int, dict[int, Prompt]] = {}
    texts = [(pointer(text, "--mask"), True) for text in masks]
    texts += [(pointer(text, "--box"), False) for text in boxes]
    if not texts:
        raise typer.BadParameter("point at an object with --mask PNG or --box X,Y,W,H")
    numbered = {point.object_id for point, _ in texts}
    for point, is_mask in texts:
        given = prompts.setdefault(first_frame if point.frame is None else point.frame, {})
        used = numbered.union(*prompts.values())
        free = next(number for number in range(1, MAX_ID + 2) if number not in used)
        object_id = free if point.object_id is None else point.object_id
        named = _read(point, object_id) if is_mask else {object_id: parse_box(point.rest)}
        for number, prompt in named.items():
            if number in given:
                raise MaskError(
                    f"object {number} is given twice at one frame: number one of them otherwise, "
                    f"such as {number + 1}:…"
                )
            given[number] = prompt
    return prompts


def _read(point: Pointer, object_id: int) -> dict[int, Prompt]:
    values = read_mask(Path(point.rest))
    return {object_id: values} if point.object_id is not None else {**split_mask(values, object_id)}
