"""NanoTrack v2 through OpenCV: the box tracker that a user of a small board would take instead.

Source: github.com/HonglinChu/SiamTrackers (NanoTrack), docs.opencv.org (cv::TrackerNano).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.bench.turns import Image, Outcome
from edge_ttvos.firmware_bridge.evaluate import bounding_box
from edge_ttvos.firmware_bridge.prompts import Box

NAME = "nanotrack-v2"
BACKBONE, HEAD = "nanotrack_backbone_sim.onnx", "nanotrack_head_sim.onnx"
OPENCV = "opencv-python-headless>=4.7"  # the first that has it


class NanoTrack:
    """Follows a box; the time is OpenCV's ``update`` alone.

    Args:
        folder: holds ``BACKBONE`` and ``HEAD``.
        threads: CPU threads that OpenCV may take.

    Raises:
        EngineError: a file is missing, or this OpenCV has no such tracker.
    """

    name = NAME

    def __init__(self, folder: Path, threads: int) -> None:
        if not hasattr(cv2, "TrackerNano"):
            raise EngineError(
                f"OpenCV {cv2.__version__} has no TrackerNano; type: pip install '{OPENCV}'"
            )
        for name in (BACKBONE, HEAD):
            if not (folder / name).is_file():
                raise EngineError(f"there is no {folder / name}: put NanoTrack v2's ONNX there")
        self._parameters = cv2.TrackerNano.Params()
        self._parameters.backbone = str(folder / BACKBONE)
        self._parameters.neckhead = str(folder / HEAD)
        self._threads = threads
        self._tracker: cv2.TrackerNano | None = None
        self.facts: Mapping[str, Any] = {
            "gives": "box",
            "threads": threads,
            "engine": "opencv",
            "engine_version": cv2.__version__,
            "model": "NanoTrack v2",
            "precision": "fp32",
        }

    def start(self, frame: Image, mask: NDArray[np.bool_]) -> None:
        """Follow the box around this mask."""
        box = bounding_box(mask)
        corners = (int(box.x), int(box.y), int(box.width), int(box.height))
        with _opencv(self._threads):
            try:
                self._tracker = cv2.TrackerNano.create(self._parameters)
                self._tracker.init(_bgr(frame), corners)
            except cv2.error as error:
                raise EngineError(f"OpenCV cannot run NanoTrack: {error.err}") from error

    def step(self, frame: Image) -> Outcome:
        """Its box; turning RGB into OpenCV's BGR is not counted."""
        assert self._tracker is not None, "start comes first"
        image = _bgr(frame)
        with _opencv(self._threads):
            before = time.perf_counter()
            found, corners = self._tracker.update(image)
            milliseconds = 1e3 * (time.perf_counter() - before)
        return Outcome({"update": milliseconds}, Box(*map(float, corners)) if found else None)

    def close(self) -> None:
        """Let OpenCV free its networks."""
        self._tracker = None


def _bgr(frame: Image) -> Image:
    return np.ascontiguousarray(frame[..., ::-1])


@contextmanager
def _opencv(threads: int) -> Iterator[None]:
    """OpenCV with these threads, and without the warnings that its networks print."""
    before, level = cv2.getNumThreads(), cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    cv2.setNumThreads(threads)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
        cv2.utils.logging.setLogLevel(level)
