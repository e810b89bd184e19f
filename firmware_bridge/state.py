"""The tracker's memory: the state of DESIGN's contract and the work buffers, in one arena."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.contracts import S4, S8, S16, ModelSpec, StateSpec, TensorSpec, state_spec
from edge_ttvos.firmware_bridge.arena import Arena
from edge_ttvos.firmware_bridge.codes import Array, Codec
from edge_ttvos.firmware_bridge.engines.base import Decoded, Embedding, Features
from edge_ttvos.firmware_bridge.guards import Guard, Verdict

Float = NDArray[np.float32]

# What the arithmetic between the graphs computes with in float, whatever the graphs exchange.
VALUES = ("f", "g", "q", "attention", "template", "update_weight")


@dataclass(eq=False)
class Slot:
    """What one object has for itself. Arrays are views into the arena.

    Attributes:
        object_id: 1…254, or 0 while the slot is free.
        template: TP (32, 32), values or codes.
        masks: Ĥ of the last k good frames (h8, w8, 2k), newest first, each background and
            foreground, values or codes.
        updates: t (1,), how often the template has been updated.
        lost_frames: (1,), frames in a row without a pixel of the object.
        probability: (H, W) of the current frame, at the graph's size.
        decoded: what the engine fills: w (1,) for the coming template update, and the log-odds,
            whose values stand in ``probability`` until they are aggregated.
        seen: s8 and s16 of the last good frame, kept while the object is out of sight.
        guard: judges every frame; only good ones enter template and masks.
        holding: whether ``seen`` stands in for the previous frame's features.
    """

    object_id: int
    template: Array
    masks: Array
    updates: NDArray[np.int32]
    lost_frames: NDArray[np.int32]
    probability: Float
    decoded: Decoded
    seen: Features
    guard: Guard
    holding: bool = field(default=False, init=False)

    def reset(self, object_id: int) -> None:
        """Forget everything and belong to ``object_id`` (0: free)."""
        self.object_id = object_id
        self.guard.begin(0.0)
        self.holding = False
        for array in (self.template, self.masks, self.probability, self.decoded.update_weight):
            array.fill(0)  # codes too: what they stand for is written before it is read
        self.updates.fill(0)
        self.lost_frames.fill(0)

    @property
    def good(self) -> bool:
        """Whether the object is in sight, and its mask in the last frame fit to be kept."""
        return self.guard.verdict is Verdict.GOOD

    def hold(self, seen: Features) -> None:
        """While the object is out of sight, ``seen``, of the frame that its masks show, is kept."""
        if self.good:
            self.holding = False
        elif not self.holding:
            self.holding = True
            np.copyto(self.seen.s8, seen.s8)
            np.copyto(self.seen.s16, seen.s16)


class Memory:
    """All buffers of a tracker. ``features[now]`` is the current frame's, the other the previous.

    Args:
        model: gives the sizes.
        max_objects: number of slots.
    """

    def __init__(self, model: ModelSpec, max_objects: int) -> None:
        self.spec: StateSpec = state_spec(model, max_objects)
        frame, c = model.frame, model.template_channels
        size = (frame.height, frame.width)
        h8 = frame.at(8)
        work = [
            TensorSpec("frame", frame.input_shape, "uint8"),
            model.tensor("s4", (*frame.at(4), S4)),
            replace(model.tensor("s8", (*h8, S8)), name="next.s8"),
            replace(model.tensor("s16", (*frame.at(16), S16)), name="next.s16"),
            *(model.tensor(n, (*h8, c)) for n in ("f", "g", "q", "modified_s8", "attention")),
            TensorSpec("matrix", (c, c)),
            TensorSpec("row", (c, 1)),
            TensorSpec("step", (1,)),
            TensorSpec("plane", size),
            TensorSpec("odds", size),
            TensorSpec("inside", size, "bool"),
            TensorSpec("small", h8),
            TensorSpec("rest", h8),
            *_scratch(model),
            *(tensor for i in range(max_objects) for tensor in _beside_the_slot(i, model)),
        ]
        shared = [replace(t, name=f"shared.{t.name}") for t in self.spec.shared]
        slots = [
            replace(t, name=f"{i}.{t.name}") for i in range(max_objects) for t in self.spec.slot
        ]
        self.arena = Arena([*shared, *slots, *work])
        a = self.arena
        self.codecs = {
            name: Codec(model.quantization(name), a.arrays.get(f"{name}.values"))
            for name in (*VALUES, "masks", "log_odds")
        }
        self.slots = [self._slot(i) for i in range(max_objects)]
        self.features = [
            Features(a["s4"], a["shared.s8"], a["shared.s16"]),
            Features(a["s4"], a["next.s8"], a["next.s16"]),
        ]
        self.now = 0
        self.embedding = Embedding(a["f"], a["g"], a["q"], a["modified_s8"])

    def _slot(self, index: int) -> Slot:
        a = self.arena
        names = ("template", "masks", "updates", "lost_frames", "probability")
        own = {name: a[f"{index}.{name}"] for name in names}
        log_odds = a.arrays.get(f"{index}.log_odds", own["probability"])
        decoded = Decoded(log_odds, a[f"{index}.update_weight"])
        seen = Features(a["s4"], a[f"{index}.seen_s8"], a[f"{index}.seen_s16"])
        return Slot(0, decoded=decoded, seen=seen, guard=Guard(), **own)

    @property
    def occupied(self) -> list[Slot]:
        """Slots that an object has, in order."""
        return [slot for slot in self.slots if slot.object_id]

    @property
    def current(self) -> Features:
        """Features of the frame in hand."""
        return self.features[self.now]

    @property
    def previous(self) -> Features:
        """Features of the frame before; its s4 is already overwritten and must not be read."""
        return self.features[1 - self.now]

    def advance(self) -> None:
        """The current frame becomes the previous one."""
        self.now = 1 - self.now

    def reset(self) -> None:
        """Free all slots."""
        for slot in self.slots:
            slot.reset(0)


def _scratch(model: ModelSpec) -> Iterator[TensorSpec]:
    """Values of what is held as codes and computed with in float."""
    c = model.template_channels
    shapes = {"template": (c, c), "update_weight": (1,)}
    for name in VALUES:
        if model.quantization(name) is not None:
            yield TensorSpec(f"{name}.values", shapes.get(name, (*model.frame.at(8), c)))


def _beside_the_slot(index: int, model: ModelSpec) -> Iterator[TensorSpec]:
    """What an object has beside the state of its slot."""
    frame = model.frame
    size = (frame.height, frame.width)
    yield TensorSpec(f"{index}.probability", size)
    if model.quantization("log_odds") is not None:
        yield replace(model.tensor("log_odds", size), name=f"{index}.log_odds")
    yield replace(model.tensor("s8", (*frame.at(8), S8)), name=f"{index}.seen_s8")
    yield replace(model.tensor("s16", (*frame.at(16), S16)), name=f"{index}.seen_s16")
