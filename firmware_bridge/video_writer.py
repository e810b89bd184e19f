"""H.264 in fragmented MP4: browsers play it, and the file of a killed run still opens.

Unlike all other results the file grows under its final name: each fragment is written as soon as
its frames are encoded, so a run that is killed loses ``FRAGMENT_FRAMES`` frames at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from edge_ttvos.errors import FrameError, OutputError

ENCODERS = ("libx264", "libopenh264")  # FFmpeg's names, best first
FRAGMENT_FRAMES = 12  # between key frames, at each of which a fragment ends
DEFAULT_FPS = 25.0
MILLISECOND = Fraction(1, 1000)
X264_OPTIONS = {
    "preset": "veryfast",
    "tune": "zerolatency",  # no frame waits in the encoder for those after it
    "crf": "20",
    "x264-params": "colorprim=bt709:transfer=bt709:colormatrix=bt709",
}
_MP4_OPTIONS = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "flush_packets": "1",
}


class VideoWriter:
    """Writes frames one by one. Use it in a ``with`` statement; an error keeps what is there.

    Args:
        path: of the file, ``….mp4``; an existing one is replaced.
        size: height and width of the frames; odd sides gain a row or column, a copy of the last.
        fps: frames a second; None: ``DEFAULT_FPS``.
        encoders: FFmpeg's names of encoders to choose from, best first.
        timed: every frame says when it is shown, to the millisecond, as a camera's do.

    Raises:
        OutputError: the file cannot be made, or FFmpeg was built without any of the encoders.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        fps: float | None = None,
        encoders: Sequence[str] = ENCODERS,
        timed: bool = False,
    ) -> None:
        self._path, self._size = path, size
        encoder = find_encoder(encoders)
        try:
            self._container = av.open(str(path), "w", format="mp4", options=_MP4_OPTIONS)
        except (av.error.FFmpegError, OSError) as error:
            raise self._failed(error) from error
        rate = Fraction(fps or DEFAULT_FPS).limit_denominator(1001)
        self._stream = cast("av.VideoStream", self._container.add_stream(encoder, rate=rate))
        self._stream.height, self._stream.width = (side + side % 2 for side in size)
        self._stream.pix_fmt = "yuv420p"
        self._stream.gop_size = FRAGMENT_FRAMES
        self._stream.options = dict(X264_OPTIONS) if encoder == "libx264" else {}
        if timed:
            self._stream.codec_context.time_base = MILLISECOND
        self._shown_at = -1  # milliseconds, of the last frame of a timed video
        self._open = True

    def write(self, frame: NDArray[np.uint8], at: float | None = None) -> None:
        """Append a frame (H, W, 3) RGB uint8.

        Args:
            frame: of the announced size.
            at: of a timed video, seconds since its beginning; at least a millisecond after the
                one before.

        Raises:
            FrameError: it has another size or type than announced.
            OutputError: the file cannot be written, for instance because the disk is full.
        """
        if frame.shape != (*self._size, 3) or frame.dtype != np.uint8:
            raise FrameError(
                f"frame must be (H, W, 3)={(*self._size, 3)} uint8 like the others of the video; "
                f"got {frame.shape} {frame.dtype}"
            )
        rgb = av.VideoFrame.from_ndarray(_even(frame), format="rgb24")
        picture = rgb.reformat(format="yuv420p", dst_colorspace="ITU709")
        if at is not None:
            self._shown_at = max(round(at / MILLISECOND), self._shown_at + 1)
            picture.pts, picture.time_base = self._shown_at, MILLISECOND
        self._encode(picture)

    def close(self) -> None:
        """Write what is left and close the file; a second call does nothing.

        Raises:
            OutputError: the file cannot be written.
        """
        if not self._open:
            return
        self._encode(None)
        self._open = False
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def _encode(self, picture: av.VideoFrame | None) -> None:
        """Encode and write a picture, or what the encoder still holds."""
        try:
            for packet in self._stream.encode(picture):
                self._container.mux(packet)
        except (av.error.FFmpegError, OSError) as error:
            self._abandon()
            raise self._failed(error) from error

    def _abandon(self) -> None:
        """Close without looking: an error has been seen already."""
        self._open = False
        with suppress(av.error.FFmpegError, OSError):
            self._container.close()

    def _failed(self, error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or str(error)
        return OutputError(
            f"cannot write the video {self._path}: {reason}. Free space or choose another folder; "
            "the frames written so far are kept."
        )

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            with suppress(OutputError):  # the error that is under way matters more
                self.close()


def find_encoder(names: Sequence[str] = ENCODERS) -> str:
    """The first of the encoders that this FFmpeg has.

    Raises:
        OutputError: it has none of them.
    """
    for name in names:
        if name in av.codecs_available:
            with suppress(ValueError):
                return str(av.codec.Codec(name, "w").name)
    raise OutputError(
        f"no H.264 encoder: expected one of {', '.join(names)} in PyAV's FFmpeg; got none. "
        "Install PyAV from its PyPI wheel (pip install --force-reinstall av), or do without videos."
    )


def _even(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The frame with even sides, which H.264's colour sampling needs; edges are repeated."""
    height, width = frame.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return np.ascontiguousarray(frame)
    grown = cv2.copyMakeBorder(frame, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.asarray(grown, np.uint8)
