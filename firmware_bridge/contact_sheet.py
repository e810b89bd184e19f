"""A contact sheet: evenly spaced frames of a recording of any length on one page, as a PNG.

Frames are offered one by one as they go by. Only small pictures are kept, four times as many as the
sheet has room for at most: each time they are too many, every second one is dropped.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edge_ttvos.files import write_bytes
from edge_ttvos.firmware_bridge.overlay import check_mask, draw

Picture = NDArray[np.uint8]

SPARE = 4  # pictures kept for each on the sheet: the more, the more even their distances
MOST_COLUMNS = 4
PAPER = (250, 250, 248)
INK = (38, 38, 42)
FAINT = (120, 120, 126)


@dataclass(frozen=True)
class Layout:
    """Measures of a sheet in pixels.

    Attributes:
        width: of each picture.
        gap: between pictures, and around all of them.
        text: size of a caption's text; the title is half as large again.
    """

    width: int = 320
    gap: int = 14
    text: int = 15

    @property
    def caption(self) -> int:
        """Height of the strip under each picture."""
        return 2 * self.text

    @property
    def title(self) -> int:
        """Height of the strip above all pictures."""
        return 3 * self.text


class ContactSheet:
    """Collects frames, then lays out ``count`` of them, or all where there are fewer.

    Args:
        count: number of pictures, 2 or more; the first and the last frame are among them.
        layout: measures.
    """

    def __init__(self, count: int = 12, layout: Layout = Layout()) -> None:
        if count < 2:
            raise ValueError(f"a contact sheet needs at least 2 pictures; got {count}")
        self._count, self._layout = count, layout
        self._kept: dict[int, Picture] = {}
        self._last: dict[int, Picture] = {}
        self._offered, self._every = 0, 1

    def add(
        self,
        number: int,
        frame: Picture,
        mask: Picture | None = None,
        labels: Mapping[int, str] | None = None,
    ) -> None:
        """Offer the next frame; objects are drawn on the small copy, so that labels stay readable.

        Args:
            number: what to call it in its caption; greater than those before.
            frame: (H, W, 3) RGB uint8, of one size with the first.
            mask: object ids (H, W) uint8, 0 is the background; None draws nothing.
            labels: as for ``overlay.draw``.

        Raises:
            MaskError: the mask has another size than the frame.
        """
        small = _small(frame, self._layout.width)
        if mask is not None:
            check_mask(frame, mask)
            size = small.shape[1::-1]
            fitted = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT)
            small = draw(small, np.asarray(fitted, np.uint8), labels)
        self._last = {number: small}
        if self._offered % self._every == 0:
            self._kept[number] = small
        if len(self._kept) > SPARE * self._count:
            self._kept = {n: self._kept[n] for n in list(self._kept)[::2]}
            self._every *= 2
        self._offered += 1

    @property
    def numbers(self) -> list[int]:
        """Numbers of the frames that the sheet shows, ascending."""
        kept = np.array(sorted({**self._kept, **self._last}))
        if len(kept) <= self._count:
            return [int(n) for n in kept]
        ideal = np.linspace(kept[0], kept[-1], self._count)
        nearest = np.abs(kept[None] - ideal[:, None]).argmin(axis=1)
        return [int(n) for n in kept[np.unique(nearest)]]

    def draw(self, title: str = "", jaccard: Mapping[int, float] | None = None) -> Picture:
        """Lay out the sheet.

        Args:
            title: a line above the pictures.
            jaccard: J of frames by number, 0…1, for the captions of those that have one.

        Returns:
            (H, W, 3) RGB uint8.

        Raises:
            ValueError: no frame was added.
        """
        pictures = {**self._kept, **self._last}
        if not pictures:
            raise ValueError("a contact sheet needs at least one frame; got none")
        tiles = [
            _tile(pictures[n], f"frame {n}", (jaccard or {}).get(n), self._layout)
            for n in self.numbers
        ]
        return _page(tiles, title, self._layout)

    def write(
        self, path: Path, title: str = "", jaccard: Mapping[int, float] | None = None
    ) -> None:
        """Write the sheet as a PNG, whole or not at all; arguments as for ``draw``.

        Raises:
            OutputError: the file cannot be written.
        """
        data = io.BytesIO()
        Image.fromarray(self.draw(title, jaccard)).save(data, format="PNG", optimize=True)
        write_bytes(path, data.getvalue())


def _small(frame: Picture, width: int) -> Picture:
    height = max(1, round(frame.shape[0] * width / frame.shape[1]))
    how = cv2.INTER_AREA if width <= frame.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(frame, (width, height), interpolation=how), np.uint8)


def _tile(picture: Picture, name: str, jaccard: float | None, layout: Layout) -> Picture:
    """A picture over its caption: its name on the left, J on the right."""
    height, width = picture.shape[:2]
    tile = Image.new("RGB", (width, height + layout.caption), PAPER)
    tile.paste(Image.fromarray(picture))
    pen, font = ImageDraw.Draw(tile), ImageFont.load_default(layout.text)
    middle = height + layout.caption / 2
    pen.text((0, middle), name, FAINT, font, anchor="lm")
    if jaccard is not None:
        pen.text((width, middle), f"J {100 * jaccard:.1f}", INK, font, anchor="rm")
    return np.array(tile)


def _page(tiles: list[Picture], title: str, layout: Layout) -> Picture:
    """Tiles in rows, as many columns as give the fullest last row."""
    height, width = tiles[0].shape[:2]
    columns = _columns(len(tiles))
    rows = math.ceil(len(tiles) / columns)
    top = layout.gap + (layout.title if title else 0)
    size = (columns * (width + layout.gap) + layout.gap, top + rows * height)
    page = Image.new("RGB", size, PAPER)
    if title:
        font = ImageFont.load_default(round(1.5 * layout.text))
        middle = layout.gap + layout.title / 2 - layout.gap / 4
        ImageDraw.Draw(page).text((layout.gap, middle), title, INK, font, anchor="lm")
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        x, y = layout.gap + column * (width + layout.gap), top + row * height
        page.paste(Image.fromarray(tile), (x, y))
    return np.array(page)


def _columns(tiles: int) -> int:
    """Up to four columns, the number that leaves the fewest places empty."""
    choices = range(min(tiles, MOST_COLUMNS), max(1, min(tiles, MOST_COLUMNS) - 2), -1)
    return min(choices, key=lambda columns: -tiles % columns, default=1)
