"""What a report was asked for, and the points and recipes that follow from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from edge_ttvos.errors import QuantizationError
from edge_ttvos.quantize.model import load_quantized
from edge_ttvos.quantize.recipe import Recipe, parse_bits
from edge_ttvos.quantize.report import points as kinds
from edge_ttvos.quantize.report.calibrating import Calibrate, widened
from edge_ttvos.quantize.report.points import Point
from edge_ttvos.quantize.report.sensitivity import recipes_of
from edge_ttvos.quantize.report.study import Size, Study, require_set_aside
from edge_ttvos.quantize.report.workshop import graphs_of

PARTS = ("axes", "named", "sensitivity", "mixed", "stall", "strips", "latency")
ASKED = ("axes", "strips", "latency")  # parts of a report of --bits
MIXED = "w4a8sfloat"  # where mixed precision begins


@dataclass(frozen=True)
class Order:
    """What to make.

    Attributes:
        study: model, data, sizes, sequences.
        bits: points in place of the axes; empty: the axes.
        full: the grid besides.
        qat: files of models that ``quantize --method qat`` wrote.
        deployable: whether a point that no engine runs is an error.
        max_drop: points of J&F that the mixed recipe may lose.
        mixed: bits that its search begins with.
        parts: of ``PARTS``.
        threads: of LiteRT where latency is measured.
    """

    study: Study
    bits: tuple[str, ...] = ()
    full: bool = False
    qat: tuple[Path, ...] = ()
    deployable: bool = False
    max_drop: float = 1.0
    mixed: str = MIXED
    parts: tuple[str, ...] = PARTS
    threads: int = 2

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.parts) - set(PARTS)):
            raise QuantizationError(
                f"--parts must be some of {', '.join(PARTS)}; got {', '.join(unknown)}"
            )
        if not self.max_drop >= 0:
            raise QuantizationError(
                f"--max-drop must be points of J&F, 0 or more; got {self.max_drop:g}"
            )
        self.start.bits  # noqa: B018 - raises where --mixed names no bits
        if self.ranks:
            require_set_aside(self.study)

    @property
    def ranks(self) -> bool:
        """Whether layers are ranked: mixed precision needs that too."""
        return bool({"sensitivity", "mixed"} & set(self.parts))

    @property
    def start(self) -> Recipe:
        """Where the search for a mixed recipe begins."""
        bare = replace(self.study.recipe, float_layers=(), wide_layers=())
        return parse_bits(self.mixed, bare)


def plan_points(order: Order) -> tuple[Point, ...]:
    """All points but the mixed one, which must be found first.

    Raises:
        QuantizationError: unknown bits, a model of ``--qat`` that does not belong here, or a point
            that no engine runs where that is an error.
        ModelError: a model of ``--qat`` cannot be read.
    """
    study, base = order.study, order.study.recipe
    found: list[Point] = []
    if order.bits:
        found += kinds.asked_points(base, order.bits)
    elif "axes" in order.parts:
        found += kinds.axes_points(base)
    if order.full:
        found += kinds.grid_points(base)
    if "named" in order.parts:
        found += kinds.named_points(base)
    sets = tuple(dict.fromkeys(point.set for point in found if point.set != "grid"))
    for path in order.qat:
        model = load_quantized(path)
        found += [kinds.qat_point(name, model, path, study.sha256) for name in sets]
    unique = tuple({point.id: point for point in found}.values())
    if order.deployable:
        kinds.require_deployable(unique)
    return unique


def plan_calibrations(order: Order, points: Iterable[Point]) -> tuple[Calibrate, ...]:
    """One for each size and kind of rollout, with all recipes that need it."""
    study = order.study
    wanted: dict[tuple[Size, bool], dict[Recipe, None]] = {}

    def want(size: Size, recipe: Recipe) -> None:
        wanted.setdefault((size, recipe.calibration.rolled_out), {})[recipe] = None

    for point in points:
        if point.recipe is not None and point.model is None:
            want(study.part(point.set).size, point.recipe)
    if "stall" in order.parts:
        for bits in kinds.STATE:
            want(study.axes.size, kinds.at(study.recipe, state=bits))
    if order.ranks:
        for recipe in recipes_of(study.recipe):
            want(study.axes.size, recipe)
    if "mixed" in order.parts:
        for size in mixed_sizes(order):
            want(size, order.start)
            want(size, widened(graphs_of(study, size), order.start))
    return tuple(
        Calibrate(study, size, next(iter(recipes)).calibration, tuple(recipes))
        for (size, _), recipes in wanted.items()
    )


def mixed_sizes(order: Order) -> tuple[Size, ...]:
    """Where the mixed recipe is searched, and where it is scored."""
    named = (order.study.named.size,) if "named" in order.parts else ()
    return tuple(dict.fromkeys((order.study.axes.size, *named)))
