"""At what precision does the template's running average stop moving, and after how many updates?

The news of every frame (I, eq. 1) and its step are taken from one run whose template is float; the
same news then goes through templates kept in codes, exactly as the tracker keeps them. So what is
compared differs in nothing but the precision of the state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.contracts import Quantization
from edge_ttvos.evaluation.datasets import Sequence as Clip
from edge_ttvos.firmware_bridge import arithmetic
from edge_ttvos.firmware_bridge.codes import Codec
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.quantize.report.engines import opened
from edge_ttvos.quantize.report.scoring import DEPLOYED_COST, FRAMES, Score, model_of
from edge_ttvos.quantize.report.study import Study
from edge_ttvos.quantize.report.task import Result
from edge_ttvos.records import plain

Float = NDArray[np.float32]
Codes = Quantization | None

STILL = 0.01  # of the template's entries: where fewer change by an update, it has stalled
WINDOW = 5  # updates that a share is averaged over before it is judged


@dataclass(frozen=True)
class News:
    """One update: I (c, c) and the share by which the template moves towards it."""

    matrix: Float
    step: float


@dataclass(frozen=True)
class Stall:
    """The running average at each precision, over the axes' sequences.

    Attributes:
        study: gives the sequences.
        score: of the point whose run gives the news; its template is float.
        codes: of the template by label; None: float.
    """

    study: Study
    score: Score
    codes: Mapping[str, Codes]

    @property
    def name(self) -> str:
        """There is one."""
        return "parts/stall"

    @property
    def cost(self) -> float:
        """Seconds."""
        part = self.study.axes
        return len(part.sequences) * FRAMES * part.size[0] * part.size[1] * DEPLOYED_COST * 1e-6

    def identity(self) -> dict[str, Any]:
        """The point, and the codes."""
        return {
            "score": self.score.identity(),
            "codes": {k: plain(c) for k, c in self.codes.items()},
        }

    def run(self) -> Result:
        """By label ``moved`` and ``distance`` of each update, and ``steps``: means of sequences."""
        runs = []
        with opened(
            model_of(self.score), self.study.axes.size, self.score.point.simulated
        ) as engine:
            tracker = Tracker(engine, max_objects=1)
            for clip in self.study.scored(self.study.axes.sequences):
                runs.append(list(updates(tracker, clip)))
        results = {
            label: [replay(run, codes) for run in runs] for label, codes in self.codes.items()
        }
        return {
            "steps": _means([[news.step for news in run] for run in runs]),
            "templates": {
                label: {
                    "moved": _means([moved for moved, _ in pairs]),
                    "distance": _means([distance for _, distance in pairs]),
                }
                for label, pairs in results.items()
            },
        }


def updates(tracker: Tracker, clip: Clip) -> Iterator[News]:
    """What enters the template of a sequence's object, frame by frame."""
    memory, model = tracker.memory, tracker.model
    c = model.template_channels
    tracker.start(read_image(clip.frames[0]), clip.start_masks(clip.frames[0].stem))
    slot = memory.slots[0]
    for path in clip.frames[1:]:
        before = int(slot.updates[0])
        weight = float(memory.codecs["update_weight"].read(slot.decoded.update_weight)[0])
        tracker.step(read_image(path))
        if int(slot.updates[0]) == before:
            continue  # the guards kept the frame out
        matrix, row = np.empty((c, c), np.float32), np.empty((c, 1), np.float32)
        f, g = (memory.codecs[n].read(getattr(memory.embedding, n)) for n in ("f", "g"))
        arithmetic.embedding_matrix(f, g, model.scaled_softmax, matrix, row)
        learnt = model.update == "weighted" and before > 0
        yield News(matrix, weight / (1 + weight) if learnt else 1 / (before + 1))


def replay(run: Sequence[News], codes: Codes) -> tuple[list[float], list[float]]:
    """Share of entries that each update moves, and relative distance to the float template."""
    moved, distance = [], []
    exact, values = np.zeros_like(run[0].matrix), np.zeros_like(run[0].matrix)
    codec = Codec(codes, np.empty_like(values))
    stored = values if codes is None else np.zeros(values.shape, codes.dtype)
    for index, news in enumerate(run):
        before = stored.copy()
        if index == 0:
            exact[:] = news.matrix
            codec.write(news.matrix.copy(), stored)
        else:
            arithmetic.running_average(exact, news.matrix.copy(), news.step)
            template = codec.read(stored)
            arithmetic.running_average(template, news.matrix.copy(), news.step)
            codec.write(template, stored)
            moved.append(float(np.mean(stored != before)))
        gap = np.linalg.norm(codec.read(stored) - exact) / np.linalg.norm(exact)
        distance.append(float(gap))
    return moved, distance[1:]


def _means(rows: Sequence[Sequence[float]]) -> list[float]:
    """By update, over the sequences that have so many."""
    longest = max((len(row) for row in rows), default=0)
    return [
        round(float(np.mean([row[index] for row in rows if len(row) > index])), 6)
        for index in range(longest)
    ]


def stalls_after(moved: Sequence[float]) -> int | None:
    """Updates from which on fewer than ``STILL`` of the entries move, to the end; None if never."""
    if len(moved) < WINDOW:
        return None
    smooth = np.convolve(moved, np.full(WINDOW, 1 / WINDOW), "valid")
    moving = np.flatnonzero(smooth >= STILL)
    first = 0 if not len(moving) else int(moving[-1]) + 1
    return first + 1 if first < len(smooth) else None
