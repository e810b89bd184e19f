"""What an inference engine must do: run a model's three static graphs on arrays it is handed.

Every array is channel-last, C-contiguous and owned by the caller, at the graph's size (H, W) with
h8 = H/8 and so on; float32, or codes where the model has them. Engines write results into them and
keep nothing between calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.contracts import ModelSpec
from edge_ttvos.firmware_bridge.codes import Array

# Engines that run another's bundles where its library is missing, the best first.
FALLBACKS: Mapping[str, tuple[str, ...]] = {"tensorrt": ("onnxruntime",)}


@dataclass(frozen=True)
class Features:
    """Backbone features of one frame: s4 (h4, w4, 16), s8 (h8, w8, 32), s16 (h16, w16, 192)."""

    s4: Array
    s8: Array
    s16: Array


@dataclass(frozen=True)
class Embedding:
    """Maps of the template attention module, (h8, w8, 32) each; eq. (1) and (3) read f, g and q.

    Attributes:
        f: of the previous frame and masks; unwritten without long-term matching.
        g: likewise.
        q: of the current frame and previous masks; likewise.
        s8: the modified s8′ that goes on to the decoder; always written.
    """

    f: Array
    g: Array
    q: Array
    s8: Array


@dataclass(frozen=True)
class Decoded:
    """What ``decode`` fills.

    Attributes:
        log_odds: (H, W), the foreground's logit less the background's.
        update_weight: w (1,) where it is learnt, else unwritten.
    """

    log_odds: Array
    update_weight: Array


@dataclass(frozen=True)
class EngineInfo:
    """For protocols: engine, its version, the device that it runs on, and its threads."""

    name: str
    version: str
    device: str
    threads: int


@runtime_checkable
class Engine(Protocol):
    """Runs one model at one size."""

    @property
    def model(self) -> ModelSpec:
        """What it runs."""

    @property
    def info(self) -> EngineInfo:
        """What runs it."""

    def encode(self, frame: NDArray[np.uint8], features: Features) -> None:
        """RGB uint8 (H + 1, W + 1, 3), as ``contracts.FrameSpec`` says → features."""

    def embed(self, previous_s8: Array, masks: Array, s8: Array, embedding: Embedding) -> None:
        """s8 of both frames and the mask history (h8, w8, 2k), newest first → embedding."""

    def decode(
        self,
        features: Features,
        modified_s8: Array,
        attention: Array,
        previous_s16: Array,
        masks: Array,
        decoded: Decoded,
    ) -> None:
        """Similarity, short-term matching and decoder; ``attention`` is A = TP q of eq. (3)."""

    def close(self) -> None:
        """Release what the engine holds; it is not used afterwards."""


@runtime_checkable
class Fusing(Protocol):
    """An engine that may have one graph for a whole frame of a single object."""

    @property
    def fuses(self) -> bool:
        """Whether it has."""

    def fused(
        self,
        frame: NDArray[np.uint8],
        before: Features,
        masks: Array,
        template: Array,
        step: Array,
        now: Features,
        next_template: Array,
        decoded: Decoded,
    ) -> None:
        """Encode, embed, eq. (1) to (3) and decode, all in float32.

        Args:
            frame: as for ``encode``.
            before: of the frame that the masks show; its s4 is not read.
            masks: history (h8, w8, 2k), newest first.
            template: TP (c, c).
            step: (1,), how far the template moves to I: 1 at first, 0 if it must not.
            now: receives s8 and s16; s4 is left alone.
            next_template: (c, c), receives TP moved.
            decoded: receives log-odds and w.
        """


@dataclass(frozen=True)
class EngineOptions:
    """What a user may choose; None leaves it to the model or the engine.

    Attributes:
        size: height and width of the graph in pixels; rounded up to multiples of 16.
        threads: CPU threads.
        bfloat16: compute in bfloat16; OpenVINO alone heeds it, where the processor can.
    """

    size: tuple[int, int] | None = None
    threads: int | None = None
    bfloat16: bool = False
