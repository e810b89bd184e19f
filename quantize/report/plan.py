"""What an order comes to, and about how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_ttvos.quantize.report.calibrating import Calibrate
from edge_ttvos.quantize.report.mixed import Candidate
from edge_ttvos.quantize.report.order import Order, plan_calibrations, plan_points
from edge_ttvos.quantize.report.points import Point
from edge_ttvos.quantize.report.scoring import Score
from edge_ttvos.quantize.report.sensitivity import Alone, items
from edge_ttvos.quantize.report.task import Task
from edge_ttvos.quantize.report.workshop import graphs_of
from edge_ttvos.quantize.scheme import Scheme

LATENCY_COST, STRIP_COST = 10.0, 15.0  # seconds each, about
MIXED_ROUNDS = 14  # recipes that the search scores, about


@dataclass(frozen=True)
class Plan:
    """What an order comes to, before anything is computed or written.

    Attributes:
        order: what was asked for.
        points: all but the mixed one.
        calibrations: that they need.
    """

    order: Order
    points: tuple[Point, ...]
    calibrations: tuple[Calibrate, ...]

    @classmethod
    def of(cls, order: Order) -> Plan:
        """Plan it.

        Raises:
            QuantizationError, ModelError: a point that cannot be made.
        """
        points = plan_points(order)
        return cls(order, points, plan_calibrations(order, points))

    @property
    def cost(self) -> float:
        """Seconds on one core, about."""
        scores = [Score(self.order.study, point, None) for point in self.points]
        tasks: list[Task] = [*self.calibrations, *scores]
        return sum(task.cost for task in tasks) + _others(self.order, scores)


def _others(order: Order, scores: Sequence[Score]) -> float:
    """Seconds of what is planned only when points are known."""
    study, total = order.study, 0.0
    if order.ranks:
        count = len(items(graphs_of(study, study.axes.size)))
        total += count * Alone(study, None, Scheme({}, None)).cost
    if "mixed" in order.parts:
        total += MIXED_ROUNDS * Candidate(study, None, None).cost
    if "strips" in order.parts:
        total += 4 * STRIP_COST
    if "latency" in order.parts:
        total += LATENCY_COST * sum(bool(score.point.deployable) for score in scores)
    return total
