"""The one tracker: frames in, masks out, whatever engine runs the network.

Frame → encode → embed → template (float) → decode → aggregate → state. After ``start`` a frame
allocates nothing: every array is a view into the arena or into the canvas of the frame's size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from edge_ttvos.errors import CapacityError, FrameError, InputError
from edge_ttvos.firmware_bridge import arithmetic
from edge_ttvos.firmware_bridge.canvas import Canvas
from edge_ttvos.firmware_bridge.engines import open_engine
from edge_ttvos.firmware_bridge.engines.base import Engine, EngineOptions
from edge_ttvos.firmware_bridge.geometry import Fit
from edge_ttvos.firmware_bridge.latency import Stopwatch
from edge_ttvos.firmware_bridge.prompts import Plane, Prompt, Prompts, parse_prompts
from edge_ttvos.firmware_bridge.state import Memory, Slot

DEFAULT_MAX_OBJECTS = 8


class ObjectState(str, Enum):
    """Whether an object is in sight."""

    TRACKING = "tracking"
    LOST = "lost"


@dataclass(frozen=True)
class Result:
    """One frame's outcome. Arrays are views that the next step overwrites: copy what you keep.

    Attributes:
        mask: (H, W) uint8 of object ids at the frame's size, 0 is background.
        probabilities: by object id, float32 (h, w) at the graph's size without its padding.
        states: by object id; LOST where no pixel of the frame is the object's.
        timings: milliseconds by stage (``latency.STAGES``).
    """

    mask: NDArray[np.uint8]
    probabilities: Mapping[int, Plane]
    states: Mapping[int, ObjectState]
    timings: Mapping[str, float]


class Tracker:
    """Follows up to ``max_objects`` objects through frames of one size.

    Args:
        engine: runs the network; closed by ``close``.
        max_objects: slots of the arena.
    """

    def __init__(self, engine: Engine, max_objects: int = DEFAULT_MAX_OBJECTS) -> None:
        if max_objects < 1:
            raise InputError(f"max_objects must be at least 1; got {max_objects}")
        self.engine = engine
        self.model = engine.model
        self.memory = Memory(engine.model, max_objects)
        self._canvas: Canvas | None = None
        self._watch = Stopwatch()
        # On several threads these small products gain nothing, and the idle threads spin against
        # the engine's: 2.4 times slower frames were measured on two cores.
        self._blas = ThreadpoolController().select(user_api="blas")

    @classmethod
    def open(
        cls,
        model: str = "default",
        engine: str | None = None,
        max_objects: int = DEFAULT_MAX_OBJECTS,
        options: EngineOptions | None = None,
    ) -> Tracker:
        """Open a model (``default``: the shipped weights) with an engine (None: the first there).

        Raises:
            EngineError: the engine is not installed.
            ModelError: the model cannot be used.
        """
        return cls(open_engine(model, engine, options), max_objects)

    @property
    def objects(self) -> list[int]:
        """Ids of the objects that are followed, in the order of their slots."""
        return [slot.object_id for slot in self.memory.occupied]

    def start(self, frame: NDArray[np.uint8], prompts: Prompts) -> Result:
        """Forget everything; follow these objects from this frame on.

        Args:
            frame: (H, W, 3) RGB uint8; all later frames have its size.
            prompts: an indexed mask (H, W) uint8, masks or boxes in a sequence (numbered from 1)
                or by id.

        Raises:
            FrameError: not an RGB uint8 image.
            MaskError: a mask or box that cannot be followed.
            CapacityError: more objects than slots.
        """
        height, width = _checked_frame(frame)
        planes = parse_prompts(prompts, height, width)
        self._check_capacity(len(planes))
        canvas = self._canvas_for(Fit.of(self.model.frame, height, width))
        self._watch.start()
        self._canvas = None  # unless all goes well, nothing is followed
        self.memory.reset()
        canvas.fit.blank(self.memory.arena["frame"])
        self._encode(frame, canvas.fit)
        self._occupy(planes, canvas.fit)
        self._canvas = canvas
        return self._result(canvas, planes)

    def add(self, object_id: int, prompt: Prompt) -> Result:
        """Follow one more object, or this one anew, from the last frame on.

        What the user points at is the object's: others give up its pixels, in the returned mask
        as in their states.

        Raises:
            MaskError: as ``start``.
            CapacityError: all slots are taken.
            InputError: nothing has been started.
        """
        canvas = self._started()
        planes = parse_prompts({object_id: prompt}, canvas.fit.height, canvas.fit.width)
        self._check_capacity(len({object_id, *self.objects}))
        self._watch.start()
        if object_id in self.objects:
            self.drop(object_id)
        self._occupy(planes, canvas.fit)
        return self._result(canvas, planes)

    def drop(self, object_id: int) -> None:
        """Follow an object no longer; its slot is free.

        Raises:
            InputError: the object is not followed.
        """
        for slot in self.memory.occupied:
            if slot.object_id == object_id:
                slot.reset(0)
                return
        raise InputError(f"object {object_id} is not followed; followed are {self.objects}")

    def step(self, frame: NDArray[np.uint8]) -> Result:
        """Follow all objects into the next frame.

        Raises:
            FrameError: not an RGB uint8 image, or of another size than the first.
            InputError: nothing has been started, or the last frame failed in the engine.
        """
        canvas = self._started()
        height, width = _checked_frame(frame)
        if (height, width) != (canvas.fit.height, canvas.fit.width):
            raise FrameError(
                f"frame must be {canvas.fit.height}x{canvas.fit.width} (HxW) as the first one; "
                f"got {height}x{width}. Start anew for a video of another size"
            )
        self._watch.start()
        self._canvas = None  # a frame that fails half-way leaves no state to go on from
        self.memory.advance()
        self._encode(frame, canvas.fit)
        slots = self.memory.occupied
        for slot in slots:
            self._follow(slot)
        self._aggregate(slots)
        for slot in slots:
            slot.lost_frames += 1
        self._canvas = canvas
        return self._result(canvas)

    def close(self) -> None:
        """Release the engine."""
        self.engine.close()

    def _started(self) -> Canvas:
        if self._canvas is None:
            raise InputError("nothing is followed: call start(frame, masks_or_boxes) first")
        return self._canvas

    def _canvas_for(self, fit: Fit) -> Canvas:
        if self._canvas is not None and self._canvas.fit == fit:
            return self._canvas
        return Canvas(fit)

    def _check_capacity(self, wanted: int) -> None:
        slots = len(self.memory.slots)
        if wanted > slots:
            raise CapacityError(
                f"{wanted} objects, but the arena has {slots} slots: raise max_objects "
                f"(--max-objects {wanted}) or follow fewer"
            )

    def _encode(self, frame: NDArray[np.uint8], fit: Fit) -> None:
        canvas = self.memory.arena["frame"]
        fit.place(frame, canvas)
        self._watch.lap("prepare")
        self.engine.encode(canvas, self.memory.current)
        self._watch.lap("encode")

    def _occupy(self, planes: Mapping[int, Plane], fit: Fit) -> None:
        """A slot for each object; where they overlap, the later has the pixel."""
        before = self.memory.occupied
        small, rest = self.memory.arena["small"], self.memory.arena["plane"]
        for object_id, plane in planes.items():
            slot = next(slot for slot in self.memory.slots if not slot.object_id)
            fit.place_mask(plane, slot.probability)
            np.subtract(1, slot.probability, out=rest)
            for other in self.memory.occupied:
                np.minimum(other.probability, rest, out=other.probability)
            slot.object_id = object_id
        for slot in self.memory.occupied:
            if slot in before:
                arithmetic.write_newest(slot.masks, slot.probability, small)
                continue
            for _ in range(self.model.mask_history):
                arithmetic.push_mask(slot.masks, slot.probability, small)

    def _follow(self, slot: Slot) -> None:
        memory, embedding = self.memory, self.memory.embedding
        before, now = memory.previous, memory.current
        attention = memory.arena["attention"]
        self.engine.embed(before.s8, slot.masks, now.s8, embedding)
        self._watch.lap("embed")
        if self.model.long_term:
            with self._blas.limit(limits=1):
                self._update_template(slot)
                arithmetic.read_template(slot.template, embedding.q, attention)
            self._watch.lap("template")
        self.engine.decode(now, embedding.s8, attention, before.s16, slot.masks, slot.decoded)
        self._watch.lap("decode")

    def _update_template(self, slot: Slot) -> None:
        first = slot.updates[0] == 0
        slot.updates += 1
        if self.model.update == "frozen" and not first:
            return
        memory = self.memory
        matrix, row = memory.arena["matrix"], memory.arena["row"]
        arithmetic.embedding_matrix(
            memory.embedding.f, memory.embedding.g, self.model.scaled_softmax, matrix, row
        )
        step = 1.0 / float(slot.updates[0])
        if self.model.update == "weighted" and not first:
            weight = float(slot.decoded.update_weight[0])
            step = weight / (1 + weight)
        arithmetic.running_average(slot.template, matrix, step)

    def _aggregate(self, slots: list[Slot]) -> None:
        arena = self.memory.arena
        arithmetic.aggregate([s.decoded.log_odds for s in slots], arena["odds"], arena["plane"])
        for slot in slots:
            arithmetic.push_mask(slot.masks, slot.probability, arena["small"])
        self._watch.lap("aggregate")

    def _result(self, canvas: Canvas, given: Mapping[int, Plane] | None = None) -> Result:
        """The frame's outcome; objects given with this very frame stand in its mask as given."""
        slots, given = self.memory.occupied, given or {}
        canvas.paint(
            [slot for slot in slots if slot.object_id not in given], self.memory.arena["plane"]
        )
        for object_id, plane in given.items():
            canvas.mask[plane > 0] = object_id
        counts = cv2.calcHist([canvas.mask], [0], None, [256], [0, 256])
        for slot in slots:
            if counts[slot.object_id]:
                slot.lost_frames.fill(0)
        self._watch.lap("mask")
        return Result(
            mask=canvas.mask,
            probabilities={s.object_id: canvas.fit.crop(s.probability) for s in slots},
            states={
                s.object_id: ObjectState.TRACKING if counts[s.object_id] else ObjectState.LOST
                for s in slots
            },
            timings=dict(self._watch.milliseconds),
        )


def _checked_frame(frame: object) -> tuple[int, int]:
    if not isinstance(frame, np.ndarray):
        got = type(frame).__name__
    elif frame.dtype != np.uint8 or frame.shape[2:] != (3,) or not frame.size:
        got = f"{frame.dtype} {frame.shape}"
    else:
        return frame.shape[0], frame.shape[1]
    raise FrameError(
        f"frame must be RGB uint8 (H, W, 3); got {got}. Convert grey, 16-bit or float frames first"
    )
