"""What a target wants of the graphs' form; the values computed stay the same. Takes no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Coordinates = Literal["buffer", "input"]


@dataclass(frozen=True)
class Form:
    """How the graphs are built.

    Attributes:
        coordinates: whether x, y and radius are constants of ``embed`` or its last input (1, h8,
            w8, 3).
        transposed: keep transposed convolutions; else they become 3×3 convolutions and an
            interleaving of their channels (``export.upsampling``).
        plain: only layers that every accelerator knows: group convolutions, LeakyReLU and what
            enlarges maps are written with others (``export.plain``).
        early_cast: the frame's bytes become floats before anything else is done with them.
        fused: beside the three graphs of a float network one that does a frame of a single object
            (``export.fused``).
    """

    coordinates: Coordinates = "buffer"
    transposed: bool = False
    plain: bool = False
    early_cast: bool = False
    fused: bool = False
