"""The capture process: one camera, its pictures into a pipe. Started by ``supervisor``.

    python -m edge_ttvos.firmware_bridge.live.capture --pipe FD OPTIONS SOURCE

A driver that hangs or crashes takes this process with it and nothing else. Whatever libraries
print goes elsewhere than the pictures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing, suppress

from edge_ttvos.errors import CameraSetupError, EdgeTtvosError
from edge_ttvos.firmware_bridge.live.wire import Kind, send_note, send_shot
from edge_ttvos.firmware_bridge.sources.camera import CameraOptions, awake
from edge_ttvos.firmware_bridge.sources.cameras import open_camera

MODULE = "edge_ttvos.firmware_bridge.live.capture"


def command(source: str, options: CameraOptions, pipe: int) -> list[str]:
    """What starts this process."""
    flags = ["--pipe", str(pipe)]
    if options.size is not None:
        flags += ["--height", str(options.size[0]), "--width", str(options.size[1])]
    if options.fps is not None:
        flags += ["--fps", str(options.fps)]
    flags += ["--loop"] * options.loop
    return [sys.executable, "-m", MODULE, *flags, "--", source]


def main(arguments: Sequence[str] | None = None) -> None:
    """Send pictures until the camera ends, fails, or nobody reads any more."""
    given = _parser().parse_args(arguments)
    size = None if given.height is None else (given.height, given.width)
    options = CameraOptions(size, given.fps, given.loop)
    with suppress(BrokenPipeError, KeyboardInterrupt):
        run(given.source, options, given.pipe)


def run(source: str, options: CameraOptions, pipe: int) -> None:
    """Send pictures; at the end, why there are no more."""
    try:
        with closing(open_camera(source, options)) as camera:
            for shot in awake(camera):
                send_shot(pipe, shot)
    except CameraSetupError as error:
        send_note(pipe, Kind.FATAL, str(error))
    except EdgeTtvosError as error:
        send_note(pipe, Kind.ERROR, str(error))
    else:
        send_note(pipe, Kind.DONE, "the recording has ended")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"python -m {MODULE}")
    parser.add_argument("source")
    parser.add_argument("--pipe", type=int, required=True)
    parser.add_argument("--height", type=int)
    parser.add_argument("--width", type=int)
    parser.add_argument("--fps", type=float)
    parser.add_argument("--loop", action="store_true")
    return parser


if __name__ == "__main__":
    main()
