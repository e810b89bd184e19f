"""A report from its order: calibrate → score → rank → mix → stall → strips → latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from edge_ttvos.quantize.recipe import Recipe
from edge_ttvos.quantize.report import points as kinds
from edge_ttvos.quantize.report import strips
from edge_ttvos.quantize.report.bench import Bench
from edge_ttvos.quantize.report.calibrating import combined, widened
from edge_ttvos.quantize.report.fidelity import Fidelity
from edge_ttvos.quantize.report.latency import Latency
from edge_ttvos.quantize.report.mixed import Candidate, Found, Kept, search, with_kept
from edge_ttvos.quantize.report.plan import Plan
from edge_ttvos.quantize.report.points import Point
from edge_ttvos.quantize.report.pool import Processes
from edge_ttvos.quantize.report.record import measured
from edge_ttvos.quantize.report.scoring import Score
from edge_ttvos.quantize.report.sensitivity import Alone, Item, alone, items, ranking, recipes_of
from edge_ttvos.quantize.report.stall import Stall
from edge_ttvos.quantize.report.strips import Strip
from edge_ttvos.quantize.report.study import Size
from edge_ttvos.quantize.report.task import Result, Task
from edge_ttvos.quantize.report.workshop import graphs_of, scheme_of
from edge_ttvos.quantize.scheme import Scheme

Schemes = dict[tuple[Size, Recipe], Scheme]


@dataclass
class Gathered:
    """What is finished, at any time.

    Attributes:
        finished: points with their kept results, as they came.
        planned: ids of points.
        latency: by the point's id.
        sensitivity: rows of the record.
        mixed: what the search found, and its recipe.
        stall: the task's result.
        strips: rows of the record.
    """

    finished: dict[str, tuple[Score, Result]] = field(default_factory=dict)
    planned: list[str] = field(default_factory=list)
    latency: dict[str, Result] = field(default_factory=dict)
    sensitivity: list[dict[str, Any]] = field(default_factory=list)
    mixed: tuple[Found, Recipe] | None = None
    stall: Result | None = None
    strips: list[dict[str, Any]] = field(default_factory=list)

    @property
    def scores(self) -> dict[str, tuple[Score, Result]]:
        """Of finished points, in the order of the plan."""
        return {name: self.finished[name] for name in self.planned if name in self.finished}


class Maker:
    """Makes one report.

    Args:
        plan: of it.
        bench: where its tasks are done.
    """

    def __init__(self, plan: Plan, bench: Bench) -> None:
        self.order, self.study, self.bench = plan.order, plan.order.study, bench
        self.points, self.calibrations = plan.points, plan.calibrations
        self.gathered = Gathered()
        self.schemes: Schemes = {}

    def make(self) -> None:
        """All of it; ``gathered`` holds what is finished whatever ends this.

        Raises:
            EdgeTtvosError: of the data, the model, the cluster or the disk.
        """
        for task, kept in zip(self.calibrations, self.bench.all(self.calibrations), strict=True):
            tables = kept["result"]["schemes"]
            for recipe, table in zip(task.recipes, tables, strict=True):
                # lone frames and rollouts differ in their recipes' calibration
                self.schemes[task.size, recipe] = scheme_of(table)
        self._score(self.points)
        if self.order.ranks:
            self._rank()
        if "mixed" in self.order.parts:
            self._mix()
        if "stall" in self.order.parts:
            self._stall()
        if "strips" in self.order.parts:
            self._strips()
        if "latency" in self.order.parts:
            self._latency()

    def _score(self, points: Sequence[Point]) -> None:
        tasks = [Score(self.study, point, self._scheme(point)) for point in points]
        self.gathered.planned += [point.id for point in points]

        def keep(place: int, kept: Result) -> None:
            self.gathered.finished[points[place].id] = (tasks[place], kept)

        self.bench.all(tasks, keep)

    def _scheme(self, point: Point) -> Scheme | None:
        if point.recipe is None or point.model is not None:
            return None
        return self.schemes[self.study.part(point.set).size, point.recipe]

    def _rank(self) -> None:
        size = self.study.axes.size
        graphs = graphs_of(self.study, size)
        layers, state = (self.schemes[size, recipe] for recipe in recipes_of(self.study.recipe))
        every = items(graphs)

        def task(item: Item | None) -> Alone:
            scheme = layers if item is None or item.kind == "layer" else state
            return Alone(self.study, item, alone(item, graphs, scheme))

        tasks: list[Task] = [Fidelity(self.study, layers, state), task(None), *map(task, every)]
        fidelity, base, *others = (kept["result"] for kept in self.bench.all(tasks))
        losses = [base["J&F"] - other["J&F"] for other in others]
        pairs = list(zip(every, losses, strict=True))
        self.gathered.sensitivity = ranking(graphs, pairs, fidelity)

    def _mix(self) -> None:
        order, size = self.order, self.study.axes.size
        (base,) = self.bench.all([Candidate(self.study, None, None)])

        def losses(recipes: list[Kept]) -> list[float]:
            made = [with_kept(order.start, kept) for kept in recipes]
            tasks = [Candidate(self.study, r, self._mixed_scheme(r, size)) for r in made]
            results = self.bench.all(tasks)
            return [base["result"]["J&F"] - kept["result"]["J&F"] for kept in results]

        ranked = [row["item"] for row in self.gathered.sensitivity if row["kind"] == "layer"]
        found = search(ranked, order.max_drop, losses)
        recipe = with_kept(order.start, found.kept)
        self.gathered.mixed = (found, recipe)
        if "named" in order.parts and found.reached:
            named = self.study.named.size
            self.schemes[named, recipe] = self._mixed_scheme(recipe, named)
            self._score([kinds.mixed_point(recipe)])

    def _mixed_scheme(self, recipe: Recipe, size: Size) -> Scheme:
        graphs, start = graphs_of(self.study, size), self.order.start
        narrow, wide = self.schemes[size, start], self.schemes[size, widened(graphs, start)]
        return combined(graphs, recipe, narrow, wide)

    def _stall(self) -> None:
        study, size = self.study, self.study.axes.size
        base = kinds.at(study.recipe, state=None)
        point = Point("axes/stall", "axes", base.bits, "ptq", base)
        codes = {
            "float" if bits is None else str(bits): self.schemes[
                size, kinds.at(study.recipe, state=bits)
            ].template
            for bits in kinds.STATE
        }
        (kept,) = self.bench.all([Stall(study, Score(study, point, self._scheme(point)), codes)])
        self.gathered.stall = kept["result"]

    def _strips(self) -> None:
        rows = measured(self.gathered.scores)
        by_id = {row["id"]: row for row in rows}
        tasks = []
        for row in strips.telling(rows):
            exact = by_id[f"{row['set']}/float"]
            if (place := strips.worst_place(exact, row)) is not None:
                (ours, _), (theirs, _) = (self.gathered.scores[p["id"]] for p in (exact, row))
                tasks.append(Strip(self.study, ours, theirs, place))

        def keep(place: int, kept: Result) -> None:
            task = tasks[place]
            files = strips.write_strip(self.bench.store.folder, place + 1, kept["result"])
            self.gathered.strips.append(
                {
                    "point": task.score.point.id,
                    "sequence": task.place.sequence,
                    "frame": task.place.frame,
                    "J_float": task.place.j_float,
                    "J_point": task.place.j_point,
                    **files,
                }
            )

        self.bench.all(tasks, keep)
        self.gathered.strips.sort(key=lambda row: str(row["frame_image"]))

    def _latency(self) -> None:
        scores = [s for s, _ in self.gathered.scores.values() if s.point.deployable]
        wanted = [s for s in scores if s.point.set != "grid"]
        tasks = [Latency(self.study, score, self.order.threads) for score in wanted]

        def keep(place: int, kept: Result) -> None:
            self.gathered.latency[wanted[place].point.id] = kept["result"]

        self.bench.all(tasks, keep, Processes(1))  # one after the other, nothing beside them
