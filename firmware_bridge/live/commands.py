"""What the page may ask for: a JSON object becomes one call in the loop's thread."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_ttvos.errors import InputError, MaskError
from edge_ttvos.evaluation.masks import UNREADABLE
from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.outcome import Label
from edge_ttvos.firmware_bridge.prompts import Box, Prompt
from edge_ttvos.records import build

DATA_URL = "data:image/png;base64,"
MOST_PIXELS = 1 << 25
OPAQUE = 128


@dataclass(frozen=True)
class Freeze:
    """Stand still: ``who`` is about to point."""

    who: str

    def run(self, live: Live) -> dict[str, Any]:
        """The frame that is pointed at."""
        outcome = live.freeze(self.who)
        height, width = outcome.picture.shot.image.shape[:2]
        return {"frame": outcome.picture.number, "size": [height, width]}


@dataclass(frozen=True)
class Thaw:
    """Go on without a new object."""

    who: str

    def run(self, live: Live) -> dict[str, Any]:
        """Nothing."""
        live.thaw(self.who)
        return {}


@dataclass(frozen=True)
class Point:
    """Follow what ``box`` or ``mask`` (a PNG as a data URL, opaque where the object is) shows."""

    who: str
    box: tuple[float, ...] | None = None
    mask: str | None = None
    object: int | None = None
    name: str = ""

    def run(self, live: Live) -> dict[str, Any]:
        """The objects that are followed now."""
        outcome = live.point(self.who, self._prompt(), self.object, self.name)
        return {"objects": [seen.object_id for seen in outcome.objects]}

    def _prompt(self) -> Prompt:
        if self.mask is not None and self.box is None:
            return read_painting(self.mask)
        if self.box is not None and len(self.box) == 4 and self.mask is None:
            return Box(*self.box)
        raise InputError("point with a box, [left, top, width, height], or else with a mask")


@dataclass(frozen=True)
class Drop:
    """Follow an object no longer."""

    object: int

    def run(self, live: Live) -> dict[str, Any]:
        """Nothing."""
        live.drop(self.object)
        return {}


@dataclass(frozen=True)
class Name:
    """Call an object otherwise; ``colour`` as #rrggbb."""

    object: int
    name: str
    colour: str

    def run(self, live: Live) -> dict[str, Any]:
        """Nothing."""
        try:
            red, green, blue = bytes.fromhex(self.colour.removeprefix("#"))
        except ValueError:
            raise InputError(f"a colour is #rrggbb; got {self.colour[:20]!r}") from None
        live.name(self.object, Label(self.name, (red, green, blue)))
        return {}


@dataclass(frozen=True)
class Pause:
    """Follow nothing for a while, or go on."""

    on: bool

    def run(self, live: Live) -> dict[str, Any]:
        """Nothing."""
        live.pause(self.on)
        return {}


@dataclass(frozen=True)
class Record:
    """Begin or end a recording."""

    on: bool

    def run(self, live: Live) -> dict[str, Any]:
        """Nothing."""
        live.record(self.on)
        return {}


COMMANDS = {
    kind.__name__.lower(): kind for kind in (Freeze, Thaw, Point, Drop, Name, Pause, Record)
}


def parse(name: str, body: object) -> Callable[[Live], dict[str, Any]]:
    """The call that a command's name and JSON stand for.

    Raises:
        InputError: no such command, or other keys or kinds of values.
    """
    if name not in COMMANDS or not isinstance(body, Mapping):
        raise InputError(f"expected one of {', '.join(COMMANDS)} with a JSON object; got {name!r}")
    try:
        command: Any = build(COMMANDS[name], body, f"{name}: ")
    except ValueError as error:
        raise InputError(str(error)) from error
    call: Callable[[Live], dict[str, Any]] = command.run
    return call


def read_painting(data_url: str) -> NDArray[np.bool_]:
    """A painted mask (H, W): where its PNG is opaque.

    Raises:
        MaskError: it is no PNG of a sensible size.
    """
    try:
        data = base64.b64decode(data_url.removeprefix(DATA_URL), validate=True)
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width}×{image.height} pixels")
            alpha = np.asarray(image.convert("RGBA"))[..., 3]
    except (*UNREADABLE, binascii.Error) as error:
        raise MaskError(f"the painted mask cannot be read as a PNG: {error}") from error
    return np.asarray(alpha >= OPAQUE, np.bool_)
