"""The page in a real browser, Debian's Chromium, against a camera on the network.

The camera is the demo's first frame over and over, so that it is known where the cup is.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import cv2
import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from edge_ttvos.evaluation.masks import read_mask
from edge_ttvos.firmware_bridge.evaluate import bounding_box

PATIENCE = 90  # seconds; only a test that fails takes so long
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FPS = 20

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        BROWSER is None or DRIVER is None,
        reason="no Chromium with its driver (apt install chromium chromium-driver)",
    ),
]


@pytest.fixture(scope="module")
def cup(root: Path) -> tuple[bytes, Any]:
    """The demo's first frame as a JPEG, and the cup's mask (H, W) in it."""
    demo = root / "examples" / "demo"
    jpeg = (demo / "JPEGImages" / "demo" / "00000.jpg").read_bytes()
    return jpeg, read_mask(demo / "Annotations" / "demo" / "00000.png") > 0


@pytest.fixture(scope="module")
def camera(clip_server: ModuleType, cup: tuple[bytes, Any]) -> Iterator[Any]:
    """It shows the cup; a test may replace ``frames``."""
    server = clip_server.ClipServer([cup[0]], FPS)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def address(
    launch: Callable[..., subprocess.Popen[str]],
    camera: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The URL of ``edge-ttvos live`` on that camera, with the shipped weights."""
    tapes = tmp_path_factory.mktemp("tapes")
    process = launch(
        *("live", "--source", camera.url, "--web", 0, "--recordings", tapes),
        *("--size", "128x224", "--threads", 1),
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r"http://\S+", line)
    assert found is not None, line
    yield found[0]
    process.terminate()
    process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the browser puts them."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(downloads: Path) -> Iterator[webdriver.Chrome]:
    """Chromium without a screen."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "window-size=1280,800"):
        options.add_argument(f"--{flag}")
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    yield driver
    driver.quit()


class Page:
    """The page as a person uses it."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser

    def part(self, name: str) -> WebElement:
        """An element by its id."""
        return self.browser.find_element(By.ID, name)

    def wait(self, what: Callable[[], object]) -> None:
        """Until it holds."""
        WebDriverWait(self.browser, PATIENCE, 0.1, (Exception,)).until(lambda _: what())

    def click(self, name: str) -> None:
        """As soon as it can be clicked."""
        self.wait(lambda: self.part(name).is_displayed() and self.part(name).is_enabled())
        self.part(name).click()

    def drag(self, *points: tuple[float, float]) -> None:
        """A stroke over the frozen picture, in its pixels."""
        sketch = self.part("sketch")
        width, height = (int(sketch.get_attribute(side) or 0) for side in ("width", "height"))
        scale = min(sketch.size["width"] / width, sketch.size["height"] / height)

        def offset(point: tuple[float, float]) -> tuple[int, int]:
            return round((point[0] - width / 2) * scale), round((point[1] - height / 2) * scale)

        actions = ActionChains(self.browser, duration=50)
        actions.move_to_element_with_offset(sketch, *offset(points[0])).click_and_hold()
        for point in points[1:]:
            actions.move_to_element_with_offset(sketch, *offset(point))
        actions.release().perform()

    def draw_box(self, left: float, top: float, width: float, height: float) -> None:
        """From corner to corner."""
        self.drag((left, top), (left + width / 2, top + height / 2), (left + width, top + height))

    def picture(self) -> Any:
        """What is shown, (H, W, 3) RGB."""
        data = self.browser.execute_script(
            "const c = document.getElementById('view');return c.toDataURL('image/png').slice(22)"
        )
        shown = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert shown is not None
        return shown[..., ::-1].astype(int)

    @property
    def rows(self) -> list[WebElement]:
        """The objects' rows."""
        return self.browser.find_elements(By.CSS_SELECTOR, "#list li")

    def state(self, row: int = 0) -> str:
        """What a row says of its object."""
        return self.rows[row].find_element(By.CLASS_NAME, "state").text

    def point(self, box: Any, name: str) -> None:
        """Follow what is in a box."""
        self.click("point")
        self.wait(lambda: self.part("sketch").is_displayed())
        self.draw_box(box.x, box.y, box.width, box.height)
        self.part("name").send_keys(name)
        self.click("follow")
        self.wait(lambda: self.rows)


@pytest.fixture
def page(browser: webdriver.Chrome, address: str) -> Iterator[Page]:
    """Loaded, with a picture, without objects; at the end the console holds no complaint."""
    browser.get(address)
    page = Page(browser)
    page.wait(lambda: page.part("point").is_enabled())
    yield page
    if page.part("pointing").is_displayed():
        page.click("cancel")
    for row in page.rows:
        row.find_element(By.CLASS_NAME, "drop").click()
    page.wait(lambda: not page.rows)
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_box_becomes_a_mask_that_sticks(page: Page, cup: tuple[bytes, Any]) -> None:
    inside = cup[1]
    before = page.picture()
    assert before.shape[:2] == inside.shape

    page.point(bounding_box(inside), "cup")
    page.wait(lambda: page.state().endswith("%"))

    changed = np.abs(page.picture() - before).max(axis=-1) > 12
    assert changed[inside].mean() > 0.7, "the cup is tinted"
    far = cv2.dilate(inside.astype(np.uint8), np.ones((61, 61), np.uint8)) == 0
    far[:60] = False  # labels may be there
    assert changed[far].mean() < 0.1, "what is far from it is not"
    name = page.rows[0].find_element(By.CLASS_NAME, "called").get_attribute("value")
    assert name == "cup"


def test_a_painted_mask(page: Page, cup: tuple[bytes, Any]) -> None:
    box = bounding_box(cup[1])
    page.click("point")
    page.wait(lambda: page.part("sketch").is_displayed())
    page.browser.find_element(By.CSS_SELECTOR, "[value=paint] + span").click()
    middle = box.y + box.height / 2
    page.drag((box.x + 20, middle), (box.x + box.width - 20, middle))
    page.click("follow")

    page.wait(lambda: page.rows and page.state().endswith("%"))


def test_a_recording_is_downloaded(page: Page, cup: tuple[bytes, Any], downloads: Path) -> None:
    page.point(bounding_box(cup[1]), "cup")
    page.click("record")
    page.wait(lambda: int(page.part("tape").text.split()[1]) >= 5)
    page.click("record")
    page.wait(lambda: page.part("record").text == "Record")
    page.click("video")
    page.click("masks")
    page.wait(lambda: len([*downloads.glob("*.mp4"), *downloads.glob("*.zip")]) == 2)

    (video,), (masks,) = downloads.glob("*.mp4"), downloads.glob("*.zip")
    with av.open(str(video)) as container:
        shown = len(list(container.decode(video=0)))
    with zipfile.ZipFile(masks) as archive:
        names = archive.namelist()
        (downloads / "mask.png").write_bytes(archive.read(names[-1]))
    assert shown == len(names) >= 5
    mask = read_mask(downloads / "mask.png") > 0
    assert (mask & cup[1]).sum() / (mask | cup[1]).sum() > 0.5


def test_lost_is_shown(page: Page, cup: tuple[bytes, Any], camera: Any) -> None:
    page.point(bounding_box(cup[1]), "cup")
    page.wait(lambda: page.state().endswith("%"))
    grey = np.full((*cup[1].shape, 3), 128, np.uint8)
    camera.frames[:] = [cv2.imencode(".jpg", grey)[1].tobytes()]
    try:
        page.wait(lambda: page.state().startswith("LOST"))
        assert page.part("banner").text == "LOST: cup"
        assert "lost" in (page.rows[0].get_attribute("class") or "")
    finally:
        camera.frames[:] = [cup[0]]


def test_a_camera_that_goes_away_and_comes_back(
    page: Page, cup: tuple[bytes, Any], camera: Any
) -> None:
    page.point(bounding_box(cup[1]), "cup")
    camera.frames[:] = []  # whoever connects is cut off
    try:
        page.wait(lambda: page.part("banner").text.startswith("Camera: http://127.0.0.1"))
    finally:
        camera.frames[:] = [cup[0]]

    page.wait(lambda: page.part("camera").text == "live")
    page.wait(lambda: page.state().endswith("%"))


def test_pause_and_go_on(page: Page) -> None:
    page.click("pause")
    page.wait(lambda: page.part("banner").text == "Paused")
    followed = page.part("processed").text
    time.sleep(0.5)
    assert page.part("processed").text == followed

    page.click("pause")

    page.wait(lambda: page.part("processed").text != followed)


def test_a_box_of_no_size_cannot_be_followed(page: Page) -> None:
    page.click("point")
    page.wait(lambda: page.part("sketch").is_displayed())

    page.drag((50, 50), (50, 50))

    assert not page.part("follow").is_enabled()


def test_a_browser_that_goes_away_while_pointing(page: Page, address: str) -> None:
    page.click("point")
    page.wait(lambda: page.part("sketch").is_displayed())

    page.browser.get("about:blank")
    page.browser.get(address)

    page.wait(lambda: page.part("point").is_enabled())
    page.wait(lambda: page.part("banner").text != "Somebody is pointing at an object.")


def test_the_phones_page_has_nothing_to_scroll_sideways(page: Page) -> None:
    page.browser.set_window_size(390, 844)
    try:
        inner, wide = page.browser.execute_script(
            "return [window.innerWidth, document.documentElement.scrollWidth]"
        )
        assert wide <= inner
    finally:
        page.browser.set_window_size(1280, 800)
