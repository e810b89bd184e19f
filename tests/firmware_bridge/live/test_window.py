"""The window, by a simulator of the OpenCV functions that it calls. Not seen on a screen."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.window import EVERY, Window, check_windows


class Gui(SimpleNamespace):
    """Keys come from a list, the mouse from the test; what is shown is kept."""

    def __init__(self) -> None:
        names = ("WINDOW_NORMAL", "COLOR_RGB2BGR", "cvtColor", "rectangle")
        events = ("EVENT_LBUTTONDOWN", "EVENT_LBUTTONUP", "EVENT_MOUSEMOVE")
        super().__init__(**{name: getattr(cv2, name) for name in (*names, *events)})
        self.keys: list[str] = []
        self.shown: list[NDArray[np.uint8]] = []
        self.title = ""
        self.namedWindow = lambda title, flags: None
        self.setMouseCallback = lambda title, call: setattr(self, "mouse", call)
        self.setWindowTitle = lambda title, text: setattr(self, "title", text)
        self.imshow = lambda title, picture: self.shown.append(picture)
        self.waitKey = lambda wait: ord(self.keys.pop(0)) if self.keys else -1


@pytest.fixture
def gui() -> Gui:
    """Without a key pressed."""
    return Gui()


@pytest.fixture
def press(
    live: Live, gui: Gui, push: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Press a key with the window open and a picture on it."""
    window = Window(live, gui)  # type: ignore[arg-type]
    live.screens.append(window.show)
    live.every_turn.append(window.turn)
    push()
    live.turn()

    def press(key: str) -> None:
        gui.keys.append(key)
        window._due = -EVERY
        live.turn()

    return press


def test_drag_a_box(live: Live, gui: Gui, press: Callable[[str], None]) -> None:
    gui.mouse(gui.EVENT_LBUTTONDOWN, 1, 1, 0, None)
    press("b")
    gui.mouse(gui.EVENT_LBUTTONDOWN, 40, 24, 0, None)
    gui.mouse(gui.EVENT_MOUSEMOVE, 20, 10, 0, None)
    gui.mouse(gui.EVENT_LBUTTONUP, 16, 8, 0, None)

    assert live.session.last is not None
    assert live.session.last.objects[0].box == (16, 8, 24, 16)
    assert not (gui.shown[-1] == gui.shown[0]).all()
    press("1")
    assert live.session.labels == {}


def test_other_keys(live: Live, gui: Gui, press: Callable[[str], None]) -> None:
    press("b")
    press("\x1b")
    assert live.pointing is None
    press(" ")
    assert live.paused
    press("r")
    assert live.recording is not None
    press("r")
    assert not live.recording.status.running
    press("7")
    assert "object 7 is not followed" in gui.title
    press("q")
    live.run()


def test_a_box_of_no_area_is_said_so(live: Live, gui: Gui, press: Callable[[str], None]) -> None:
    press("b")
    gui.mouse(gui.EVENT_LBUTTONDOWN, 5, 5, 0, None)
    gui.mouse(gui.EVENT_LBUTTONUP, 5, 5, 0, None)

    assert "no area" in gui.title


def test_which_opencv_has_windows() -> None:
    check_windows("  GUI:                           QT5\n    QT: YES\n")
    for build in ("  GUI:                           NONE\n", ""):
        with pytest.raises(EngineError, match="pip install opencv-python"):
            check_windows(build)
