"""A video file of any format that FFmpeg reads."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import av
import numpy as np

from edge_ttvos.errors import FrameError, SourceError
from edge_ttvos.firmware_bridge.sources.base import Frame, Image, Source, Window, check_size

EARLY_SECONDS = 0.1  # a video that lasts this much less than its header says has ended early,
EARLY_FRAMES = 1.5  # if that is more than so many frames

_BT709 = 1  # FFmpeg's number of the colour space


class VideoSource(Source):
    """A video's frames, upright, as RGB; each iteration opens the file anew.

    Args:
        path: the file.
        window: which frames to yield; those before it are decoded all the same.

    Raises:
        SourceError: the file cannot be opened, is cut off before its index, or has no pictures.
        FrameError: the first frame is damaged.
    """

    def __init__(self, path: Path, window: Window = Window()) -> None:  # noqa: B008 - frozen
        self.name = path.name
        self._path, self._window = path, window
        self.length = None
        with _opened(path) as container:
            stream = _pictures(container, path)
            rate = float(stream.average_rate or stream.guessed_rate or 0)
            self.fps = rate / window.stride if rate > 0 else None
            frames = _promised_frames(container)
            if frames is not None:
                window.check(str(path), frames)
                self.length = window.count(frames)
            first = next(self._decoded(container), None)
        if first is None:
            raise SourceError(f"{path} holds no frame that can be decoded. Check or convert it.")
        height, width = upright(first).shape[:2]
        self.size = (height, width)

    def __iter__(self) -> Iterator[Frame]:
        count = 0
        with _opened(self._path) as container:
            clock = _Clock(container)
            for decoded in islice(self._decoded(container), self._window.end):
                clock.tick(decoded)
                if self._window.wants(count):
                    image = upright(decoded)
                    check_size(f"frame {count} of {self._path}", image, self.size)
                    yield Frame(count, f"{count:05d}", image)
                count += 1
        if count != self._window.end:
            self._check_end(clock, count)

    def _decoded(self, container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
        """Decode until the end or the first damaged frame."""
        for index, frame in enumerate(_frames(container, _pictures(container, self._path))):
            if isinstance(frame, av.error.FFmpegError):
                raise self._damaged(index, frame.strerror or str(frame)) from frame
            if frame.is_corrupt:
                raise self._damaged(index, "its data are damaged")
            yield frame

    def _damaged(self, index: int, why: str) -> FrameError:
        avoid = f", or leave the frame out: end={index} stops before it" if index else ""
        return FrameError(
            f"frame {index} of {self._path} cannot be decoded: {why}. Repair or re-encode the "
            f"video{avoid}."
        )

    def _check_end(self, clock: _Clock, count: int) -> None:
        self._window.check(str(self._path), count)
        if clock.missing > 0:
            raise SourceError(
                f"{self._path} ended early: its header says {clock.expected:.2f} s, its {count} "
                f"frames last {clock.shown:.2f} s. The file is cut short or damaged; copy or "
                f"record it again, or accept what is there with end={count}."
            )


class _Clock:
    """Compares the time that a stream's header promises with the time that its frames show."""

    def __init__(self, container: av.container.InputContainer) -> None:
        stream = container.streams.video[0]
        self.expected = _promised_seconds(container)
        self._stream = stream
        self._period = float(1 / stream.average_rate) if stream.average_rate else 0.0
        self._first: float | None = None
        self.shown = 0.0  # seconds, the last frame's own duration included

    def tick(self, frame: av.VideoFrame) -> None:
        """Count a frame."""
        time = _seconds(frame.pts, self._stream)
        if time is None:
            self.shown += self._period
            return
        self._first = time if self._first is None else self._first
        lasts = _seconds(getattr(frame, "duration", None), self._stream) or self._period
        self.shown = max(self.shown, time - self._first + lasts)

    @property
    def missing(self) -> float:
        """Seconds missing beyond what is normal; 0 or less if nothing is."""
        return self.expected - self.shown - max(EARLY_SECONDS, EARLY_FRAMES * self._period)


def _seconds(ticks: int | None, stream: av.VideoStream) -> float | None:
    """A time by the stream's clock; a frame's own clock is unset where the decoder was flushed."""
    return None if ticks is None or not stream.time_base else float(ticks * stream.time_base)


def _promised_seconds(container: av.container.InputContainer) -> float:
    """The length of the pictures by the header; 0 if only the length with sound is known."""
    stream = container.streams.video[0]
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if "DURATION" in stream.metadata:  # Matroska: 00:01:02.345000000
        parts = stream.metadata["DURATION"].split(":")
        try:
            return sum(float(part) * 60.0**power for power, part in enumerate(reversed(parts)))
        except ValueError:
            return 0.0
    alone = len(container.streams) == 1
    return float(container.duration / av.time_base) if alone and container.duration else 0.0


def _promised_frames(container: av.container.InputContainer) -> int | None:
    """The number of frames by the header, unless some are not to be shown: a clip trimmed so."""
    stream = container.streams.video[0]
    if stream.frames <= 0 or not stream.average_rate:
        return None
    seconds, period = _promised_seconds(container), float(1 / stream.average_rate)
    differ = abs(stream.frames * period - seconds) > max(EARLY_SECONDS, EARLY_FRAMES * period)
    return None if seconds and differ else stream.frames


def _opened(path: Path) -> av.container.InputContainer:
    try:
        return av.open(str(path), "r")
    except av.error.FFmpegError as error:
        if error.errno in (errno.ENOENT, errno.EACCES, errno.EISDIR):
            raise SourceError(f"{path} cannot be opened: {error.strerror}") from error
        raise SourceError(
            f"{path} cannot be opened as a video: {error.strerror}. Expected a whole video file, "
            "or a folder of images; a recording that was cut off may lack its index."
        ) from error


def _pictures(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    if not container.streams.video:
        raise SourceError(f"{path} has no video stream: expected a video; got sound or data alone")
    return container.streams.video[0]


def _frames(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[av.VideoFrame | av.error.FFmpegError]:
    """The decoder's frames; on an error those before it that it holds back, then the error."""
    stream.thread_type = "SLICE"  # frame threads would report damage frames too late
    last: float | None = None
    try:
        for packet in container.demux(stream):
            for frame in stream.decode(packet):
                last = _seconds(frame.pts, stream)
                yield frame
    except av.error.FFmpegError as error:
        with suppress(av.error.FFmpegError):
            yield from _until_gap(stream.decode(None), last, stream)
        yield error


def _until_gap(
    frames: Iterable[av.VideoFrame], last: float | None, stream: av.VideoStream
) -> Iterator[av.VideoFrame]:
    """Frames up to the first that does not follow on the one before: there the damage was."""
    period = float(1 / stream.average_rate) if stream.average_rate else 0.0
    for frame in frames:
        time = _seconds(frame.pts, stream)
        if last is None or time is None or time - last > 1.5 * period:
            return
        last = time
        yield frame


def upright(frame: av.VideoFrame) -> Image:
    """The frame as RGB, turned as the recording's display matrix says."""
    # older PyAV (16 and before) takes all colours for BT.601's unless told
    spaces = ("ITU709", "ITU601") if frame.colorspace == _BT709 else (None, None)
    rgb = frame.reformat(format="rgb24", src_colorspace=spaces[0], dst_colorspace=spaces[1])
    image = np.asarray(rgb.to_ndarray(), np.uint8)
    quarter_turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarter_turns)) if quarter_turns else image
