"""Which points a report has: one axis at a time, the named ones, a grid, or those asked for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from edge_ttvos.errors import QuantizationError
from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.quantize.recipe import Recipe, parse_bits
from edge_ttvos.quantize.report.study import BASE, SetName
from edge_ttvos.targets.models import INTEGER_FORMATS, SYMMETRIC

Axis = Literal["weights", "activations", "state"]
Method = Literal["float", "ptq", "qat", "mixed"]

WEIGHTS = (2, 3, 4, 5, 6, 8)
ACTIVATIONS = (4, 6, 8, 16)
STATE = (4, 6, 8, 16, None)
AXES: dict[Axis, tuple[int | None, ...]] = {
    "weights": WEIGHTS,
    "activations": ACTIVATIONS,
    "state": STATE,
}
FLOAT_ENGINES = ("litert", "onnxruntime", "openvino", "tensorrt", "torch")


@dataclass(frozen=True)
class Point:
    """One model at one size on one set of sequences.

    Attributes:
        id: unique; the set, then the label or the name.
        set: its sequences and its size.
        label: bits, or ``float``.
        method: how its weights and scales were found.
        recipe: None for the float model.
        axis: that it lies on; None for float, for named points and those on several.
        model: file of a model that is quantized already; None: it is made here.
    """

    id: str
    set: SetName
    label: str
    method: Method
    recipe: Recipe | None
    axis: Axis | None = None
    model: Path | None = None

    @property
    def calibration(self) -> str | None:
        """What its observers saw; None where there were none."""
        if self.recipe is None:
            return None
        return "rolled-out" if self.recipe.calibration.rolled_out else "independent"

    @property
    def deployable(self) -> tuple[str, ...]:
        """Engines whose rules accept it."""
        if self.recipe is None:
            return FLOAT_ENGINES
        if self.recipe.simulated:
            return ()
        fits = self.recipe.symmetric
        return tuple(name for name in INTEGER_FORMATS if fits or name not in SYMMETRIC)

    @property
    def simulated(self) -> bool:
        """Whether no engine runs it, so that its codes are simulated."""
        return not self.deployable


def at(base: Recipe, **bits: int | None) -> Recipe:
    """The base at other bits, called by them."""
    recipe = replace(base, **bits)  # type: ignore[arg-type]
    return replace(recipe, name=recipe.bits)


def float_point(name: SetName) -> Point:
    """The float model on a set."""
    return Point(f"{name}/float", name, "float", "float", None)


def axes_points(base: Recipe) -> tuple[Point, ...]:
    """Float, the base, and from it one axis at a time."""
    found = {BASE: _ptq("axes", at(base))}
    for axis, bits in AXES.items():
        for value in bits:
            recipe = at(base, **{axis: value})
            found.setdefault(recipe.bits, _ptq("axes", recipe, axis))
    return (float_point("axes"), *found.values())


def grid_points(base: Recipe) -> tuple[Point, ...]:
    """Float, and all bits with all."""
    combined = itertools.product(WEIGHTS, ACTIVATIONS, STATE)
    recipes = (at(base, weights=w, activations=a, state=s) for w, a, s in combined)
    return (float_point("grid"), *(_ptq("grid", recipe) for recipe in recipes))


def asked_points(base: Recipe, bits: Sequence[str]) -> tuple[Point, ...]:
    """Float, and those of ``--bits``.

    Raises:
        QuantizationError: a text that names no bits.
    """
    recipes = [at(parse_bits(text, base)) for text in dict.fromkeys(bits)]
    points = {r.bits: _ptq("axes", r, axis_of(r, base)) for r in recipes}
    return (float_point("axes"), *points.values())


def axis_of(recipe: Recipe, base: Recipe) -> Axis | None:
    """The one axis on which a recipe differs from the base; None if there is none or more."""
    apart = [axis for axis in AXES if getattr(recipe, axis) != getattr(base, axis)]
    return apart[0] if len(apart) == 1 else None


def named_points(base: Recipe) -> tuple[Point, ...]:
    """At the full size: float, INT8, its state in 8 bits, and calibrated on lone frames."""
    alone = replace(at(base), calibration=replace(base.calibration, rolled_out=False))
    other = _ptq("named", alone)
    return (
        float_point("named"),
        _ptq("named", at(base)),
        replace(other, id=f"{other.id}-independent"),
        _ptq("named", at(base, state=8)),
    )


def qat_point(name: SetName, model: QuantizedModel, path: Path, float_sha256: str) -> Point:
    """A model that ``quantize --method qat`` wrote.

    Raises:
        QuantizationError: it was made of another float model, or not trained.
    """
    origin = model.origin
    if origin.get("method") != "qat":
        raise QuantizationError(
            f"--qat {path} must be what `quantize --method qat` wrote; got method "
            f"{origin.get('method')!r}"
        )
    if origin.get("float_sha256") != float_sha256:
        raise QuantizationError(
            f"--qat {path} was trained from another float model "
            f"({str(origin.get('float_sha256'))[:12]}…) than --model ({float_sha256[:12]}…): "
            "give the one that it began with"
        )
    bits = model.recipe.bits
    return Point(f"{name}/qat-{bits}", name, bits, "qat", model.recipe, model=path.resolve())


def mixed_point(recipe: Recipe) -> Point:
    """The recipe that keeps some layers wide or float, at the full size."""
    return Point(f"named/mixed-{recipe.bits}", "named", recipe.bits, "mixed", recipe)


def require_deployable(points: Sequence[Point]) -> None:
    """Raises:
    QuantizationError: a point that no engine can run.
    """
    for point in points:
        if point.recipe is not None and not point.deployable:
            raise QuantizationError(
                f"--deployable: no engine can run {point.label} "
                f"({'; '.join(point.recipe.simulated)}). Engines run weights and activations of "
                "8 bits; leave --deployable out to have it simulated"
            )


def _ptq(name: SetName, recipe: Recipe, axis: Axis | None = None) -> Point:
    return Point(f"{name}/{recipe.bits}", name, recipe.bits, "ptq", recipe, axis)
