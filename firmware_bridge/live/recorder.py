"""Recordings: the picture with its masks as fragmented MP4, and every mask as an indexed PNG.

    FOLDER/<when it began>/video.mp4, masks/<frame>.png

Both can be read while they grow, and after a kill.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge_ttvos.errors import InputError, OutputError
from edge_ttvos.evaluation.masks import write_mask
from edge_ttvos.files import whole_file
from edge_ttvos.firmware_bridge.live.outcome import Image, Outcome
from edge_ttvos.firmware_bridge.live.outlet import Outlet
from edge_ttvos.firmware_bridge.output import make_folder
from edge_ttvos.firmware_bridge.video_writer import VideoWriter

VIDEO, MASKS, ZIP = "video.mp4", "masks", "masks.zip"
WAITING = 48 << 20  # bytes of outcomes that may wait for the encoder
MOST_ZIPPED = 100_000  # masks, nearly an hour at 30 frames/s; a list of more takes memory
CHECKED = 1000  # masks between two looks at the disk
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
        self._outlet = Outlet(
            "recording", self._write, WAITING, patient, _bytes, lambda error: self._end_video()
        )
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
            if self._outlet.close(timeout):
                self._end_video()

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

    def _end_video(self) -> None:
        video, self._video = self._video, None
        if video is not None:
            try:
                video.close()
            except OutputError as error:
                self._outlet.error = self._outlet.error or error

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
        OutputError: it cannot be written, or the disk is nearly full.
        InputError: there are too many.
    """
    path = folder / ZIP
    masks = sorted(name for name in os.listdir(folder / MASKS) if name.endswith(".png"))
    if len(masks) > MOST_ZIPPED:
        raise InputError(
            f"expected at most {MOST_ZIPPED} masks for a zip; got {len(masks)}. Copy the folder "
            f"{folder / MASKS} from the board instead"
        )
    with whole_file(path, durable=False) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for number, name in enumerate(masks):
            if number % CHECKED == 0:
                _check_room(folder)
            archive.write(folder / MASKS / name, f"{MASKS}/{name}")
    return path


def _bytes(outcome: Outcome) -> int:
    """Of an outcome, drawn."""
    mask = 0 if outcome.mask is None else outcome.mask.nbytes
    return 2 * outcome.picture.shot.image.nbytes + mask


def _fresh(folder: Path) -> Path:
    """A folder that is not there yet. Its name is the wall clock's, which may be wrong."""
    name = time.strftime("%Y%m%d-%H%M%S")
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    with _writing(folder):
        return next(folder / name for name in names if not (folder / name).exists())


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """A disk that is gone is one clear error."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot record to {folder}: {error.strerror}") from error


def _check_room(folder: Path) -> None:
    with _writing(folder):
        free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        raise OutputError(
            f"{folder} has {free >> 20} MiB left, and {LEAST_FREE >> 20} MiB stay free: nothing "
            "more is written there. Make room, or choose another --recordings"
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
