"""What scoring comes to: per-frame values for plots, figures for tables, and eval.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.evaluation.statistics import Statistics, average, summarize

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class ObjectScore:
    """One object's values, 0…1, over the frames that count for it.

    Attributes:
        number: the object's id.
        frames: stems of the frames, T of them.
        j_frames: region similarity, (T,) float64.
        f_frames: contour accuracy, (T,) float64.
    """

    number: int
    frames: tuple[str, ...]
    j_frames: NDArray[np.float64]
    f_frames: NDArray[np.float64]

    @property
    def j(self) -> Statistics | None:
        """Region similarity over the frames; None where none counts."""
        return summarize(self.j_frames)

    @property
    def f(self) -> Statistics | None:
        """Contour accuracy over the frames; None where none counts."""
        return summarize(self.f_frames)


@dataclass(frozen=True, eq=False)
class SequenceScore:
    """One sequence's objects, each of one weight.

    Attributes:
        name: of the sequence.
        objects: ids ascending.
        missing: file names of predictions that were missing and counted as empty.
        unknown: values in the predictions that are no object's id; they counted as background.
    """

    name: str
    objects: tuple[ObjectScore, ...]
    missing: tuple[str, ...] = ()
    unknown: tuple[int, ...] = ()

    @property
    def j(self) -> Statistics | None:
        """Region similarity, the mean over the objects."""
        return average(o.j for o in self.objects)

    @property
    def f(self) -> Statistics | None:
        """Contour accuracy, the mean over the objects."""
        return average(o.f for o in self.objects)


@dataclass(frozen=True, eq=False)
class Report:
    """Scores of the sequences that are finished.

    Attributes:
        sequences: in the order they were scored.
        protocol: how the predictions were made and scored; ready for JSON.
        reason: why sequences are lacking; None where the run is complete.
    """

    sequences: tuple[SequenceScore, ...]
    protocol: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None

    @property
    def objects(self) -> tuple[ObjectScore, ...]:
        """The objects of all sequences."""
        return tuple(o for s in self.sequences for o in s.objects)

    @property
    def j(self) -> Statistics | None:
        """Region similarity, the mean over all objects; None where nothing counts."""
        return average(o.j for o in self.objects)

    @property
    def f(self) -> Statistics | None:
        """Contour accuracy, the mean over all objects; None where nothing counts."""
        return average(o.f for o in self.objects)

    @property
    def missing(self) -> tuple[str, ...]:
        """Predictions that were missing, as ``<sequence>/<frame>.png``."""
        return tuple(f"{s.name}/{name}" for s in self.sequences for name in s.missing)

    def to_json(self) -> dict[str, Any]:
        """The content of eval.json: percent, and None (null) where a figure is undefined."""
        return {
            "schema": SCHEMA,
            "complete": self.reason is None,
            **({} if self.reason is None else {"reason": self.reason}),
            **_figures(self.j, self.f),
            "sequences": {s.name: _sequence_json(s) for s in self.sequences},
            "missing": list(self.missing),
            "unknown_ids": {s.name: list(s.unknown) for s in self.sequences if s.unknown},
            "protocol": {
                **self.protocol,
                "sequences": len(self.sequences),
                "objects": len(self.objects),
                "frames_scored": sum(len(o.frames) for o in self.objects),
            },
        }


def j_and_f(j: Statistics | None, f: Statistics | None) -> float | None:
    """Mean of J and F in percent, None where they are undefined."""
    return None if j is None or f is None else 50 * (j.mean + f.mean)


def _figures(j: Statistics | None, f: Statistics | None) -> dict[str, Any]:
    return {"J&F": j_and_f(j, f), "J": _percent(j), "F": _percent(f)}


def _percent(part: Statistics | None) -> dict[str, float | None]:
    return {"mean": None, "recall": None, "decay": None} if part is None else {**part.percent()}


def _sequence_json(sequence: SequenceScore) -> dict[str, Any]:
    objects = {str(o.number): _means(o.j, o.f) for o in sequence.objects}
    return {**_means(sequence.j, sequence.f), "objects": objects}


def _means(j: Statistics | None, f: Statistics | None) -> dict[str, Any]:
    """``J`` and ``F`` as plain numbers, their recall and decay beside them."""
    figures: dict[str, Any] = {"J&F": j_and_f(j, f)}
    for name, part in (("J", j), ("F", f)):
        mean, *others = _percent(part).items()
        figures[name] = mean[1]
        figures |= {f"{name}_{key}": value for key, value in others}
    return figures
