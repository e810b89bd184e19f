"""Training recipes: frozen dataclasses read from TOML; unknown keys and bad values are errors."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, replace
from importlib import resources
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

from edge_ttvos.errors import TrainingError
from edge_ttvos.network.config import PRESETS, NetworkConfig
from edge_ttvos.records import build
from edge_ttvos.training.stage import Stage

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Recipe:
    """A whole run: network, optimizer and stages.

    Attributes:
        name: of the recipe.
        network: a preset's name (``paper``, ``release``).
        stages: in order.
        seed: every sample derives from (seed, step, index).
        weight_decay: of AdamW, on convolution weights.
        clip_norm: largest norm of a step's gradient.
        ema: decay of the exponential moving average of the weights, the ones that are shipped.
        temporal_weight: lambda of eq. (5); 0 switches the temporal consistency loss off.
        jaccard_weight: weight of the soft Jaccard term beside the cross-entropy.
        bfloat16: compute convolutions in bfloat16 (parameters stay float32).
        without: parts of the network that are switched off (the paper's Table 3).
        take: what of the weights to start from is taken: the whole ``network``, which must be the
            recipe's, or the ``backbone`` alone.
        auxiliary_weight: weight of a second mask, read from the long-term similarity at 1/8 by a
            head that only training has.
        box_head: whether the network gets one where the weights to start from lack it; the one that
            they have stays.
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
    without: tuple[Literal["short_term", "long_term", "update"], ...] = ()
    take: Literal["network", "backbone"] = "network"
    auxiliary_weight: float = 0.0
    box_head: bool = False

    def __post_init__(self) -> None:
        _require(bool(self.stages), "at least one [[stages]] is needed")
        known = ", ".join(PRESETS)
        _require(self.network in PRESETS, f"network must be one of {known}; got {self.network!r}")
        _require(self.seed >= 0, f"seed must not be negative; got {self.seed}")
        _require(0 <= self.ema < 1, f"ema must be in [0, 1); got {self.ema}")
        for key in ("weight_decay", "temporal_weight", "jaccard_weight", "auxiliary_weight"):
            value = getattr(self, key)
            _require(value >= 0, f"{key} must not be negative; got {value}")
        _require(
            self.box_head or all(stage.kind != "boxes" for stage in self.stages),
            'box_head must be true where a stage is of kind "boxes"; got false',
        )
        _require(self.clip_norm > 0, f"clip_norm must be positive; got {self.clip_norm}")

    @property
    def config(self) -> NetworkConfig:
        """The network that is trained."""
        config = PRESETS[self.network]
        for switch in self.without:
            config = config.without(switch)
        return replace(config, box_head=self.box_head)

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

    def ended(self, step: int) -> int | None:
        """Number from 1 of the stage that is over after this many steps of the run; None: none."""
        ends = list(accumulate(stage.steps for stage in self.stages))
        return ends.index(step) + 1 if step in ends else None

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
    try:
        return parse_recipe(table)
    except (TrainingError, ValueError) as error:
        raise TrainingError(f"recipe {name}: {error}") from error


def parse_recipe(table: dict[str, Any]) -> Recipe:
    """A recipe from plain data, as ``Recipe.as_dict`` gives it.

    Raises:
        TrainingError, ValueError: an unknown or missing key, or a value out of range.
    """
    stages = table.get("stages", [])
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        raise TrainingError("stages must be a list of [[stages]] tables")
    built = tuple(
        build(Stage, stage, f"stage {stage.get('name', index)}: ")
        for index, stage in enumerate(stages, start=1)
    )
    return build(Recipe, {**table, "stages": built})
