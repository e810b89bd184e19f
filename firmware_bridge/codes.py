"""Integer codes to values and back, in place: nothing here allocates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.contracts import Quantization

Float = NDArray[np.float32]
Array = NDArray[Any]  # float32, or codes


@dataclass(frozen=True)
class Codec:
    """How one tensor is kept: as float32, or as codes with values beside them.

    Attributes:
        quantization: of the codes; None: the tensor holds values itself.
        scratch: float32 for the values of one such tensor; None where there are no codes.
    """

    quantization: Quantization | None
    scratch: Float | None

    def read(self, stored: Array, out: Float | None = None) -> Float:
        """Its values: the tensor itself, or ``out`` (the scratch where there is none) filled."""
        if self.quantization is None:
            return stored
        values = self.scratch if out is None else out
        assert values is not None
        dequantize(stored, self.quantization, values)
        return values

    def blank(self, stored: Array) -> Float:
        """Where to compute values that ``write`` will store: the tensor itself, or the scratch."""
        if self.quantization is None:
            return stored
        assert self.scratch is not None
        return self.scratch

    def write(self, values: Float, stored: Array) -> None:
        """Keep values; they are used up."""
        if self.quantization is not None:
            quantize(values, self.quantization, stored)
        elif values is not stored:
            np.copyto(stored, values)


def dequantize(codes: Array, quantization: Quantization, out: Float) -> None:
    """value = scale · (code − offset); ``out`` has the shape of ``codes``."""
    np.subtract(codes, np.float32(quantization.offset), out=out)
    out *= np.float32(quantization.scale)


def quantize(values: Float, quantization: Quantization, codes: Array) -> None:
    """code = round(value / scale) + offset, ties to even, cut off at the range's ends.

    Args:
        values: used up.
        quantization: scale, offset and range.
        codes: of the same shape, receives the codes.
    """
    values *= np.float32(1 / quantization.scale)
    np.rint(values, out=values)
    values += np.float32(quantization.offset)
    np.clip(values, quantization.least, quantization.most, out=values)
    np.copyto(codes, values, casting="unsafe")
