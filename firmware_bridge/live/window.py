"""``--window``: the same in an OpenCV window, for a board with a screen.

Keys: b, then drag: follow what is in the box; 1…9: drop that object; space: pause; r: record;
Esc: stop pointing; q: end.
"""

from __future__ import annotations

import re
import time
from types import ModuleType

from edge_ttvos.errors import EdgeTtvosError, EngineError
from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.outcome import Image, Outcome
from edge_ttvos.firmware_bridge.prompts import Box

TITLE = "edge-ttvos"
WHO = "window"
ESCAPE = 27
EVERY = 0.03  # seconds between looks at the keyboard where no picture comes
BLUE = (247, 156, 79)  # B, G, R
NO_WINDOWS = (
    "--window needs an OpenCV that can open windows; this one (opencv-python-headless) cannot. "
    "Type: pip uninstall -y opencv-python-headless && pip install opencv-python; or leave --window "
    "out and open the page in a browser"
)


def check_windows(build: str) -> None:
    """Raise an EngineError unless OpenCV's build information names a window system."""
    found = re.search(r"^\s*GUI:\s*(\S+)", build, re.MULTILINE)
    if found is None or found[1] == "NONE":
        raise EngineError(NO_WINDOWS)


class Window:
    """Shows outcomes and turns keys and the mouse into what the page's buttons do.

    Args:
        live: in whose thread everything here runs.
        gui: OpenCV, or what acts like its window functions.
    """

    def __init__(self, live: Live, gui: ModuleType) -> None:
        self._live, self._gui = live, gui
        self._from: tuple[int, int] | None = None
        self._shown: Image | None = None
        self._due = 0.0
        gui.namedWindow(TITLE, gui.WINDOW_NORMAL)
        gui.setMouseCallback(TITLE, self._mouse)

    def show(self, outcome: Outcome) -> None:
        """The newest picture."""
        self._shown = self._gui.cvtColor(outcome.drawn, self._gui.COLOR_RGB2BGR)
        self._gui.imshow(TITLE, self._shown)

    def turn(self) -> None:
        """Look at keyboard and mouse."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + EVERY
        key = self._gui.waitKey(1) & 0xFF
        try:
            self._press(key)
        except EdgeTtvosError as error:
            self._gui.setWindowTitle(TITLE, f"{TITLE}: {error}")

    def close(self) -> None:
        """Close the window."""
        self._gui.destroyAllWindows()

    def _press(self, key: int) -> None:
        live = self._live
        if key == ord("q"):
            live.stop()
        elif key == ord("b"):
            live.freeze(WHO)
        elif key == ESCAPE:
            live.thaw(WHO)
        elif key == ord(" "):
            live.pause(not live.paused)
        elif key == ord("r"):
            live.record(live.recording is None or not live.recording.status.running)
        elif ord("1") <= key <= ord("9"):
            live.drop(key - ord("0"))

    def _mouse(self, event: int, x: int, y: int, flags: int, data: object) -> None:
        if self._live.pointing != WHO or self._shown is None:
            return
        if event == self._gui.EVENT_LBUTTONDOWN:
            self._from = (x, y)
        elif self._from is not None and event == self._gui.EVENT_MOUSEMOVE:
            drawn = self._shown.copy()
            self._gui.rectangle(drawn, self._from, (x, y), BLUE, 2)
            self._gui.imshow(TITLE, drawn)
        elif self._from is not None and event == self._gui.EVENT_LBUTTONUP:
            left, top = min(x, self._from[0]), min(y, self._from[1])
            box = Box(left, top, abs(x - self._from[0]), abs(y - self._from[1]))
            self._from = None
            self._point(box)

    def _point(self, box: Box) -> None:
        try:
            self._live.point(WHO, box, None, "")
        except EdgeTtvosError as error:
            self._gui.setWindowTitle(TITLE, f"{TITLE}: {error}")
