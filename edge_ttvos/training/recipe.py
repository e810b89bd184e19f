"""Training recipes: frozen dataclasses read from TOML; unknown keys and bad values are errors."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from edge_ttvos.errors import TrainingError
from edge_ttvos.network.config import PRESETS
from edge_ttvos.records import build

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Stage:
    """One part of a run.

    Attributes:
        name: what the log and the progress bar call it.
        steps: optimizer steps.
        size: height and width of the clips in pixels, multiples of 16.
        frames: length of a clip; the first frame is given, the others are learnt.
        batch: clips a step.
        stills: share of clips made from still images; the others are real sequences.
        boxes: share of clips whose first frame gives only the target's bounding box.
        max_stride: largest distance in frames between two frames of a real clip.
        learning_rate: peak; a stage warms up, then follows a cosine down to ``floor`` of it.
        floor: share of the peak that is left at the stage's end.
        hard_pixels: share of each frame's pixels that the cross-entropy keeps (the hardest).
        freeze_batchnorm: use the running statistics and train the affine parameters only.
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

    def __post_init__(self) -> None:
        _require(self.steps > 0, f"stage {self.name}: steps must be positive; got {self.steps}")
        _require(
            len(self.size) == 2 and all(side > 0 and side % 16 == 0 for side in self.size),
            f"stage {self.name}: size must be two multiples of 16; got {list(self.size)}",
        )
        for key, least in (("frames", 2), ("batch", 1), ("max_stride", 1)):
            value = getattr(self, key)
            _require(
                value >= least, f"stage {self.name}: {key} must be at least {least}; got {value}"
            )
        for key in ("stills", "boxes", "floor", "hard_pixels"):
            value = getattr(self, key)
            _require(0 <= value <= 1, f"stage {self.name}: {key} must be in 0…1; got {value}")
        _require(self.hard_pixels > 0, f"stage {self.name}: hard_pixels must be above 0; got 0")
        _require(
            self.learning_rate > 0,
            f"stage {self.name}: learning_rate must be positive; got {self.learning_rate}",
        )


@dataclass(frozen=True)
class Recipe:
    """A whole run: network, optimizer and stages.

    Attributes:
        name: of the recipe.
        network: a preset's name (``paper``, ``release``).
        seed: every sample derives from (seed, step, index).
        weight_decay: of AdamW, on convolution weights.
        clip_norm: largest norm of a step's gradient.
        ema: decay of the exponential moving average of the weights, the ones that are shipped.
        temporal_weight: lambda of eq. (5); 0 switches the temporal consistency loss off.
        jaccard_weight: weight of the soft Jaccard term beside the cross-entropy.
        bfloat16: compute convolutions in bfloat16 (parameters stay float32).
        stages: in order.
    """

    name: str
    network: str
    stages: tuple[Stage, ...]
    seed: int = 0
    weight_decay: float = 1e-2
    clip_norm: float = 5.0
    ema: float = 0.998
    temporal_weight: float = 5.0
    jaccard_weight: float = 1.0
    bfloat16: bool = True

    def __post_init__(self) -> None:
        _require(bool(self.stages), "at least one [[stages]] is needed")
        known = ", ".join(PRESETS)
        _require(self.network in PRESETS, f"network must be one of {known}; got {self.network!r}")
        _require(self.seed >= 0, f"seed must not be negative; got {self.seed}")
        _require(0 <= self.ema < 1, f"ema must be in [0, 1); got {self.ema}")
        for key in ("weight_decay", "temporal_weight", "jaccard_weight"):
            value = getattr(self, key)
            _require(value >= 0, f"{key} must not be negative; got {value}")
        _require(self.clip_norm > 0, f"clip_norm must be positive; got {self.clip_norm}")

    @property
    def steps(self) -> int:
        """Optimizer steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def locate(self, step: int) -> tuple[Stage, int]:
        """The stage that a step of the whole run belongs to, and the step within it."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, step
            step -= stage.steps
        raise IndexError(f"step {step} past the end of recipe {self.name}")

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as in the TOML file."""
        return asdict(self)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise TrainingError(message)


def shipped_recipes() -> list[str]:
    """Names of the recipes that come with the package."""
    folder = resources.files("edge_ttvos.training").joinpath("recipes")
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name[-5:] == ".toml")


def load_recipe(name: str) -> Recipe:
    """Read a shipped recipe by name, or a TOML file by path.

    Raises:
        TrainingError: no such recipe, not TOML, an unknown or missing key, a value out of range.
    """
    path = Path(name)
    if path.suffix == ".toml":
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise TrainingError(f"recipe {path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise TrainingError(f"recipe {path} is not UTF-8 text") from error
    elif name in shipped_recipes():
        file = resources.files("edge_ttvos.training").joinpath("recipes", f"{name}.toml")
        text = file.read_text(encoding="utf-8")
    else:
        shipped = ", ".join(shipped_recipes())
        raise TrainingError(f"there is no recipe {name!r}: give a .toml file or one of {shipped}")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"recipe {name} is not valid TOML: {error}") from error
    stages = table.pop("stages", [])
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        raise TrainingError(f"recipe {name}: stages must be a list of [[stages]] tables")
    try:
        built = tuple(
            build(Stage, stage, f"stage {stage.get('name', index)}: ")
            for index, stage in enumerate(stages, start=1)
        )
        return build(Recipe, {**table, "stages": built})
    except (TrainingError, ValueError) as error:
        raise TrainingError(f"recipe {name}: {error}") from error
