"""The page's server, as browsers and attackers talk to it. A real browser: test_browser."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
import websocket
from PIL import Image

from edge_ttvos.errors import InputError
from edge_ttvos.firmware_bridge.live import preview, server
from edge_ttvos.firmware_bridge.live.film import encode
from edge_ttvos.firmware_bridge.live.guard import is_loopback
from edge_ttvos.firmware_bridge.live.loop import Live
from edge_ttvos.firmware_bridge.live.preview import Preview
from edge_ttvos.firmware_bridge.live.recorder import VIDEO
from edge_ttvos.firmware_bridge.live.status import Status
from edge_ttvos.firmware_bridge.live.supervisor import CameraStatus
from edge_ttvos.firmware_bridge.live.web import Web
from edge_ttvos.firmware_bridge.sources.camera import Shot

DEADLINE = 60.0  # seconds; only a test that fails takes so long
NO_CONDITION = {"clock_mhz": None, "temperature_c": None, "throttle": None}


class Page:
    """A running page, and what a client does with it."""

    def __init__(self, live: Live, bind: str) -> None:
        status = Status(live, CameraStatus, lambda: dict(NO_CONDITION), "simulated")
        self.live, self.preview = live, Preview(status)
        live.screens.append(self.preview.show)
        self.web = Web(live, self.preview, bind, 0)
        self.web.start()
        self.port = urlsplit(self.web.url).port
        self._loop = threading.Thread(target=live.run, daemon=True)
        self._loop.start()
        self._number = 0
        self._viewers: list[websocket.WebSocket] = []

    def close(self) -> None:
        """End everything."""
        for viewer in self._viewers:
            viewer.close(timeout=0)
        self.live.stop()
        self._loop.join(10)
        self.preview.close()
        self.web.close()

    def picture(self) -> None:
        """One more picture, followed."""
        self._number += 1
        done = self.live.slot.counts.processed
        grey = np.full((48, 80, 3), 40 + self._number, np.uint8)
        self.live.slot.put(Shot(time.monotonic_ns(), grey))
        end = time.monotonic() + DEADLINE
        while self.live.slot.counts.processed == done:
            assert time.monotonic() < end
            time.sleep(0.002)

    def ask(
        self,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        method: str | None = None,
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        data = None if body is None else json.dumps(body)
        method = method or ("GET" if body is None else "POST")
        connection.request(method, path, data, headers or {})
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        return answer.status, answer.headers, said

    def do(self, command: str, **body: object) -> tuple[int, Any]:
        """Status and JSON of a command's answer."""
        status, _, said = self.ask(f"/do/{command}", body)
        return status, json.loads(said)

    def watch(self, **options: Any) -> websocket.WebSocket:
        """A viewer."""
        url = f"ws://127.0.0.1:{self.port}/live"
        self._viewers.append(websocket.create_connection(url, timeout=DEADLINE, **options))
        return self._viewers[-1]


@pytest.fixture
def page(live: Live) -> Iterator[Page]:
    """On this machine alone."""
    page = Page(live, "127.0.0.1")
    yield page
    page.close()


@pytest.fixture
def open_page(live: Live) -> Iterator[Page]:
    """Open to a network: it asks for a token."""
    page = Page(live, "0.0.0.0")
    yield page
    page.close()


def message(viewer: websocket.WebSocket) -> tuple[dict[str, Any], bytes]:
    """The next status and JPEG."""
    data = viewer.recv()
    assert isinstance(data, bytes)
    (length,) = struct.unpack("<I", data[:4])
    viewer.send("next")
    return json.loads(data[4 : 4 + length]), data[4 + length :]


def greeting(viewer: websocket.WebSocket) -> str:
    return str(json.loads(viewer.recv())["you"])


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/app.js", "text/javascript"), ("/style.css", "text/css")],
)
def test_the_page_is_there_and_loads_nothing_from_elsewhere(
    page: Page, path: str, kind: str
) -> None:
    status, headers, body = page.ask(path)

    assert status == 200
    assert headers["Content-Type"].startswith(kind)
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert b"http://" not in body.replace(b"http://www.w3.org/", b"")
    assert b"https://" not in body


def test_a_viewer_gets_pictures_with_their_state(page: Page) -> None:
    page.picture()
    viewer = page.watch()
    greeting(viewer)

    state, jpeg = message(viewer)

    assert state["picture"] == {"frame": 0, "size": [48, 80], "late": False, "objects": []}
    assert state["frames"] == {"received": 1, "processed": 1, "dropped": 0, "in_flight": 0}
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (48, 80, 3)
    assert abs(int(shown[20, 20, 0]) - 41) <= 2


def test_box_name_and_drop(page: Page) -> None:
    page.picture()
    viewer = page.watch()
    me = greeting(viewer)

    assert page.do("freeze", who=me) == (200, {"frame": 0, "size": [48, 80]})
    status, headers, still = page.ask("/still.jpg")
    assert (status, headers["Content-Type"]) == (200, "image/jpeg")
    assert cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_COLOR).shape == (48, 80, 3)
    assert page.do("point", who=me, box=[16, 8, 24, 16], name="cup") == (200, {"objects": [1]})
    assert page.do("name", object=1, name="mug", colour="#0a141e") == (200, {})
    page.picture()
    while True:
        state, _ = message(viewer)
        if state["picture"]["frame"] == 1:
            break
    (thing,) = state["picture"]["objects"]
    assert (thing["name"], thing["colour"], thing["state"]) == ("mug", "#0a141e", "tracking")
    assert page.do("drop", object=1) == (200, {})
    assert page.live.session.labels == {}


def test_a_painted_mask(page: Page) -> None:
    page.picture()
    painted = np.zeros((48, 80, 4), np.uint8)
    painted[8:24, 16:40] = (79, 156, 247, 255)
    data = io.BytesIO()
    Image.fromarray(painted).save(data, "PNG")
    url = "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()

    page.do("freeze", who="me")
    status, _ = page.do("point", who="me", mask=url, name="cup")

    assert status == 200
    assert page.live.session.last is not None
    assert page.live.session.last.objects[0].box == (16, 8, 24, 16)


def test_a_recording_is_downloaded(page: Page) -> None:
    assert page.ask("/video.mp4")[0] == 400
    page.do("record", on=True)
    for _ in range(3):
        page.picture()
    page.do("record", on=False)

    status, headers, video = page.ask("/video.mp4")
    assert (status, headers["Content-Type"]) == (200, "video/mp4")
    assert video[4:8] == b"ftyp"
    status, headers, masks = page.ask("/masks.zip")
    assert (status, masks[:2]) == (200, b"PK")
    assert "attachment" in headers["Content-Disposition"]


def huge_png() -> str:
    """A few bytes that say they are 20000×20000 pixels."""
    small = io.BytesIO()
    Image.new("L", (1, 1)).save(small, "PNG")
    data = bytearray(small.getvalue())
    data[16:24] = struct.pack(">II", 20_000, 20_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return "data:image/png;base64," + base64.b64encode(data).decode()


def test_a_recording_that_grows_is_downloaded_as_far_as_it_is(page: Page) -> None:
    page.do("record", on=True)
    page.picture()
    recording = page.live.recording
    assert recording is not None
    video = recording.folder / VIDEO
    end = time.monotonic() + DEADLINE
    while not video.exists():
        assert time.monotonic() < end
        time.sleep(0.002)
    size = (32 << 20) + 1000  # more than the system keeps for a reader that does not read
    os.truncate(video, size)
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=DEADLINE)
    connection.request("GET", "/video.mp4")
    answer = connection.getresponse()

    os.truncate(video, size + (1 << 20))
    said = answer.read()

    assert int(answer.headers["Content-Length"]) == len(said) == size
    connection.request("GET", "/style.css")
    assert connection.getresponse().status == 200, "the connection is whole"
    connection.close()


@pytest.mark.parametrize(
    ("command", "body", "said"),
    [
        ("point", {"who": "me", "box": [1, 2, 3]}, "point with a box"),
        ("point", {"who": "me", "box": [900, 900, 5, 5]}, "outside the frame"),
        ("point", {"who": "me", "mask": "data:image/png;base64,eHl6"}, "cannot be read as a PNG"),
        ("point", {"who": "me", "mask": huge_png()}, "cannot be read as a PNG"),
        ("point", {"who": "me", "box": [1e308, 0, 1e308, 1]}, "is not a rectangle"),
        ("point", {"who": "me", "box": "all"}, "box must be"),
        ("freeze", {"who": ""}, "no connection"),
        ("point", {"who": "you", "box": [1, 1, 9, 9]}, "freeze a new one"),
        ("freeze", {"who": "you"}, "somebody else"),
        ("freeze", {}, "missing key who"),
        ("drop", {"object": 5}, "object 5 is not followed"),
        ("name", {"object": 1, "name": "x", "colour": "red"}, "#rrggbb"),
        ("pause", {"on": "yes"}, "on must be true or false"),
        ("reboot", {}, "expected one of"),
        ("pause", {"on": True, "more": 1}, "unknown key more"),
    ],
)
def test_what_is_no_command(page: Page, command: str, body: dict[str, Any], said: str) -> None:
    page.picture()
    page.do("freeze", who="me")

    status, answer = page.do(command, **body)

    assert status == 400
    assert said in answer["error"]
    page.do("thaw", who="me")
    page.picture()


def test_a_tracker_that_is_stuck_is_said_so(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.05)
    go_on = threading.Event()
    page.live.ask(lambda live: go_on.wait(DEADLINE))

    status, answer = page.do("pause", on=True)
    go_on.set()

    assert (status, answer["error"]) == (503, "the tracker does not answer: is it stuck?")
    page.picture()
    assert not page.live.paused, "what was given up is not done later"


def test_a_defect_is_an_answer(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(paused: bool) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(page.live, "pause", broken)
    status, answer = page.do("pause", on=True)

    assert status == 500
    assert "unexpected ZeroDivisionError: by zero" in answer["error"]
    page.picture()


def test_a_command_that_is_no_json_or_too_large(page: Page) -> None:
    assert page.ask("/do/pause", ["on"])[0] == 400
    assert page.ask("/do/pause", headers={"Content-Length": str(9 << 20)}, method="POST")[0] == 400


def test_a_browser_that_is_closed_in_the_middle_lets_the_others_go_on(page: Page) -> None:
    page.picture()
    viewer = page.watch()
    page.do("freeze", who=greeting(viewer))

    viewer.sock.close()  # no good-bye: the phone is out of reach

    end = time.monotonic() + DEADLINE
    while page.live.pointing is not None:
        page.live.slot.put(Shot(time.monotonic_ns(), np.zeros((48, 80, 3), np.uint8)))
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_viewer_that_does_not_answer_costs_nobody_anything(page: Page) -> None:
    slow, quick = page.watch(), page.watch()
    greeting(slow)
    greeting(quick)
    for _ in range(20):
        page.picture()

    numbers = set()
    while 19 not in numbers:
        state, _ = message(quick)
        if state["picture"] is not None:
            numbers.add(state["picture"]["frame"])
    assert page.live.slot.counts.processed == 20


def test_a_picture_is_encoded_once_for_all_viewers(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []

    def count(picture: Any, quality: int) -> Any:
        encoded.append(picture[0, 0, 0])
        return encode(picture, quality)

    monkeypatch.setattr(preview, "encode", count)
    viewers = [page.watch() for _ in range(5)]
    for viewer in viewers:
        greeting(viewer)
    page.picture()

    for viewer in viewers:
        while message(viewer)[0]["picture"] is None:
            pass

    assert encoded == [41]


def test_nothing_is_drawn_without_viewers(page: Page) -> None:
    page.picture()

    assert page.preview.viewers == 0
    assert page.preview.latest() == b""


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:8080"}, 421),
        ({"Host": ""}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "192.168.1.7:8080", "Origin": "http://192.168.1.7:9999"}, 403),
        ({"Host": "localhost:8080", "Origin": "http://localhost:8080"}, 200),
        ({"Host": "192.168.1.7:8080"}, 200),
        ({"Host": "[::1]:8080"}, 200),
    ],
)
def test_other_sites_are_refused(page: Page, headers: dict[str, str], status: int) -> None:
    assert page.ask("/", headers=headers)[0] == status
    command = page.ask("/do/pause", {"on": True}, headers)
    assert command[0] == status
    assert page.live.paused is (status == 200)


@pytest.mark.parametrize("options", [{"origin": "http://evil.example"}, {"host": "evil.example"}])
def test_other_sites_cannot_watch(page: Page, options: dict[str, str]) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        page.watch(**options)


def test_a_network_needs_the_token(open_page: Page) -> None:
    token = open_page.web.token
    assert token is not None
    assert len(token) >= 22
    assert open_page.web.url.endswith(f"/?token={token}")
    for path in ("/", "/app.js", "/still.jpg", "/?token=wrong", "/?token="):
        assert open_page.ask(path)[0] == 401
    assert open_page.ask("/", headers={"Cookie": "edge-ttvos-token=wrong"})[0] == 401
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        open_page.watch()

    status, headers, _ = open_page.ask(f"/?token={token}")

    assert (status, headers["Location"]) == (303, "/")
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    shown = cookie.partition(";")[0]
    assert open_page.ask("/", headers={"Cookie": shown})[0] == 200
    viewer = open_page.watch(cookie=shown)
    assert greeting(viewer)


def test_pages_on_two_ports_of_a_host_do_not_lock_each_other_out(open_page: Page) -> None:
    path = f"/?token={open_page.web.token}"
    ours, theirs = (
        open_page.ask(path, headers={"Host": host})[1]["Set-Cookie"].partition(";")[0]
        for host in ("localhost:8080", "localhost:8081")
    )
    other = theirs.partition("=")[0] + "=the-other-cameras"

    assert ours != theirs
    headers = {"Host": "localhost:8080", "Cookie": f"{ours}; {other}"}
    assert open_page.ask("/", headers=headers)[0] == 200


@pytest.mark.parametrize("host", ["localhost", "[::1]", "[::1]:8080"])
def test_the_cookie_is_found_again(open_page: Page, host: str) -> None:
    headers = {"Host": host}
    answer = open_page.ask(f"/?token={open_page.web.token}", headers=headers)[1]
    shown = answer["Set-Cookie"].partition(";")[0]

    assert open_page.ask("/", headers={**headers, "Cookie": shown})[0] == 200


def test_the_url_and_a_qr_code_are_printed(open_page: Page) -> None:
    shown = io.StringIO()

    open_page.web.announce(shown)

    assert open_page.web.url in shown.getvalue()
    assert shown.getvalue().count("\n") > 10


def test_this_machine_alone_needs_no_qr_code(page: Page) -> None:
    shown = io.StringIO()

    page.web.announce(shown)

    assert shown.getvalue() == f"page: http://127.0.0.1:{page.port}/\n"


def test_a_port_that_is_taken(page: Page, live: Live) -> None:
    assert page.port is not None
    with pytest.raises(InputError, match="another --web PORT"):
        Web(live, page.preview, "127.0.0.1", page.port)


@pytest.mark.parametrize(
    ("address", "yes"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("pi", False)],
)
def test_loopback(address: str, yes: bool) -> None:
    assert is_loopback(address) is yes
