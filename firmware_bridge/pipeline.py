"""One size of a model: its engine, its memory, and a frame's way through them.

Frame → encode → embed → template (float) → decode → guards → aggregate → state. Frames allocate
nothing: every array is a view into the arena. An object that a box begins takes memory of its own
for as long as the box head looks into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from edge_ttvos.firmware_bridge import arithmetic
from edge_ttvos.firmware_bridge.box_head import CAUTION, BoxHead
from edge_ttvos.firmware_bridge.codes import Array, Codec
from edge_ttvos.firmware_bridge.engines.base import Engine, Features, Fusing
from edge_ttvos.firmware_bridge.geometry import Fit
from edge_ttvos.firmware_bridge.guards import is_finite
from edge_ttvos.firmware_bridge.latency import Stopwatch
from edge_ttvos.firmware_bridge.prompts import Pointed
from edge_ttvos.firmware_bridge.state import Memory, Slot

MORE_LIKELY = 0.5  # a probability above this: the pixel is the object's
LEAST_FOUND = 0.05  # of a box: less is a speck and no object


class Pipeline:
    """An engine with the memory of its size.

    Args:
        engine: runs the network.
        max_objects: slots of the arena.
        watch: gets the stages' times.
    """

    def __init__(self, engine: Engine, max_objects: int, watch: Stopwatch) -> None:
        self.engine = engine
        self.model = engine.model
        self.memory = Memory(engine.model, max_objects)
        self._watch = watch
        self._fusing = engine if isinstance(engine, Fusing) and engine.fuses else None
        self._small = (self.memory.arena["small"], self.memory.arena["rest"])
        # On several threads these small products gain nothing, and the idle threads spin against
        # the engine's: 2.4 times slower frames were measured on two cores.
        self._blas = _blas()
        weights = engine.model.box_head
        self._box_head = None if weights is None else BoxHead(weights)

    def encode(self, frame: NDArray[np.uint8], fit: Fit) -> None:
        """The frame's features into ``memory.current``."""
        canvas = self.memory.arena["frame"]
        fit.place(frame, canvas)
        self._watch.lap("prepare")
        self.engine.encode(canvas, self.memory.current)
        self._watch.lap("encode")

    def occupy(self, pointed: Mapping[int, Pointed], fit: Fit) -> None:
        """A slot for each object; where they overlap, the later has the pixel.

        Args:
            pointed: by object id, at the frame's size. In a box the object is found first.
            fit: how the frame stands in the graph's input.
        """
        before = self.memory.occupied
        rest = self.memory.arena["plane"]
        for object_id, where in pointed.items():
            slot = next(slot for slot in self.memory.slots if not slot.object_id)
            fit.place_mask(where.plane, slot.probability)
            if where.boxed:
                self._find(slot, fit)
            np.subtract(1, slot.probability, out=rest)
            for other in self.memory.occupied:
                np.minimum(other.probability, rest, out=other.probability)
            slot.object_id = object_id
            seen = fit.crop(slot.probability) > MORE_LIKELY if where.boxed else where.plane > 0
            slot.guard.begin(float(np.count_nonzero(seen)) / seen.size)
        for slot in self.memory.occupied:
            if slot not in before:
                for _ in range(self.model.mask_history):
                    self._push_mask(slot)
            elif slot.good:
                arithmetic.write_newest(
                    slot.masks, slot.probability, self._small, self.memory.codecs["masks"]
                )

    def _find(self, slot: Slot, fit: Fit) -> None:
        """A box's prior becomes the mask of what it holds in the frame in hand.

        Where next to nothing is found, or nothing that is a number, all of the box is the object.
        """
        memory, found = self.memory, slot.probability
        box = memory.arena["inside"]
        np.greater(found, 0, out=box)
        with np.errstate(all="ignore"):
            if self._fusing is not None:  # its one graph leaves no s4
                self.engine.encode(memory.arena["frame"], memory.current)
            log_odds = self._seen_in_box(slot)
        sound = is_finite(fit.crop(log_odds))
        arithmetic.aggregate([found], memory.arena["odds"], memory.arena["plane"])
        found *= box
        area = np.count_nonzero(found > MORE_LIKELY)
        if not sound or area < LEAST_FOUND * np.count_nonzero(box):
            np.copyto(found, box)

    def _seen_in_box(self, slot: Slot) -> NDArray[np.float32]:
        """Log-odds over the prior's frame, in ``probability``, which holds the prior."""
        memory, found, now = self.memory, slot.probability, self.memory.current
        if self._box_head is not None:
            with self._blas.limit(limits=1):
                self._box_head.log_odds(
                    self._values("s4", now.s4),
                    self._values("s8", now.s8),
                    self._values("s16", now.s16),
                    found,
                    found,
                )
            found -= np.float32(CAUTION)
            self._watch.lap("decode")
            return found
        for _ in range(self.model.mask_history):
            self._push_mask(slot)
        self._decode(slot, now)
        slot.updates.fill(0)  # the template is made anew, of the mask
        return memory.codecs["log_odds"].read(slot.decoded.log_odds, found)

    def _values(self, name: str, stored: Array) -> NDArray[np.float32]:
        """Of a tensor that nothing else computes with in float."""
        codes = self.model.quantization(name)
        scratch = None if codes is None else np.empty(stored.shape, np.float32)
        return Codec(codes, scratch).read(stored)

    def follow(self, frame: NDArray[np.uint8], fit: Fit) -> None:
        """All objects into the next frame: their probabilities, and verdicts of their own."""
        slots = self.memory.occupied
        self.memory.advance()
        with np.errstate(all="ignore"):  # what is not finite, the guards find
            if self._fusing is not None and len(slots) == 1:
                self._fuse(self._fusing, frame, slots[0], fit)
            else:
                self.encode(frame, fit)
                for slot in slots:
                    self._match(slot, fit)
        sound = [slot for slot in slots if slot.good]
        arena = self.memory.arena
        arithmetic.aggregate([s.probability for s in sound], arena["odds"], arena["plane"])
        self._watch.lap("aggregate")

    def keep(self) -> None:
        """Masks of objects in sight enter their histories; others keep what was seen last."""
        for slot in self.memory.occupied:
            slot.hold(self.memory.previous)
            if slot.good:
                self._push_mask(slot)
        self._watch.lap("aggregate")

    def _match(self, slot: Slot, fit: Fit) -> None:
        self._decode(slot, slot.seen if slot.holding else self.memory.previous)
        self._judge(slot, fit)

    def _decode(self, slot: Slot, before: Features) -> None:
        """The object's log-odds in the frame in hand, after the frame of these features."""
        memory, embedding, decoded = self.memory, self.memory.embedding, slot.decoded
        now = memory.current
        attention, codecs = memory.arena["attention"], memory.codecs
        self.engine.embed(before.s8, slot.masks, now.s8, embedding)
        self._watch.lap("embed")
        if self.model.long_term:
            with self._blas.limit(limits=1):
                self._update_template(slot)
                template, q = codecs["template"].read(slot.template), codecs["q"].read(embedding.q)
                values = codecs["attention"].blank(attention)
                arithmetic.read_template(template, q, values)
                codecs["attention"].write(values, attention)
            self._watch.lap("template")
        self.engine.decode(now, embedding.s8, attention, before.s16, slot.masks, decoded)
        self._watch.lap("decode")

    def _fuse(self, engine: Fusing, frame: NDArray[np.uint8], slot: Slot, fit: Fit) -> None:
        """The same in the engine's one graph; all of its time counts as ``decode``."""
        memory, arena = self.memory, self.memory.arena
        canvas, matrix = arena["frame"], arena["matrix"]
        fit.place(frame, canvas)
        self._watch.lap("prepare")
        before = slot.seen if slot.holding else memory.previous
        step = self._step(slot)
        arena["step"].fill(0.0 if step is None else step)
        engine.fused(
            canvas,
            before,
            slot.masks,
            slot.template,
            arena["step"],
            memory.current,
            matrix,
            slot.decoded,
        )
        self._watch.lap("decode")
        if step is not None and is_finite(matrix):
            slot.updates += 1
            np.copyto(slot.template, matrix)
        self._judge(slot, fit)

    def _judge(self, slot: Slot, fit: Fit) -> None:
        """The guard's verdict on what was decoded."""
        memory, decoded, codecs = self.memory, slot.decoded, self.memory.codecs
        weight = self._weight(slot) if self.model.update == "weighted" else 0.0
        log_odds = fit.crop(codecs["log_odds"].read(decoded.log_odds, slot.probability))
        height, width = fit.content
        slot.guard.judge(log_odds, weight, memory.arena["inside"][:height, :width])
        slot.lost_frames += 1  # until a pixel is found
        if not slot.good:
            slot.probability.fill(0)

    def _update_template(self, slot: Slot) -> None:
        """Eq. (2), or the release's rule; not from a frame that was not good, nor from NaN."""
        step = self._step(slot)
        if step is None:
            return
        memory, codecs = self.memory, self.memory.codecs
        matrix, row = memory.arena["matrix"], memory.arena["row"]
        f, g = codecs["f"].read(memory.embedding.f), codecs["g"].read(memory.embedding.g)
        arithmetic.embedding_matrix(f, g, self.model.scaled_softmax, matrix, row)
        if not is_finite(matrix):
            return
        slot.updates += 1
        if slot.updates[0] == 1:  # from nothing, which no code need stand for
            codecs["template"].write(matrix, slot.template)
            return
        template = codecs["template"].read(slot.template)
        arithmetic.running_average(template, matrix, step)
        codecs["template"].write(template, slot.template)

    def _step(self, slot: Slot) -> float | None:
        """How far the template moves to I, 0…1: all the way at first; None: it stays."""
        updates = int(slot.updates[0])
        if not updates:
            return 1.0
        if self.model.update == "frozen" or not slot.good:
            return None
        if self.model.update == "weighted":
            weight = self._weight(slot)
            return weight / (1 + weight)
        return 1.0 / (updates + 1)

    def _weight(self, slot: Slot) -> float:
        """w of the object's last frame."""
        return float(self.memory.codecs["update_weight"].read(slot.decoded.update_weight)[0])

    def _push_mask(self, slot: Slot) -> None:
        codec = self.memory.codecs["masks"]
        arithmetic.push_mask(slot.masks, slot.probability, self._small, codec)


def _blas() -> ThreadpoolController:
    """The BLAS libraries; each of their functions is looked up once.

    threadpoolctl spells a function's name anew at every call, and CPython remembers up to 4,096
    spellings of attributes: 0.3 MB that come frame by frame.
    """
    controller = ThreadpoolController().select(user_api="blas")
    for library in controller.lib_controllers:
        look_up = getattr(library, "_get_symbol", None)  # since 3.5; there is no public way
        if look_up is not None:
            library._get_symbol = lru_cache(look_up)
    return controller
