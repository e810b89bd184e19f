"""One part of a training run: what its clips look like, how long it is, how it learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge_ttvos.errors import TrainingError

LEAST_TO_RETURN = 3  # frames: the target is shown, is gone, is back


@dataclass(frozen=True)
class Stage:
    """One part of a run.

    Attributes:
        name: what the log and the progress bar call it.
        steps: optimizer steps.
        size: height and width of the clips in pixels, multiples of 16.
        frames: length of a clip; the first frame is given, the others are learnt. Other
            kinds than ``clips``: 1.
        batch: clips a micro-batch, on each device.
        objects: targets of a clip, followed one by one from one pass of the backbone. A clip that
            shows fewer has some again, told by a box instead of a mask or the other way round.
        stills: share of clips made from still images; the others are real sequences.
        boxes: share of clips whose first frame gives only the target's bounding box.
        max_stride: largest distance in frames between two frames of a real clip.
        learning_rate: peak; a stage warms up, then follows a cosine down to ``floor`` of it.
        floor: share of the peak that is left at the stage's end.
        hard_pixels: share of each frame's pixels that the cross-entropy keeps (the hardest).
        freeze_batchnorm: use the running statistics and train the affine parameters only.
        kind: ``clips`` trains the whole network; ``images`` the backbone alone, with a head that
            is thrown away: the salient object of single photographs; ``boxes`` the box head alone,
            on single frames: what a box holds. ``boxes`` leaves all other weights as they are.
        films: share of the pasted objects that are cut out of another real sequence; the others are
            cut out of photographs.
        occlusions: share of clips in which something hides most of the target for some frames.
        departures: share of clips whose target leaves the frame and comes back.
        hard_sources: how much oftener a source is drawn that is followed badly: its odds grow with
            this power of its 1 − J; 0 draws all alike.
        accumulate: micro-batches a step; their gradients are averaged.
        recompute: keep no activations of a frame but compute them again for its gradient: less
            memory for more time. Needs ``freeze_batchnorm``: a frame must not depend on others.
    """

    name: str
    steps: int
    size: tuple[int, int]  # pixels
    frames: int
    batch: int  # clips
    stills: float = 0.5
    boxes: float = 0.1
    max_stride: int = 4  # frames
    learning_rate: float = 1e-3
    floor: float = 0.05
    hard_pixels: float = 1.0
    freeze_batchnorm: bool = False
    kind: Literal["clips", "images", "boxes"] = "clips"
    films: float = 0.0
    occlusions: float = 0.0
    departures: float = 0.0
    hard_sources: float = 0.0
    accumulate: int = 1  # micro-batches
    recompute: bool = False
    objects: int = 1

    def __post_init__(self) -> None:
        self._require(self.steps > 0, f"steps must be positive; got {self.steps}")
        self._require(
            len(self.size) == 2 and all(side > 0 and side % 16 == 0 for side in self.size),
            f"size must be two multiples of 16; got {list(self.size)}",
        )
        least = {"frames": 2 if self.kind == "clips" else 1}
        ones = ("batch", "objects", "accumulate", "max_stride")
        for key, low in (*least.items(), *((key, 1) for key in ones)):
            value = getattr(self, key)
            self._require(value >= low, f"{key} must be at least {low}; got {value}")
        for key in ("stills", "boxes", "films", "occlusions", "departures", "floor", "hard_pixels"):
            value = getattr(self, key)
            self._require(0 <= value <= 1, f"{key} must be in 0…1; got {value}")
        self._require(self.hard_pixels > 0, "hard_pixels must be above 0; got 0")
        self._require(
            self.hard_sources >= 0, f"hard_sources must not be negative; got {self.hard_sources}"
        )
        self._require(
            self.learning_rate > 0, f"learning_rate must be positive; got {self.learning_rate}"
        )
        self._require_consistent()

    def _require_consistent(self) -> None:
        """What one key asks of another."""
        self._require(
            self.kind == "clips" or self.frames == 1,
            f"frames must be 1 where kind is {self.kind}; got {self.frames}",
        )
        self._require(
            self.kind != "images" or self.objects == 1,
            f"objects must be 1 where kind is images; got {self.objects}",
        )
        for key in ("boxes", "hard_pixels"):
            value = getattr(self, key)
            self._require(
                self.kind != "boxes" or value == 1,
                f"{key} must be 1 where kind is boxes; got {value}",
            )
        for key in ("occlusions", "departures"):
            self._require(
                getattr(self, key) == 0 or self.frames >= LEAST_TO_RETURN,
                f"{key} must be 0 where a clip has fewer than {LEAST_TO_RETURN} frames; "
                f"got {getattr(self, key)} with frames {self.frames}",
            )
        self._require(
            self.freeze_batchnorm or not self.recompute,
            "recompute must be false unless freeze_batchnorm is true; got true",
        )

    def _require(self, condition: bool, message: str) -> None:
        if not condition:
            raise TrainingError(f"stage {self.name}: {message}")
