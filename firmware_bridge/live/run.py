"""A live run from its options to its end: puts the parts together and takes them apart again."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from edge_ttvos.errors import CameraSetupError
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.live.capture import command
from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.notify import Watchdog
from edge_ttvos.firmware_bridge.live.outlet import Outlet
from edge_ttvos.firmware_bridge.live.patience import Patience
from edge_ttvos.firmware_bridge.live.preview import Preview
from edge_ttvos.firmware_bridge.live.results import Results, line
from edge_ttvos.firmware_bridge.live.session import Session
from edge_ttvos.firmware_bridge.live.slot import Slot
from edge_ttvos.firmware_bridge.live.status import Status
from edge_ttvos.firmware_bridge.live.supervisor import CameraState, Supervisor
from edge_ttvos.firmware_bridge.live.vitals import Vitals
from edge_ttvos.firmware_bridge.live.web import Web
from edge_ttvos.firmware_bridge.live.window import Window, check_windows
from edge_ttvos.firmware_bridge.prompts import Prompt
from edge_ttvos.firmware_bridge.protocol import protocol
from edge_ttvos.firmware_bridge.sources.camera import CameraOptions
from edge_ttvos.firmware_bridge.sources.stream import without_password
from edge_ttvos.firmware_bridge.tracker import DEFAULT_MAX_OBJECTS, Tracker

GRACE = 4.5  # seconds after which a run that was told to end is ended, whatever it hangs in
INTERRUPTED = 130  # exit code
LINES = 256  # results that may wait for whoever reads them
ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
TIMED = "from the camera's time stamp to the mask at the frame's size"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class LiveConfig:
    """What ``live`` was asked for.

    Attributes:
        source: as ``open_camera`` takes it.
        camera: what is asked of it.
        first: what to follow from the first picture on, by object id.
        model, engine, options, max_objects: as ``Tracker.open`` takes them.
        port: of the page; None: no page.
        bind: address of the page.
        window: show an OpenCV window.
        results: where JSON lines go; None: nowhere.
        recordings: folder for recordings.
        record: begin one at once.
        keep_all: wait for the tracker instead of dropping pictures: for files.
    """

    source: str
    camera: CameraOptions = field(default_factory=CameraOptions)
    first: Mapping[int, Prompt] = field(default_factory=dict)
    model: str = "default"
    engine: str | None = None
    options: EngineOptions = field(default_factory=EngineOptions)
    max_objects: int = DEFAULT_MAX_OBJECTS
    port: int | None = None
    bind: str = "127.0.0.1"
    window: bool = False
    results: str | None = None
    recordings: Path = Path("recordings")
    record: bool = False
    keep_all: bool = False


def run_live(config: LiveConfig, tell: Tell) -> dict[str, Any]:
    """Follow until the recording ends, a signal comes, or ``q`` is pressed in the window.

    Args:
        config: what to do.
        tell: gets lines for people about what goes wrong on the way.

    Returns:
        The run's record: frames, latency, camera, and ``signal`` if one ended it.

    Raises:
        CameraSetupError: the camera needs something that trying again does not bring.
        EdgeTtvosError: the model, the page or the results cannot be had.
    """
    tell = heard_or_not(tell)
    with ExitStack() as stack:
        tracker = Tracker.open(config.model, config.engine, config.max_objects, config.options)
        stack.callback(tracker.close)
        slot = Slot(config.keep_all)
        live = Live(Session(tracker, tell), slot, config.recordings, first=config.first)
        watchdog = Watchdog()
        live.every_turn.append(watchdog.feed)
        capture = partial(command, config.source, config.camera)
        supervisor = Supervisor(capture, slot, Patience.of(config.camera.fps), tell)
        _outlets(config, live, supervisor, stack, tell)
        stack.callback(watchdog.stopping)
        stack.callback(supervisor.close)
        supervisor.start()
        if config.record:
            live.record(True)
        with ending(live.stop) as ended_by:
            watchdog.ready()
            live.run(partial(_is_over, supervisor, config.port is not None))
        record = _record(config, live, supervisor, tracker)
        if supervisor.status.state is CameraState.FAILED:
            raise CameraSetupError(supervisor.status.why)
    return {**record, "signal": ended_by[0] if ended_by else None}


def heard_or_not(tell: Tell) -> Tell:
    """``tell`` that does not mind a stderr that is gone: threads that must go on call it."""

    def said(line: str) -> None:
        with suppress(OSError, ValueError):
            tell(line)

    return said


def _outlets(
    config: LiveConfig, live: Live, supervisor: Supervisor, stack: ExitStack, tell: Tell
) -> None:
    """Open all that outcomes go to."""
    if config.results is not None:
        results = Results(config.results)
        failed = partial(_tell_of_results, tell)
        lines = Outlet("results", results.write, LINES, config.keep_all, failed=failed)
        stack.callback(results.close)
        stack.callback(_end_results, lines, tell)
        live.outlets.append(lambda outcome: lines.put(line(outcome)))
    if config.window:
        import cv2

        check_windows(cv2.getBuildInformation())
        window = Window(live, cv2)
        stack.callback(window.close)
        live.screens.append(window.show)
        live.every_turn.append(window.turn)
    if config.port is not None:
        _page(config, live, supervisor, stack)


def _tell_of_results(tell: Tell, error: Exception) -> None:
    tell(f"results end here, the rest goes on: {error}")


def _end_results(lines: Outlet[bytes], tell: Tell) -> None:
    """Say what is missing of them."""
    lines.close(1.0)
    if lines.error is None and lines.skipped:
        tell(f"results lack {lines.skipped} lines: whoever read them was too slow")


def _page(config: LiveConfig, live: Live, supervisor: Supervisor, stack: ExitStack) -> None:
    vitals = Vitals()
    stack.callback(vitals.close)
    source = without_password(config.source)
    status = Status(live, lambda: supervisor.status, vitals.now, source)
    preview = Preview(status)
    stack.callback(preview.close)
    live.screens.append(preview.show)
    web = Web(live, preview, config.bind, config.port or 0)
    stack.callback(web.close)
    web.start()
    web.announce()


@contextmanager
def ending(stop: Callable[[], None]) -> Iterator[list[str]]:
    """Call ``stop`` on a signal, and end the process if that has not ended the block in time.

    Yields the names of the signals that came. A signal that the caller ignores stays ignored.
    """
    came: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def handle(number: int, frame: FrameType | None) -> None:
        came.append(signal.Signals(number).name)
        stop()
        timer = threading.Timer(GRACE, os._exit, (INTERRUPTED,))
        timer.daemon = True
        timer.start()

    numbers = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    before = {n: signal.getsignal(n) for n in numbers}
    for number in numbers:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, handle)
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_over(supervisor: Supervisor, page: bool) -> bool:
    """Whether no picture will come; a page stays open, for downloads."""
    state = supervisor.status.state
    return state is CameraState.FAILED or (state is CameraState.ENDED and not page)


def _record(
    config: LiveConfig, live: Live, supervisor: Supervisor, tracker: Tracker
) -> dict[str, Any]:
    size = None
    if live.session.last is not None:
        height, width = live.session.last.picture.shot.image.shape[:2]
        size = (height, width)
    return {
        "schema": 1,
        "complete": True,
        "source": without_password(config.source),
        **live.meter.whole(live.slot.counts),
        "restarts": supervisor.status.restarts,
        "protocol": {**protocol(tracker, size), "timed": TIMED},
    }
