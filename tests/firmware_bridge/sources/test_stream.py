"""Network cameras over loopback: MJPEG with what goes wrong, and GStreamer's RTSP server."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from edge_ttvos.errors import SourceError
from edge_ttvos.firmware_bridge.sources import stream
from edge_ttvos.firmware_bridge.sources.camera import CameraOptions, Shot
from edge_ttvos.firmware_bridge.sources.packets import MOST_DAMAGED
from edge_ttvos.firmware_bridge.sources.stream import StreamCamera

SYSTEM_PYTHON = "/usr/bin/python3"
HAVE_RTSP = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); gi.require_version('Gst', '1.0'); "
    "from gi.repository import Gst; Gst.init(None); assert Gst.ElementFactory.find('x264enc')"
)

Serve = Callable[..., StreamCamera]
Change = Callable[[int, bytes], bytes]


def steps(taken: list[Shot]) -> list[int]:
    """How many pictures of the clip further each picture is than the one before, modulo four."""
    places = [round((float(shot.image.mean()) - 40) / 50) for shot in taken]
    return [int(step) % 4 for step in np.diff(places)]


def jpeg(grey: int, size: tuple[int, int] = (48, 64)) -> bytes:
    encoded = cv2.imencode(".jpg", np.full((*size, 3), grey, np.uint8))[1]
    return encoded.tobytes()


@pytest.fixture
def serve(clip_server: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A camera on a server whose every part is changed on its way."""
    monkeypatch.setattr(stream, "TIMEOUT", (30.0, 3.0))
    servers: list[Any] = []

    def start(change: Change = lambda number, part: part) -> StreamCamera:
        class Server(clip_server.ClipServer):  # type: ignore[name-defined,misc]
            def parts(self) -> Iterator[bytes]:
                for number, part in enumerate(super().parts()):
                    yield change(number, part)

        server = Server([jpeg(grey) for grey in (40, 90, 140, 190)], fps=200)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return StreamCamera(server.url, CameraOptions())

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_pictures_arrive(serve: Serve) -> None:
    shots = iter(serve())

    taken = [next(shots) for _ in range(8)]

    assert set(steps(taken)) == {1}, "none is left out, once the first has come"
    assert 0 <= time.monotonic_ns() - taken[-1].captured < 60 * 10**9
    moments = [shot.captured for shot in taken]
    assert moments == sorted(moments)


def test_the_size_may_change(serve: Serve) -> None:
    def change(number: int, part: bytes) -> bytes:
        if number != 30:
            return part
        data = jpeg(7, (96, 32))
        return part[: part.index(b"Content-Length")] + (
            b"Content-Length: %d\r\n\r\n" % len(data) + data + b"\r\n"
        )

    shots = iter(serve(change))

    sizes = [next(shots).image.shape for _ in range(40)]

    assert sizes.count((96, 32, 3)) == 1
    assert sizes[-1] == (48, 64, 3)


def test_half_a_picture_is_left_out(serve: Serve) -> None:
    def change(number: int, part: bytes) -> bytes:
        if number != 30:
            return part
        head, end, data = part.partition(b"\r\n\r\n")
        half = data[: len(data) // 2]
        name = head[: head.index(b"Content-Length")]
        return name + b"Content-Length: %d" % len(half) + end + half + b"\r\n"

    shots = iter(serve(change))

    taken = [next(shots) for _ in range(40)]

    assert sorted(steps(taken)) == [1] * 38 + [2]


def test_nothing_but_halves_is_an_error(serve: Serve) -> None:
    def change(number: int, part: bytes) -> bytes:
        return part if number < 25 else part.replace(b"\xff\xd9", b"\0\0")

    taken = 0
    with pytest.raises(SourceError, match="damaged pictures"):  # noqa: PT012 - it ends in time
        for _ in serve(change):
            taken += 1
            assert taken <= MOST_DAMAGED


def leave(number: int, part: bytes) -> bytes:
    if number == 30:
        raise BrokenPipeError
    return part


def hang(number: int, part: bytes) -> bytes:
    if number == 30:
        time.sleep(8)
    return part


@pytest.mark.parametrize("fault", [leave, hang])
def test_a_stream_that_ends_or_hangs(serve: Serve, fault: Change) -> None:
    taken = 0
    with pytest.raises(SourceError, match=r"has ended|broke off"):  # noqa: PT012 - it ends in time
        for _ in serve(fault):
            taken += 1

    assert 0 < taken <= 30


def test_nobody_is_there(serve: Serve) -> None:
    with pytest.raises(SourceError, match=r"http://127\.0\.0\.1:9/ cannot be opened"):
        next(iter(StreamCamera("http://me:secret@127.0.0.1:9/", CameraOptions())))


HEADERS = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=f\r\n\r\n"


@pytest.fixture
def silent_port() -> Iterator[Callable[[bytes], int]]:
    """A server that says one thing to whoever comes, and nothing more."""
    opened: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(said: bytes) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        opened.append(listening)

        def serve() -> None:
            with suppress(OSError):  # it is shut down
                while True:
                    opened.append(listening.accept()[0])
                    opened[-1].sendall(said)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return int(listening.getsockname()[1])

    yield start
    for place in list(opened):
        with suppress(OSError):  # the other side has left
            place.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join()
    for place in opened:
        place.close()


@pytest.mark.parametrize(("scheme", "said"), [("http", b""), ("http", HEADERS), ("rtsp", b"")])
def test_a_camera_that_says_nothing(
    silent_port: Callable[[bytes], int], monkeypatch: pytest.MonkeyPatch, scheme: str, said: bytes
) -> None:
    monkeypatch.setattr(stream, "TIMEOUT", (0.5, 0.5))
    camera = StreamCamera(f"{scheme}://me:secret@127.0.0.1:{silent_port(said)}/", CameraOptions())

    with pytest.raises(SourceError, match="accepted the connection but sends nothing") as error:
        next(iter(camera))

    assert "secret" not in str(error.value)


def test_an_address_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "TIMEOUT", (0.5, 0.5))
    monkeypatch.setattr(stream, "PROBE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as stack:
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        camera = StreamCamera(f"http://127.0.0.1:{full.getsockname()[1]}/", CameraOptions())

        with pytest.raises(SourceError, match="does not answer"):
            next(iter(camera))


@pytest.fixture
def rtsp() -> Iterator[str]:
    """The URL of GStreamer's RTSP server."""
    with suppress(OSError):
        found = subprocess.run([SYSTEM_PYTHON, "-c", HAVE_RTSP], capture_output=True, check=False)
        if found.returncode == 0:
            script = Path(__file__).with_name("rtsp_server.py")
            with subprocess.Popen(
                [SYSTEM_PYTHON, script], stdout=subprocess.PIPE, text=True
            ) as run:
                assert run.stdout is not None
                yield run.stdout.readline().strip()
                run.kill()
            return
    pytest.skip("no GStreamer RTSP server (gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-ugly)")


def test_a_real_rtsp_server(rtsp: str) -> None:
    shots = iter(StreamCamera(rtsp, CameraOptions()))

    taken = [next(shots) for _ in range(20)]

    assert taken[-1].image.shape == (64, 96, 3)
    left, right = taken[-1].image[10, 4], taken[-1].image[10, -5]
    assert left.min() > 150, "the test picture's first bar is light grey"
    assert right[2] > 150 > 60 > right[0], "its last is blue"
