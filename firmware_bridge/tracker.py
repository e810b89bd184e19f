"""The one tracker: frames in, masks out, whatever engine runs the network.

After ``start`` a frame allocates nothing: every array is a view into the arena or into the canvas
of the frame's size. What a frame goes through is in ``pipeline``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.contracts import ModelSpec
from edge_ttvos.errors import CapacityError, FrameError, InputError
from edge_ttvos.firmware_bridge.canvas import Canvas
from edge_ttvos.firmware_bridge.engines import open_engines
from edge_ttvos.firmware_bridge.engines.base import Engine, EngineOptions
from edge_ttvos.firmware_bridge.geometry import Fit
from edge_ttvos.firmware_bridge.guards import Verdict
from edge_ttvos.firmware_bridge.latency import Stopwatch
from edge_ttvos.firmware_bridge.pipeline import Pipeline
from edge_ttvos.firmware_bridge.prompts import Pointed, Prompt, Prompts, parse_prompts
from edge_ttvos.firmware_bridge.result import ObjectState, Result
from edge_ttvos.firmware_bridge.sizes import check_one_model, choose
from edge_ttvos.firmware_bridge.state import Memory

__all__ = ["DEFAULT_MAX_OBJECTS", "ObjectState", "Result", "Tracker", "Verdict"]

DEFAULT_MAX_OBJECTS = 8


class Tracker:
    """Follows up to ``max_objects`` objects through frames of one size.

    Args:
        engines: one, or one for each size of the same model; ``start`` takes the one that keeps
            most of the frame. Each has its own memory from now on. Closed by ``close``.
        max_objects: slots of each arena.

    Raises:
        InputError: no engine, or no slot.
        ModelError: engines of different models, or two of one size.
    """

    def __init__(
        self, engines: Engine | Sequence[Engine], max_objects: int = DEFAULT_MAX_OBJECTS
    ) -> None:
        if max_objects < 1:
            raise InputError(f"max_objects must be at least 1; got {max_objects}")
        engines = engines if isinstance(engines, Sequence) else (engines,)
        self._models = [engine.model for engine in engines]
        check_one_model(self._models)
        self._watch = Stopwatch()
        self._pipelines = [Pipeline(engine, max_objects, self._watch) for engine in engines]
        self._pipeline = self._pipelines[0]
        self._canvas: Canvas | None = None

    @classmethod
    def open(
        cls,
        model: str = "default",
        engine: str | None = None,
        max_objects: int = DEFAULT_MAX_OBJECTS,
        options: EngineOptions | None = None,
    ) -> Tracker:
        """Open a model (``default``: the shipped weights) with an engine (None: the first there).

        A bundle of several sizes is opened at all of them, unless ``options.size`` names one.

        Raises:
            EngineError: the engine is not installed.
            ModelError: the model cannot be used.
        """
        return cls(open_engines(model, engine, options), max_objects)

    @property
    def engine(self) -> Engine:
        """The engine of the size that frames are followed at."""
        return self._pipeline.engine

    @property
    def model(self) -> ModelSpec:
        """Of that engine."""
        return self._pipeline.model

    @property
    def memory(self) -> Memory:
        """Of that size."""
        return self._pipeline.memory

    @property
    def arena_bytes(self) -> int:
        """Bytes of the arenas of all sizes."""
        return sum(pipeline.memory.arena.nbytes for pipeline in self._pipelines)

    @property
    def objects(self) -> list[int]:
        """Ids of the objects that are followed, in the order of their slots."""
        return [slot.object_id for slot in self.memory.occupied]

    def start(self, frame: NDArray[np.uint8], prompts: Prompts) -> Result:
        """Forget everything; follow these objects from this frame on.

        Args:
            frame: (H, W, 3) RGB uint8; all later frames have its size.
            prompts: an indexed mask (H, W) uint8, masks or boxes in a sequence (numbered from 1)
                or by id. In a box the object is found first; the returned mask shows it.

        Raises:
            FrameError: not an RGB uint8 image.
            MaskError: a mask or box that cannot be followed.
            CapacityError: more objects than slots.
        """
        height, width = _checked_frame(frame)
        pointed = parse_prompts(prompts, height, width)
        self._check_capacity(len(pointed))
        self._watch.start()
        canvas = self._choose(height, width)
        self._canvas = None  # unless all goes well, nothing is followed
        self.memory.reset()
        canvas.fit.blank(self.memory.arena["frame"])
        self._pipeline.encode(frame, canvas.fit)
        self._pipeline.occupy(pointed, canvas.fit)
        self._paint(canvas, pointed)
        self._canvas = canvas
        return self._result(canvas)

    def add(self, object_id: int, prompt: Prompt) -> Result:
        """Follow one more object, or this one anew, from the last frame on.

        What the user points at is the object's, of a box what is found in it: others give up its
        pixels, in the returned mask as in their states.

        Raises:
            MaskError: as ``start``.
            CapacityError: all slots are taken.
            InputError: nothing has been started.
        """
        canvas = self._started()
        pointed = parse_prompts({object_id: prompt}, canvas.fit.height, canvas.fit.width)
        self._check_capacity(len({object_id, *self.objects}))
        self._watch.start()
        if object_id in self.objects:
            self.drop(object_id)
        self._pipeline.occupy(pointed, canvas.fit)
        self._paint(canvas, pointed)
        for slot in self.memory.occupied:
            slot.hold(self.memory.current)
        return self._result(canvas)

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
        self._pipeline.follow(frame, canvas.fit)
        self._paint(canvas, {})
        self._pipeline.keep()
        self._canvas = canvas
        return self._result(canvas)

    def close(self) -> None:
        """Release all engines."""
        with ExitStack() as stack:
            for pipeline in self._pipelines:
                stack.callback(pipeline.engine.close)

    def _started(self) -> Canvas:
        if self._canvas is None:
            raise InputError("nothing is followed: call start(frame, masks_or_boxes) first")
        return self._canvas

    def _choose(self, height: int, width: int) -> Canvas:
        """Turn to the size that suits such frames."""
        self._pipeline = self._pipelines[choose(self._models, height, width)]
        fit = Fit.of(self.model.frame, height, width)
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

    def _paint(self, canvas: Canvas, pointed: Mapping[int, Pointed]) -> None:
        """The frame's mask; masks given with this very frame stand in it as given."""
        slots = self.memory.occupied
        masks = {i: where.plane for i, where in pointed.items() if not where.boxed}
        canvas.paint(
            [slot for slot in slots if slot.object_id not in masks], self.memory.arena["plane"]
        )
        for object_id, plane in masks.items():
            canvas.mask[plane > 0] = object_id
        counts = cv2.calcHist([canvas.mask], [0], None, [256], [0, 256])
        for slot in slots:
            slot.guard.settle(in_sight=counts.item(slot.object_id) > 0)
            if slot.good:
                slot.lost_frames.fill(0)
        self._watch.lap("mask")

    def _result(self, canvas: Canvas) -> Result:
        slots = self.memory.occupied
        verdicts = {slot.object_id: slot.guard.verdict for slot in slots}
        return Result(
            mask=canvas.mask,
            probabilities={s.object_id: canvas.fit.crop(s.probability) for s in slots},
            states={i: ObjectState.of(verdict) for i, verdict in verdicts.items()},
            verdicts=verdicts,
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
