"""Recordings: the picture with its masks as fragmented MP4, and every mask as an indexed PNG.

    FOLDER/<when it began>/video.mp4, masks/<frame>.png

Both can be read while they grow, and after a kill.
"""

from __future__ import annotations

import shutil
import threading
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge_ttvos.errors import OutputError
from edge_ttvos.evaluation.masks import write_mask
from edge_ttvos.files import whole_file
from edge_ttvos.firmware_bridge.live.outcome import Image, Outcome
from edge_ttvos.firmware_bridge.live.outlet import Outlet
from edge_ttvos.firmware_bridge.output import make_folder
from edge_ttvos.firmware_bridge.video_writer import VideoWriter

VIDEO, MASKS, ZIP = "video.mp4", "masks", "masks.zip"
WAITING = 24  # outcomes that may wait for the encoder
LEAST_FREE = 200 << 20  # bytes of the disk that a recording leaves free


@dataclass(frozen=True)
class RecordingStatus:
    """What is or was recorded.

    Attributes:
        name: of its folder.
        running: whether it goes on.
        frames: recorded so far.
        seconds: that it lasts so far.
        skipped: frames left out because the encoder was too slow.
        error: why it ended before it was told to; empty otherwise.
    """

    name: str
    running: bool
    frames: int
    seconds: float
    skipped: int
    error: str


class Recording:
    """One recording, from its first outcome on.

    Args:
        folder: for all recordings; made where absent.
        patient: the tracker waits for the encoder instead of leaving out frames.

    Raises:
        OutputError: nothing can be written there, or the disk is nearly full.
    """

    def __init__(self, folder: Path, patient: bool = False) -> None:
        self.folder = _fresh(folder)
        make_folder(self.folder / MASKS)
        _check_room(self.folder)
        self._outlet = Outlet("recording", self._write, WAITING, patient)
        self._video: VideoWriter | None = None
        self._size = (0, 0)
        self._first = self._last = 0  # when captured, nanoseconds
        self._frames = 0
        self._running = True
        self._closing = threading.Lock()

    def put(self, outcome: Outcome) -> None:
        """Record an outcome, soon."""
        self._outlet.put(outcome)

    def stop(self) -> None:
        """Record nothing more; the tracker does not wait for the encoder."""
        self._running = False
        threading.Thread(target=self.close, name="recording's end", daemon=True).start()

    def close(self, timeout: float = 3.0) -> None:
        """Record what waits, end the video; however often, and from any thread."""
        self._running = False
        with self._closing:
            if self._outlet.close(timeout) and self._video is not None:
                try:
                    self._video.close()
                except OutputError as error:
                    self._outlet.error = error

    @property
    def status(self) -> RecordingStatus:
        """As it is now."""
        error = self._outlet.error
        return RecordingStatus(
            self.folder.name,
            self._running and error is None,
            self._frames,
            round((self._last - self._first) / 1e9, 1),
            self._outlet.skipped,
            "" if error is None else str(error),
        )

    def _write(self, outcome: Outcome) -> None:
        shot = outcome.picture.shot
        if self._video is None:
            self._first = shot.captured
            self._size = (shot.image.shape[0], shot.image.shape[1])
            self._video = VideoWriter(self.folder / VIDEO, self._size, timed=True)
        elif shot.captured <= self._last:
            return  # an object was pointed at in a picture that is recorded already
        _check_room(self.folder)
        self._last = shot.captured
        self._video.write(_fitted(outcome.drawn, self._size), (self._last - self._first) / 1e9)
        mask = outcome.mask
        mask = np.zeros(shot.image.shape[:2], np.uint8) if mask is None else mask
        write_mask(self.folder / MASKS / f"{outcome.picture.number:08d}.png", mask, durable=False)
        self._frames += 1


def zipped(folder: Path) -> Path:
    """A recording's masks in one file, made anew each time it is asked for.

    Raises:
        OutputError: it cannot be written.
    """
    path = folder / ZIP
    with whole_file(path, durable=False) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for mask in sorted((folder / MASKS).glob("*.png")):
            archive.write(mask, f"{MASKS}/{mask.name}")
    return path


def _fresh(folder: Path) -> Path:
    """A folder that is not there yet. Its name is the wall clock's, which may be wrong."""
    name = time.strftime("%Y%m%d-%H%M%S")
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next(folder / name for name in names if not (folder / name).exists())


def _check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        raise OutputError(
            f"recording ends: {folder} has {free >> 20} MiB left, and {LEAST_FREE >> 20} MiB stay "
            "free. Make room, or choose another --recordings"
        )


def _fitted(picture: Image, size: tuple[int, int]) -> Image:
    """The picture itself, or shrunk or grown to fit where the camera's size has changed."""
    height, width = picture.shape[:2]
    if (height, width) == size:
        return picture
    scale = min(size[0] / height, size[1] / width)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    canvas = np.zeros((*size, 3), np.uint8)
    canvas[: inner[1], : inner[0]] = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA)
    return canvas
