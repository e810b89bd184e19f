"""Mean, recall and decay of a measure over an object's frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RECALL_THRESHOLD = 0.5
QUARTERS = 4


@dataclass(frozen=True)
class Statistics:
    """What a measure (J or F) comes to over frames, or its average over objects.

    Attributes:
        mean: 0…1.
        recall: share of frames above 0.5.
        decay: mean of the first quarter minus mean of the last; negative where it improves.
    """

    mean: float
    recall: float
    decay: float

    def percent(self) -> dict[str, float]:
        """The three figures in percent, ready for JSON."""
        return {
            "mean": 100 * self.mean,
            "recall": 100 * self.recall,
            "decay": 100 * self.decay,
        }


def summarize(values: NDArray[np.float64]) -> Statistics | None:
    """Statistics of per-frame values.

    Args:
        values: (T,) of 0…1 in the order of the frames, without NaN.

    Returns:
        None where there is no frame: nothing is defined then, and nothing here is ever NaN.

    Source: Perazzi et al., CVPR 2016, section 5, with the DAVIS benchmark's bin edges.
    """
    if not len(values):
        return None
    return Statistics(
        float(values.mean()), float((values > RECALL_THRESHOLD).mean()), decay(values)
    )


def decay(values: NDArray[np.float64]) -> float:
    """Mean of the first quarter of (T,) values minus mean of the last; T is at least 1."""
    edges = quarter_edges(len(values))
    first = values[edges[0] : edges[1] + 1]
    last = values[edges[-2] : edges[-1] + 1]
    return float(first.mean() - last.mean())


def quarter_edges(count: int) -> tuple[int, ...]:
    """First index of each quarter and the last index of all; neighbours share their edge.

    The benchmark rounds five points evenly spread over 1…count, halves to even after adding 1e-10,
    which makes halves go up.
    """
    points = np.linspace(1, count, QUARTERS + 1) + 1e-10
    return tuple(int(edge) - 1 for edge in np.round(points))


def average(parts: Iterable[Statistics | None]) -> Statistics | None:
    """Average over objects, each of one weight; undefined parts are left out, none left is None."""
    rows = [(p.mean, p.recall, p.decay) for p in parts if p is not None]
    if not rows:
        return None
    return Statistics(*(float(figure) for figure in np.mean(rows, axis=0)))
