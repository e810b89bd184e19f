"""Frames where float and low bit differ most: which, and what they look like."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import OutputError
from edge_ttvos.files import write_bytes
from edge_ttvos.firmware_bridge.output import make_folder
from edge_ttvos.firmware_bridge.overlay import draw
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.quantize.report.engines import opened
from edge_ttvos.quantize.report.scoring import Score, model_of
from edge_ttvos.quantize.report.study import Study
from edge_ttvos.quantize.report.task import Result

Picture = NDArray[np.uint8]

FOLDER = "strips"
WIDTH = 480  # pixels
QUALITY = 82  # of JPEG
TELLING = 1.0  # points of J&F: the mildest point of an axis that loses so much is shown


@dataclass(frozen=True)
class Place:
    """Where a point's J falls furthest behind float's; J in percent."""

    sequence: str
    frame: int
    j_float: float
    j_point: float


@dataclass(frozen=True)
class Strip:
    """A sequence followed up to a frame, by float and by a point.

    Attributes:
        study: gives the data.
        exact: the float point.
        score: the other.
        place: sequence and frame.
    """

    study: Study
    exact: Score
    score: Score
    place: Place

    @property
    def name(self) -> str:
        """By the point."""
        return f"parts/strip-{self.score.point.id}"

    @property
    def cost(self) -> float:
        """Seconds."""
        return (self.place.frame + 1) / 300 * (self.exact.cost + self.score.cost)

    def identity(self) -> dict[str, Any]:
        """Both points and the place."""
        return {
            "exact": self.exact.identity(),
            "score": self.score.identity(),
            "place": vars(self.place),
        }

    def run(self) -> Result:
        """``frame``, ``float`` and ``low``: JPEGs as base64."""
        frame, exact = self._followed(self.exact)
        _, low = self._followed(self.score)
        drawn = {"frame": frame, "float": draw(frame, exact, {}), "low": draw(frame, low, {})}
        return {name: _jpeg(picture) for name, picture in drawn.items()}

    def _followed(self, score: Score) -> tuple[Picture, Picture]:
        """The frame and its mask."""
        part = self.study.part(score.point.set)
        clip = next(iter(self.study.scored((self.place.sequence,))))
        with opened(model_of(score), part.size, score.point.simulated) as engine:
            tracker = Tracker(engine, max_objects=1)
            frame = read_image(clip.frames[0])
            result = tracker.start(frame, clip.start_masks(clip.frames[0].stem))
            for path in clip.frames[1 : self.place.frame + 1]:
                frame = read_image(path)
                result = tracker.step(frame)
            return frame, result.mask.copy()


def _jpeg(picture: Picture) -> str:
    height, width = picture.shape[:2]
    size = (WIDTH, max(1, round(height * WIDTH / width)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise OutputError("a frame cannot be encoded: this OpenCV lacks JPEG")
    return base64.b64encode(data.tobytes()).decode()


def worst_place(exact: Mapping[str, Any], point: Mapping[str, Any]) -> Place | None:
    """The frame of all sequences where J falls most behind float's; None if it never does."""
    found: Place | None = None
    for name, theirs in point["sequences"].items():
        ours = exact["sequences"][name]
        rows = zip(ours["frames"], ours["J_by_frame"], theirs["J_by_frame"], strict=True)
        for frame, j_float, j_point in rows:
            gap = j_float - j_point
            if gap > 0 and (found is None or gap > found.j_float - found.j_point):
                found = Place(name, frame, j_float, j_point)
    return found


def telling(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each axis, and of the named points, the mildest that loses ``TELLING``, else the worst.

    Args:
        points: of the record, each with ``J&F_loss`` against float.
    """
    chosen = []
    for axis in ("weights", "activations", "state", None):
        lossy = [
            p for p in points if p["axis"] == axis and p["method"] != "float" and p["set"] != "grid"
        ]
        lossy.sort(key=lambda p: p["J&F_loss"])
        telltale = [p for p in lossy if p["J&F_loss"] >= TELLING]
        chosen += telltale[:1] or lossy[-1:]
    return chosen


def write_strip(folder: Path, number: int, pictures: Mapping[str, str]) -> dict[str, str]:
    """Write the three JPEGs; the record's ``frame_image``, ``float`` and ``low``.

    Raises:
        OutputError: they cannot be written.
    """
    make_folder(folder / FOLDER)
    paths = {}
    for key, file in _files(number):
        write_bytes(folder / file, base64.b64decode(pictures[key]))
        paths["frame_image" if key == "frame" else key] = file
    return paths


def _files(number: int) -> Iterator[tuple[str, str]]:
    yield "frame", f"{FOLDER}/{number}.jpg"
    yield "float", f"{FOLDER}/{number}-float.jpg"
    yield "low", f"{FOLDER}/{number}-low.jpg"
