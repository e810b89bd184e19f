"""Quantization recipes: bits of weights, activations and state, observers, exceptions."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from edge_ttvos.errors import QuantizationError
from edge_ttvos.records import build, plain

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Observer = Literal["min_max", "percentile", "mse", "entropy"]

BITS = re.compile(r"w(\d+)a(\d+)(?:s(\d+|float))?")
WEIGHT_BITS = range(2, 9)
CODE_BITS = range(2, 17)  # of activations and state
DEPLOYABLE_BITS = 8  # of everything that an engine runs; other bits are simulated


def _within(key: str, value: int, allowed: range) -> None:
    fits = value in allowed
    _require(fits, f"{key} must have {allowed.start} to {allowed.stop - 1} bits; got {value}")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise QuantizationError(message)


@dataclass(frozen=True)
class Calibration:
    """The frames that observers see.

    Attributes:
        sequences: training sequences that the float model follows.
        frames: length of each run.
        seen: frames of each run that the observers look at, spread evenly, the last included.
        rolled_out: whether the state is the model's own; else each frame starts anew, from its
            annotated mask.
    """

    sequences: int = 12
    frames: int = 40
    seen: int = 8
    rolled_out: bool = True

    def __post_init__(self) -> None:
        for key, least in (("sequences", 1), ("frames", 2), ("seen", 1)):
            value = getattr(self, key)
            _require(value >= least, f"calibration: {key} must be at least {least}; got {value}")
        _require(
            self.seen < self.frames,
            f"calibration: seen must be below frames ({self.frames}): the first is given; "
            f"got {self.seen}",
        )


@dataclass(frozen=True)
class Training:
    """Quantization-aware training: clips unrolled through fake-quantized graphs and state.

    Attributes:
        steps: optimizer steps.
        size: height and width of the clips in pixels, multiples of 16.
        frames: length of a clip.
        batch: clips a step.
        learning_rate: peak of AdamW; warms up, then follows a cosine to a twentieth.
        supervision: weight of the clip's annotated masks; 0: all is learnt from the float model.
        distillation: weight of the float model's logits and features.
        stills: share of clips made from still images.
        bfloat16: compute convolutions in bfloat16; what is quantized stays float32.
    """

    steps: int = 600
    size: tuple[int, int] = (240, 432)
    frames: int = 4
    batch: int = 4
    learning_rate: float = 1e-4
    supervision: float = 0.0
    distillation: float = 1.0
    stills: float = 0.5
    bfloat16: bool = True

    def __post_init__(self) -> None:
        for key, least in (("steps", 1), ("frames", 2), ("batch", 1)):
            value = getattr(self, key)
            _require(value >= least, f"training: {key} must be at least {least}; got {value}")
        _require(
            all(side > 0 and side % 16 == 0 for side in self.size),
            f"training: size must be two multiples of 16; got {list(self.size)}",
        )
        _require(self.learning_rate > 0, "training: learning_rate must be above 0")
        for key in ("supervision", "distillation"):
            _require(getattr(self, key) >= 0, f"training: {key} must not be negative")
        _require(
            self.supervision + self.distillation > 0,
            "training: nothing to learn from, supervision and distillation are both 0",
        )
        _require(0 <= self.stills <= 1, f"training: stills must be in 0…1; got {self.stills}")


@dataclass(frozen=True)
class Recipe:
    """How a network is quantized.

    Attributes:
        name: of the recipe.
        weights: bits of the kernels, symmetric.
        activations: bits of what layers give, and of carried features and masks unless
            ``carried`` says otherwise.
        state: bits of the template; None: float32.
        carried: bits of carried features and masks; None: as ``activations``.
        per_channel: a scale for each output channel of a kernel, or one for all.
        symmetric: activations around 0, as TensorRT wants them.
        observer: how a range is chosen from what was seen.
        percentile: share of values (percent) within the range, of ``percentile`` alone.
        float_layers: layers that stay in float32.
        wide_layers: layers whose result has 16 bits.
        calibration: what the observers see.
        training: of ``--method qat``.
        seed: of everything that is drawn.
    """

    name: str
    weights: int = 8
    activations: int = 8
    state: int | None = None
    carried: int | None = None
    per_channel: bool = True
    symmetric: bool = False
    observer: Observer = "mse"
    percentile: float = 99.99
    float_layers: tuple[str, ...] = ()
    wide_layers: tuple[str, ...] = ()
    calibration: Calibration = Calibration()
    training: Training = Training()
    seed: int = 0

    def __post_init__(self) -> None:
        _within("weights", self.weights, WEIGHT_BITS)
        _within("activations", self.activations, CODE_BITS)
        for key in ("state", "carried"):
            if (bits := getattr(self, key)) is not None:
                _within(key, bits, CODE_BITS)
        _require(50 < self.percentile <= 100, "percentile must be above 50, at most 100")
        both = sorted(set(self.float_layers) & set(self.wide_layers))
        _require(not both, f"a layer is either float or wide; both: {', '.join(both)}")
        _require(self.seed >= 0, f"seed must not be negative; got {self.seed}")

    @property
    def bits(self) -> str:
        """``w8a8sfloat``."""
        state = "float" if self.state is None else self.state
        return f"w{self.weights}a{self.activations}s{state}"

    @property
    def carried_bits(self) -> int:
        """Of carried features and masks."""
        return self.activations if self.carried is None else self.carried

    @property
    def simulated(self) -> tuple[str, ...]:
        """Why no engine runs this: what has other than 8 bits; empty where engines do."""
        found = [
            f"{what} of {bits} bits"
            for what, bits in (
                ("weights", self.weights),
                ("activations", self.activations),
                ("carried state", self.carried_bits),
            )
            if bits != DEPLOYABLE_BITS
        ]
        return (*found, *(f"16 bits in {layer}" for layer in self.wide_layers))


def parse_bits(text: str, recipe: Recipe | None = None) -> Recipe:
    """A recipe, or this one, with the bits of ``w8a8``, ``w8a8s8`` or ``w8a8sfloat``.

    Raises:
        QuantizationError: another text, or bits out of range.
    """
    match = BITS.fullmatch(text)
    if match is None:
        raise QuantizationError(
            f"--bits must be like w8a8, w8a8s8 or w8a8sfloat (weights, activations, state); "
            f"got {text!r}"
        )
    weights, activations, state = match.groups()
    bits = None if state in (None, "float") else int(state)
    base = recipe or Recipe(text)
    return replace(base, weights=int(weights), activations=int(activations), state=bits)


def load_recipe(path: Path) -> Recipe:
    """Read a TOML file.

    Raises:
        QuantizationError: unreadable, not TOML, an unknown key or a value out of range.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise QuantizationError(f"recipe {path} cannot be read as TOML: {error}") from error
    try:
        return recipe_of(table)
    except (QuantizationError, ValueError) as error:
        raise QuantizationError(f"recipe {path}: {error}") from error


def recipe_of(table: dict[str, Any]) -> Recipe:
    """A recipe of plain data.

    Raises:
        ValueError, QuantizationError: an unknown key or a value out of range.
    """
    return build(Recipe, table)


def as_toml(recipe: Recipe) -> str:
    """The file that ``load_recipe`` reads back as an equal recipe."""
    table = as_dict(recipe)
    parts = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines = [_line(key, value) for key, value in table.items() if key not in parts]
    for name, part in parts.items():
        lines += ["\n", f"[{name}]\n", *(_line(key, value) for key, value in part.items())]
    return "".join(lines)


def _line(key: str, value: Any) -> str:
    """TOML has no null: what is None is left out. JSON writes texts, lists and numbers as TOML."""
    return "" if value is None else f"{key} = {json.dumps(value)}\n"


def as_dict(recipe: Recipe) -> dict[str, Any]:
    """Plain data, as in the TOML file."""
    table: dict[str, Any] = plain(recipe)
    return table
