"""Records that the host and the board share: what a model expects, what a state holds.

Frozen dataclasses over numbers and strings; the only heavy import is numpy. All arrays are
channel-last, (height, width, channels), C-contiguous.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

UpdateRule = Literal["average", "weighted", "frozen"]

SIDE_MULTIPLE = 16  # pixels: sides of every graph, so that the 1/16 map and the 1/8 masks are whole
MEAN = (124, 116, 104)  # RGB: the colour that the network sees as zero
BORDER = 1  # pixels of mean colour above and left of a graph's input
S4, S8, S16 = 16, 32, 192  # channels of the backbone's features at 1/4, 1/8 and 1/16


@dataclass(frozen=True)
class Quantization:
    """Affine mapping of signed integer codes: value = scale · (code − offset).

    Attributes:
        scale: of one step.
        offset: the code of 0.
        bits: codes span −2^(bits−1) … 2^(bits−1) − 1, whatever the dtype that holds them.
    """

    scale: float
    offset: int
    bits: int = 8

    @property
    def dtype(self) -> str:
        """The smallest that holds the codes: ``int8`` or ``int16``."""
        return "int8" if self.bits <= 8 else "int16"

    @property
    def least(self) -> int:
        """The lowest code."""
        return -(1 << (self.bits - 1))

    @property
    def most(self) -> int:
        """The highest code."""
        return (1 << (self.bits - 1)) - 1


@dataclass(frozen=True)
class TensorCodes:
    """A tensor that graphs or state hold as codes, by its name in ``firmware_bridge.engines``."""

    name: str
    quantization: Quantization


@dataclass(frozen=True)
class TensorSpec:
    """One buffer: name, shape, dtype, and how its codes map to values (None: they are values)."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    quantization: Quantization | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the buffer, without alignment."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class FrameSpec:
    """The graph's input: RGB uint8 frames, sides multiples of 16, padded with the mean colour.

    The array itself is (height + 1, width + 1, 3): its first row and column are mean colour too,
    and stand for the first convolution's padding. Mean and deviation can thus be folded into that
    convolution exactly: the mean colour is the network's zero.
    """

    height: int  # pixels
    width: int  # pixels
    mean: tuple[int, int, int] = MEAN

    def __post_init__(self) -> None:
        for side in (self.height, self.width):
            if side <= 0 or side % SIDE_MULTIPLE:
                raise ValueError(
                    f"sides must be positive multiples of {SIDE_MULTIPLE}; got "
                    f"{self.height}x{self.width}"
                )

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of the graph's input array, border included."""
        return self.height + BORDER, self.width + BORDER, 3

    def at(self, stride: int) -> tuple[int, int]:
        """Height and width of a feature map at 1/stride."""
        return self.height // stride, self.width // stride


@dataclass(frozen=True)
class ModelSpec:
    """What a tracker must know of a model, whatever engine runs it.

    Attributes:
        name: what people call it.
        sha256: of the file it came from.
        precision: of weights, activations and state, e.g. ``fp32`` or ``w8a8sfloat``.
        frame: the graph's input.
        mask_history: k, previous masks that condition the matching.
        scaled_softmax: whether eq. (1) is divided by sqrt(H·W).
        update: rule of the template's running average.
        long_term: whether there is a template at all.
        template_channels: c_tp.
        codes: tensors that are exchanged or kept as integers; all others are float32.
        box_head: weights of ``firmware_bridge.box_head``, float32 (n,), which finds the object in
            a box; None: the graphs follow the box's prior into its own frame.
    """

    name: str
    sha256: str
    precision: str
    frame: FrameSpec
    mask_history: int
    scaled_softmax: bool
    update: UpdateRule
    long_term: bool
    template_channels: int = 32
    codes: tuple[TensorCodes, ...] = ()
    box_head: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)

    def quantization(self, name: str) -> Quantization | None:
        """Of a tensor; None where it is float32."""
        return next((codes.quantization for codes in self.codes if codes.name == name), None)

    def tensor(self, name: str, shape: tuple[int, ...]) -> TensorSpec:
        """A buffer for a tensor of this model."""
        codes = self.quantization(name)
        return TensorSpec(name, shape, codes.dtype if codes else "float32", codes)


@dataclass(frozen=True)
class StateSpec:
    """What one frame hands to the next, buffer by buffer; sizes never change while it runs.

    Attributes:
        shared: features of the previous frame, one set for all objects.
        slot: buffers that each object has for itself.
        max_objects: number of slots.
    """

    shared: tuple[TensorSpec, ...]
    slot: tuple[TensorSpec, ...]
    max_objects: int

    @property
    def nbytes(self) -> int:
        """Bytes of the whole state, without alignment."""
        per_object = sum(tensor.nbytes for tensor in self.slot)
        return sum(tensor.nbytes for tensor in self.shared) + self.max_objects * per_object


def state_spec(model: ModelSpec, max_objects: int) -> StateSpec:
    """The state of a model, with its dtypes and scales."""
    frame, c = model.frame, model.template_channels
    return StateSpec(
        shared=(
            model.tensor("s8", (*frame.at(8), S8)),
            model.tensor("s16", (*frame.at(16), S16)),
        ),
        slot=(
            model.tensor("template", (c, c)),
            model.tensor("masks", (*frame.at(8), 2 * model.mask_history)),
            model.tensor("update_weight", (1,)),
            TensorSpec("updates", (1,), "int32"),
            TensorSpec("lost_frames", (1,), "int32"),
        ),
        max_objects=max_objects,
    )
