"""What goes wrong with cameras, browsers and processes: does live come back, and how fast?

    python benchmarks/live_faults.py --clip FOLDER [--model BUNDLE] [--times 20] [--gone 60]
        [--faults a,b] [--json FILE]

``edge-ttvos live`` runs as people run it, on an MJPEG stream over loopback. Recovery is the time
from the moment that the fault happens, or is over if it lasts, to the next new mask. The wall clock
jumps by years, for these processes alone, where Debian's libfaketime is installed.
"""

from __future__ import annotations

import importlib.util
import json as jsonlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.request import Request, urlopen

import av
import cv2
import numpy as np
import typer
import websocket

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import guarded
from edge_ttvos.firmware_bridge.protocol import bare_protocol

SERVE = Path(__file__).resolve().parent.parent / "examples" / "serve_clip.py"
PATIENCE = 90.0  # seconds until a run counts as not recovered
SETTLE = 0.2  # seconds in which pictures may come that are older than the fault
BOX = "--box=200,150,300,200"
FAKE_CLOCK = "libfaketime.so.1"


def load_server() -> Any:
    """The example's server, as a class."""
    spec = importlib.util.spec_from_file_location("serve_clip", SERVE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Camera:
    """A stream that can be spoilt."""

    def __init__(self, frames: list[bytes]) -> None:
        self._module, self._frames, self._port = load_server(), frames, 0
        self._epoch, self._half, self._hung = 0, False, False
        self.open()

    def open(self) -> None:
        """Listen, always on one port."""
        camera = self

        class Server(self._module.ClipServer):  # type: ignore[name-defined,misc]
            def parts(self) -> Iterator[bytes]:
                epoch = camera._epoch
                for part in super().parts():
                    if camera._epoch != epoch:
                        if camera._hung:
                            time.sleep(PATIENCE)
                        return
                    yield camera.spoilt(part)

        self._server = Server(self._frames, 30.0, self._port)
        self._port = self._server.server_port
        self.url = self._server.url
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Nobody listens any more, and whoever is connected is cut off."""
        self._epoch += 1
        self._server.shutdown()
        self._server.server_close()

    def cut(self) -> None:
        """Cut all connections."""
        self._hung = False
        self._epoch += 1

    def hang(self) -> None:
        """Connections stay, but nothing comes; new ones work."""
        self._hung = True
        self._epoch += 1

    def half(self) -> None:
        """The next picture is half a one."""
        self._half = True

    def resize(self) -> None:
        """Pictures of another size from now on."""
        first = cv2.imdecode(np.frombuffer(self._frames[0], np.uint8), cv2.IMREAD_COLOR)
        assert first is not None
        scale = 0.75 if first.shape[1] > 800 else 4 / 3
        for index, frame in enumerate(list(self._frames)):
            picture = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            resized = cv2.resize(picture, None, fx=scale, fy=scale)
            self._frames[index] = cv2.imencode(".jpg", resized)[1].tobytes()

    def spoilt(self, part: bytes) -> bytes:
        """A part, or half of one."""
        if not self._half:
            return part
        self._half = False
        head, end, data = part.partition(b"\r\n\r\n")
        half = data[: len(data) // 2]
        named = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(half), head)
        return named + end + half + b"\r\n"


class WallClock:
    """The wall clock of other processes; their monotonic one runs on.

    Args:
        file: that libfaketime reads the difference from.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._years = file, 0
        self._write("+0")
        found = sorted(Path("/usr/lib").glob(f"*/faketime/{FAKE_CLOCK}"))
        self.environment = {
            "LD_PRELOAD": str(found[0]) if found else "",
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.fake = bool(found)

    def jump(self) -> None:
        """Ten years on, or back again."""
        self._years = 10 - self._years
        self._write(f"+{self._years}y" if self._years else "+0")

    def _write(self, difference: str) -> None:
        whole = self._file.with_suffix(".new")
        whole.write_text(difference)
        whole.replace(self._file)


class Run:
    """``edge-ttvos live`` in a process of its own, its results coming in by UDP."""

    def __init__(
        self, camera: Camera, model: str, tapes: Path, clock: WallClock | None = None
    ) -> None:
        self._results = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._results.bind(("127.0.0.1", 0))
        port = self._results.getsockname()[1]
        command = ("-m", "edge_ttvos.cli", "live", "--source", camera.url, "--model", model, BOX)
        more = ("--web=0", f"--results=udp://127.0.0.1:{port}", "--recordings", str(tapes))
        self.process = subprocess.Popen(
            [sys.executable, *command, *more],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **({} if clock is None else clock.environment)},
        )
        assert self.process.stderr is not None
        found = None
        while found is None:
            if not (line := self.process.stderr.readline()):
                raise SystemExit("edge-ttvos live ended")
            found = re.search(r"page: (\S+)", line)  # engines talk too
        self.url = found[1]
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def mask_after(self, moment: int) -> bool:
        """Wait for a mask of a picture taken after a moment (CLOCK_MONOTONIC, ns)."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self._results.settimeout(max(0.01, end - time.monotonic()))
            try:
                line = jsonlib.loads(self._results.recv(65536))
            except TimeoutError:
                return False
            if line["captured_ns"] > moment and not line["late"]:
                return True
        return False

    @property
    def capture(self) -> int:
        """The capture process."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return max(int(pid) for task in tasks for pid in (task / "children").read_text().split())

    def point_and_vanish(self) -> None:
        """A browser freezes the picture, and is gone without a good-bye."""
        address = self.url.replace("http", "ws", 1) + "live"
        viewer = websocket.create_connection(address, timeout=PATIENCE)
        me = jsonlib.loads(viewer.recv())["you"]
        body = jsonlib.dumps({"who": me}).encode()
        urlopen(Request(f"{self.url}do/freeze", body)).read()
        viewer.sock.close()


def gone(camera: Camera, seconds: float) -> None:
    """The stream is gone for a while."""
    camera.close()
    time.sleep(seconds)
    camera.open()


def faults(
    camera: Camera, run: Run, clock: WallClock, seconds: float
) -> dict[str, Callable[[], None]]:
    """By name."""
    jumps: dict[str, Callable[[], None]] = {"wall clock jumps": clock.jump} if clock.fake else {}
    return {
        **jumps,
        "stream cut": camera.cut,
        "stream hangs": camera.hang,
        "half a picture": camera.half,
        "another size": camera.resize,
        "driver crashes": lambda: os.kill(run.capture, signal.SIGKILL),
        "driver hangs": lambda: os.kill(run.capture, signal.SIGSTOP),
        f"stream gone {seconds:g} s": lambda: gone(camera, seconds),
        "browser vanishes": run.point_and_vanish,
    }


def inject(run: Run, fault: Callable[[], None]) -> float | None:
    """Seconds until the next mask, None where none comes."""
    fault()
    begin = time.monotonic_ns()
    new = begin + round(SETTLE * 1e9)
    return (time.monotonic_ns() - begin) / 1e9 if run.mask_after(new) else None


def terminate(camera: Camera, model: str, tapes: Path) -> float | None:
    """Seconds from SIGTERM in the middle of a recording to the end; None: no readable video."""
    run = Run(camera, model, tapes)
    run.mask_after(0)
    urlopen(Request(f"{run.url}do/record", b'{"on": true}')).read()
    time.sleep(2)
    begin = time.monotonic()
    run.process.terminate()
    run.process.wait()
    seconds = time.monotonic() - begin
    newest = max(tapes.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    with av.open(str(newest / "video.mp4")) as container:
        return seconds if sum(1 for _ in container.decode(video=0)) else None


def live_faults(
    clip: Annotated[Path, typer.Option("--clip", help="A folder of JPEGs.")],
    model: str = "default",
    times: Annotated[int, typer.Option("--times", min=1)] = 20,
    seconds: Annotated[float, typer.Option("--gone", help="How long the stream is gone.")] = 60,
    only: Annotated[str, typer.Option("--faults", help="Of these alone, by comma.")] = "",
    json: Path | None = None,
) -> None:
    """Inject every fault so many times; show recoveries and the longest."""
    frames = load_server().read_clip(clip)
    show, results = Screen(json), {}
    with tempfile.TemporaryDirectory() as folder, show.progress("faults") as line:
        camera = Camera(frames)
        clock = WallClock(Path(folder) / "clock")
        run = Run(camera, model, Path(folder) / "tapes", clock)
        assert run.mask_after(0), "no mask at all"
        for name, fault in faults(camera, run, clock, seconds).items():
            if only and name not in only.split(","):
                continue
            taken = []
            for number in range(times):
                line.update(None, f"{name} {number + 1}")
                taken.append(inject(run, fault))
                time.sleep(0.5)
            results[name] = taken
        run.process.terminate()
        run.process.wait()
        if not only or "SIGTERM" in only.split(","):
            ends = []
            for number in range(times):
                line.update(None, f"SIGTERM {number + 1}")
                ends.append(terminate(camera, model, Path(folder) / "tapes"))
            results["SIGTERM while recording"] = ends
    rows = [summary(name, taken) for name, taken in results.items()]
    show.table(f"{times} times each", ("fault", "recovered", "median s", "longest s"), rows)
    record = {"schema": 1, "complete": True, "seconds": results}
    show.result({**record, "protocol": bare_protocol(model=model)})


def summary(name: str, taken: list[float | None]) -> tuple[str, str, str, str]:
    """A row."""
    good = [seconds for seconds in taken if seconds is not None]
    marks = (f"{np.median(good):.2f}", f"{max(good):.2f}") if good else ("—", "—")
    return (name, f"{len(good)}/{len(taken)}", *marks)


if __name__ == "__main__":
    typer.run(guarded(live_faults))
