"""Whether an exported network computes what the trained one does: every tensor, and whole clips.

The reference rolls a real clip out. On each of its states the candidate runs too, on the same
inputs: what differs then is the candidate's own. Afterwards both follow the clip alone, and their
masks are compared: what small differences become when they feed back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import ExportError
from edge_ttvos.evaluation.jaccard import jaccard
from edge_ttvos.firmware_bridge.codes import Array
from edge_ttvos.firmware_bridge.engines.base import (
    Decoded,
    Embedding,
    Engine,
    Features,
)
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.targets.clip import Clip


@dataclass(frozen=True)
class Tolerance:
    """How far an export may be from its reference in PyTorch.

    Attributes:
        cosine: least cosine of a tensor.
        error: largest difference, as a share of the tensor's largest value.
        jaccard: least mean J between the two trackers' masks of a whole clip.
    """

    cosine: float = 0.99999
    error: float = 1e-3
    jaccard: float = 0.99


STRICT = Tolerance()
# Codes: a rounding that falls the other way is a whole step, and moves the steps after it.
INTEGER = Tolerance(cosine=0.99, error=0.2, jaccard=0.95)


@dataclass(frozen=True)
class TensorParity:
    """One tensor over a whole rollout.

    Attributes:
        name: of the tensor.
        cosine: the least of all frames.
        error: largest difference of all frames, in the tensor's own unit.
        largest: largest magnitude of the reference.
    """

    name: str
    cosine: float
    error: float
    largest: float

    @property
    def share(self) -> float:
        """Largest difference as a share of the largest magnitude."""
        return self.error / self.largest if self.largest else self.error


@dataclass(frozen=True)
class Parity:
    """An engine against the reference: its tensors, and J between the masks, by clip."""

    engine: str
    size: tuple[int, int]
    tensors: tuple[TensorParity, ...]
    clips: dict[str, float]

    @property
    def worst(self) -> TensorParity:
        """The tensor that differs most, by its cosine."""
        return min(self.tensors, key=lambda tensor: tensor.cosine)

    def require(self, tolerance: Tolerance) -> None:
        """Raises:
        ExportError: a tensor or a clip is outside; names the worst.
        """
        where = f"{self.engine} at {self.size[0]}x{self.size[1]}"
        for tensor in sorted(self.tensors, key=lambda t: t.cosine):
            if not (tensor.cosine >= tolerance.cosine and tensor.share <= tolerance.error):
                raise ExportError(
                    f"{where} differs from PyTorch, most in {tensor.name}: cosine "
                    f"{tensor.cosine:.6f} (at least {tolerance.cosine}), largest difference "
                    f"{tensor.share:.2g} of its range (at most {tolerance.error:g}). Nothing was "
                    "deployed; try another --engine, or report this"
                )
        for clip, overlap in self.clips.items():
            if overlap < tolerance.jaccard:
                raise ExportError(
                    f"{where} drifts away from PyTorch on clip {clip}: J between the two is "
                    f"{overlap:.4f} (at least {tolerance.jaccard}); the worst tensor is "
                    f"{self.worst.name}, cosine {self.worst.cosine:.6f}. Nothing was deployed"
                )

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "engine": self.engine,
            "size": list(self.size),
            "tensors": {
                t.name: {k: v for k, v in asdict(t).items() if k != "name"} for t in self.tensors
            },
            "J": self.clips,
        }


def compare(reference: Engine, candidate: Engine, clips: Sequence[Clip]) -> Parity:
    """Roll both out on every clip; neither engine is closed."""
    both = Comparison(reference, candidate)
    overlaps = {}
    for clip in clips:
        masks = [rollout(engine, clip) for engine in (both, candidate)]
        frames = zip(*masks, strict=True)
        overlaps[clip.name] = float(np.mean([jaccard(a, b) for a, b in frames]))
    frame = reference.model.frame
    return Parity(candidate.info.name, (frame.height, frame.width), both.tensors(), overlaps)


def rollout(engine: Engine, clip: Clip) -> list[NDArray[np.bool_]]:
    """Masks (H, W) of the frames after the first."""
    tracker = Tracker(engine, max_objects=1)
    tracker.start(clip.frames[0], [clip.given])
    return [tracker.step(frame).mask > 0 for frame in clip.frames[1:]]


class Comparison:
    """An engine that answers as the reference and runs the candidate beside it."""

    def __init__(self, reference: Engine, candidate: Engine) -> None:
        self.model, self.info = reference.model, reference.info
        self.reference, self.candidate = reference, candidate
        self._found: dict[str, list[tuple[float, float, float]]] = {}

    def encode(self, frame: NDArray[np.uint8], features: Features) -> None:
        """Both encode the frame."""
        self.reference.encode(frame, features)
        beside = Features(*map(np.zeros_like, vars(features).values()))
        self.candidate.encode(frame, beside)
        self._note(features, beside)

    def embed(self, previous_s8: Array, masks: Array, s8: Array, embedding: Embedding) -> None:
        """Both embed the reference's state."""
        beside = Embedding(*map(np.zeros_like, vars(embedding).values()))
        for engine, result in ((self.reference, embedding), (self.candidate, beside)):
            engine.embed(previous_s8, masks, s8, result)
        names = ("f", "g", "q", "s8") if self.model.long_term else ("s8",)
        self._note(embedding, beside, names, prefix="modified_")

    def decode(
        self,
        features: Features,
        modified_s8: Array,
        attention: Array,
        previous_s16: Array,
        masks: Array,
        decoded: Decoded,
    ) -> None:
        """Both decode the reference's state."""
        beside = Decoded(*map(np.zeros_like, vars(decoded).values()))
        for engine, result in ((self.reference, decoded), (self.candidate, beside)):
            engine.decode(features, modified_s8, attention, previous_s16, masks, result)
        weighted = self.model.update == "weighted" and self.model.long_term
        names = ("log_odds", "update_weight") if weighted else ("log_odds",)
        self._note(decoded, beside, names)

    def close(self) -> None:
        """Both engines are the caller's."""

    def tensors(self) -> tuple[TensorParity, ...]:
        """What was found so far."""
        return tuple(
            TensorParity(name, min(cosines), max(errors), max(largest))
            for name, (cosines, errors, largest) in (
                (name, zip(*found, strict=True)) for name, found in self._found.items()
            )
        )

    def _note(
        self, wanted: Any, got: Any, names: Sequence[str] | None = None, prefix: str = ""
    ) -> None:
        for name in names or vars(wanted):
            label = f"{prefix}{name}" if prefix and name == "s8" else name
            codes = self.model.quantization(label)
            offset = 0 if codes is None else codes.offset
            a, b = (getattr(x, name).ravel().astype(np.float64) - offset for x in (wanted, got))
            norm = float(np.linalg.norm(a) * np.linalg.norm(b))
            cosine = float(a @ b) / norm if norm else float(np.array_equal(a, b))
            error = float(np.abs(a - b).max())
            if not np.isfinite(error):
                cosine, error = -1.0, np.inf
            found = (cosine, error, float(np.abs(a).max()))
            self._found.setdefault(label, []).append(found)
