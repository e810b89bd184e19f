"""The tracker, the objects' names, and what pictures and commands do to them. No I/O."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from edge_ttvos.errors import InputError
from edge_ttvos.firmware_bridge.live.outcome import Image, Label, Outcome, look
from edge_ttvos.firmware_bridge.live.rooms import Rooms
from edge_ttvos.firmware_bridge.live.slot import Numbered
from edge_ttvos.firmware_bridge.overlay import colour
from edge_ttvos.firmware_bridge.prompts import Prompt
from edge_ttvos.firmware_bridge.result import Result
from edge_ttvos.firmware_bridge.tracker import Tracker

MOST_NAME = 40  # letters


class Session:
    """Follows objects that come and go through pictures whose size may change.

    Args:
        tracker: nothing else uses it.
        tell: gets lines for people about objects that are given up.

    Attributes:
        last: the outcome of the last picture; objects are pointed at in it.
        labels: of the objects that are followed, by id.
    """

    def __init__(self, tracker: Tracker, tell: Callable[[str], None] = lambda line: None) -> None:
        self._tracker, self._tell, self._rooms = tracker, tell, Rooms()
        self.last: Outcome | None = None
        self.labels: dict[int, Label] = {}

    def follow(self, picture: Numbered, late: bool = False) -> Outcome:
        """All objects into the next picture."""
        result = None
        if self.labels:
            image = picture.shot.image
            if self._same_size(image):
                result = self._tracker.step(image)
            else:
                result = self._begin_anew(image)
        return self._remember(picture, result, late)

    def point(
        self, prompt: Prompt, object_id: int | None = None, name: str = "", late: bool = True
    ) -> Outcome:
        """Follow one more object, or this one anew, from the last picture on.

        Args:
            prompt: mask (H, W) or box in the last picture.
            object_id: None: the next free one.
            name: for people; empty: what it was called, else its number.
            late: whether somebody took their time to point.

        Raises:
            InputError: there is no picture yet, or the prompt cannot be followed.
            CapacityError: all slots are taken.
        """
        if self.last is None:
            raise InputError("no picture has come yet: wait for the camera, then point again")
        number = self._free() if object_id is None else object_id
        image = self.last.picture.shot.image
        if self.labels:
            result = self._tracker.add(number, prompt)
        else:
            result = self._tracker.start(image, {number: prompt})
        known = self.labels.get(number)
        called = _short(name) or (known.name if known else f"object {number}")
        self.labels[number] = Label(called, known.colour if known else colour(number))
        return self._remember(self.last.picture, result, late)

    def drop(self, object_id: int) -> None:
        """Follow an object no longer.

        Raises:
            InputError: it is not followed.
        """
        self._tracker.drop(object_id) if object_id in self.labels else self._unknown(object_id)
        del self.labels[object_id]
        if self.last is not None and self.last.mask is not None:
            kept = tuple(seen for seen in self.last.objects if seen.object_id != object_id)
            mask = np.where(self.last.mask == object_id, np.uint8(0), self.last.mask)
            self.last = replace(self.last, objects=kept, mask=mask if kept else None)

    def name(self, object_id: int, label: Label) -> None:
        """Give an object another name and colour.

        Raises:
            InputError: it is not followed.
        """
        if object_id not in self.labels:
            self._unknown(object_id)
        called = _short(label.name) or self.labels[object_id].name
        label = self.labels[object_id] = replace(label, name=called)
        if self.last is not None:
            objects = tuple(
                replace(seen, label=label) if seen.object_id == object_id else seen
                for seen in self.last.objects
            )
            self.last = replace(self.last, objects=objects)

    def _remember(self, picture: Numbered, result: Result | None, late: bool) -> Outcome:
        mask = None if result is None else self._kept(result.mask)
        objects = () if result is None else look(result, self.labels)
        self.last = Outcome(picture, mask, objects, time.monotonic_ns(), late)
        return self.last

    def _kept(self, mask: Image) -> Image:
        """A copy, for as long as somebody holds it."""
        copy = self._rooms.take(mask.size).reshape(mask.shape)
        np.copyto(copy, mask)
        return copy

    def _same_size(self, image: Image) -> bool:
        return self.last is None or self.last.picture.shot.image.shape == image.shape

    def _begin_anew(self, image: Image) -> Result:
        """The camera's size has changed: its last masks, resized, are what the objects start from.

        An object that is lost at that moment has none: it is given up, and people are told.
        """
        assert self.last is not None
        assert self.last.mask is not None
        size = (image.shape[1], image.shape[0])
        mask = np.asarray(cv2.resize(self.last.mask, size, interpolation=cv2.INTER_NEAREST))
        masks = {i: mask == i for i in self.labels if 0 < np.count_nonzero(mask == i) < mask.size}
        for number in set(self.labels) - set(masks):
            name = self.labels.pop(number).name
            self._tell(
                f"{name} (object {number}) was lost when the camera's size changed to "
                f"{size[1]}x{size[0]} (HxW), and is not looked for any more: point at it again"
            )
        return self._tracker.start(image, masks)

    def _free(self) -> int:
        return next(number for number in range(1, 256) if number not in self.labels)

    def _unknown(self, object_id: int) -> None:
        raise InputError(f"object {object_id} is not followed; followed are {list(self.labels)}")


def _short(name: str) -> str:
    """On one line, and no longer than fits a label."""
    return " ".join(name.split())[:MOST_NAME]
