"""What the camera saw while somebody pointed: the tracker catches up on it afterwards.

Pointing at a picture takes a person seconds. The tracker stands at that picture meanwhile; what
comes in is kept, thinned out so that it always fits, and followed at the tracker's own speed once
the person is done. Jumping over these seconds instead would lose whatever moved.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from edge_ttvos.firmware_bridge.live.slot import Numbered, Slot
from edge_ttvos.firmware_bridge.sources.base import Image
from edge_ttvos.firmware_bridge.sources.camera import Shot

CAPACITY = 24  # pictures; as JPEG some 3 MB at 480×864
QUALITY = 92


@dataclass(frozen=True)
class _Kept:
    number: int
    captured: int
    jpeg: Image


class Film:
    """At most ``capacity`` pictures, evenly spread, however long it runs.

    Each time that it is full every second picture goes, and from then on half as many are kept.
    While it is played, new ones come at its end; each ``capacity`` played ones halve their rate
    too, so that it comes to an end however slow the tracker is.

    Args:
        slot: told what becomes of the pictures that are thinned out.
        capacity: an even number.
    """

    def __init__(self, slot: Slot, capacity: int = CAPACITY) -> None:
        self._slot, self._capacity = slot, capacity
        self._kept: deque[_Kept] = deque()
        self._stride, self._added, self._played = 1, 0, 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, picture: Numbered) -> None:
        """Keep a picture, or drop it."""
        if self._added % self._stride:
            self._slot.drop()
        else:
            self._keep(picture)
        self._added += 1

    def next(self) -> Numbered:
        """The oldest picture, which leaves the film."""
        kept = self._kept.popleft()
        self._played += 1
        if self._played % self._capacity == 0:
            self._stride *= 2
        if not self._kept:
            self._stride, self._added, self._played = 1, 0, 0
        image = cast(Image, cv2.imdecode(kept.jpeg, cv2.IMREAD_COLOR))
        rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        return Numbered(kept.number, Shot(kept.captured, rgb))

    def _keep(self, picture: Numbered) -> None:
        if len(self._kept) == self._capacity:
            for kept in list(self._kept)[1::2]:
                self._kept.remove(kept)
                self._slot.drop()
            self._stride *= 2
        jpeg = encode(picture.shot.image, QUALITY)
        self._kept.append(_Kept(picture.number, picture.shot.captured, jpeg))


def encode(image: Image, quality: int) -> Image:
    """RGB (H, W, 3) as a JPEG's bytes (n,)."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(jpeg, np.uint8).ravel()
