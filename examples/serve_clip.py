"""A network camera for those who have none: a folder of JPEGs as an MJPEG stream, over and over.

    python examples/serve_clip.py FOLDER [--fps 30] [--port 8000]
    edge-ttvos live --source http://127.0.0.1:8000/

Python's standard library is all that it needs. It listens on this machine alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import cast

HEAD = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"


class ClipServer(ThreadingHTTPServer):
    """Sends every client the clip from its beginning, at its speed.

    Args:
        frames: JPEGs.
        fps: frames a second.
        port: 0 takes any that is free.
    """

    daemon_threads = True

    def __init__(self, frames: Sequence[bytes], fps: float, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), ClipHandler)
        self.frames, self.fps = frames, fps

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}/"

    def parts(self) -> Iterator[bytes]:
        """What a client is sent, piece by piece, at the right times."""
        begin = time.monotonic()
        for number in count():
            frame = self.frames[number % len(self.frames)]
            time.sleep(max(0.0, begin + number / self.fps - time.monotonic()))
            yield HEAD % len(frame) + frame + b"\r\n"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no error."""


class ClipHandler(BaseHTTPRequestHandler):
    """One client."""

    def do_GET(self) -> None:
        """Send the clip until they leave."""
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for part in cast(ClipServer, self.server).parts():
            self.wfile.write(part)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def read_clip(folder: Path) -> list[bytes]:
    """The folder's JPEGs in order of their names."""
    frames = [path.read_bytes() for path in sorted(folder.glob("*.jp*g"))]
    if not frames:
        raise SystemExit(f"{folder} holds no .jpg files")
    return frames


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, usage="%(prog)s FOLDER [options]")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    server = ClipServer(read_clip(options.folder), options.fps, options.port)
    print(f"edge-ttvos live --source {server.url}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
