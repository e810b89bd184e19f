"""Photographs the live page for the documentation, on a desktop and on a phone, in Chromium.

    python tools/live_screenshots.py docs/images

The demo's clip plays like a network camera; the cup is pointed at as a person would.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parent.parent
CLIP = ROOT / "examples" / "demo" / "JPEGImages" / "demo"
PATIENCE = 60  # seconds
FRAMES = (0, 1, 2, 3, 4, 5, 4, 3, 2, 1)  # of the clip: the cup hardly moves, so the box fits
CORNERS = ((0.13, 0.26), (0.3, 0.6), (0.5, 0.86))  # of the box, shares of the picture's sides


@contextmanager
def child(*command: str, until: str) -> Iterator[str]:
    """A process, once it has printed a URL behind ``until``; the URL."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        found = None
        while found is None:
            found = re.search(until + r"(http://\S+)", process.stdout.readline())
        try:
            yield found[1]
        finally:
            process.terminate()


@contextmanager
def clip() -> Iterator[str]:
    """A folder of the frames."""
    with tempfile.TemporaryDirectory() as folder:
        for number, frame in enumerate(FRAMES):
            shutil.copy(CLIP / f"{frame:05d}.jpg", Path(folder) / f"{number:05d}.jpg")
        yield folder


@contextmanager
def chromium(width: int, height: int, phone: bool) -> Iterator[webdriver.Chrome]:
    """A browser without a screen."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "hide-scrollbars",
        f"window-size={width},{height}",
    ):
        options.add_argument(f"--{flag}")
    if phone:
        metrics = {"width": width, "height": height, "pixelRatio": 2.0, "touch": True}
        options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()


def point(browser: webdriver.Chrome, follow: bool) -> None:
    """Draw a box around the cup, and perhaps follow it."""
    wait = WebDriverWait(browser, PATIENCE)
    wait.until(lambda _: browser.find_element(By.ID, "point").is_enabled())
    browser.find_element(By.ID, "point").click()
    sketch = browser.find_element(By.ID, "sketch")
    wait.until(lambda _: sketch.is_displayed())
    actions = ActionChains(browser, duration=50)
    for number, (x, y) in enumerate(CORNERS):
        width, height = sketch.size["width"], sketch.size["height"]
        actions.move_to_element_with_offset(sketch, (x - 0.5) * width, (y - 0.5) * height)
        if number == 0:
            actions.click_and_hold()
    actions.release().perform()
    browser.find_element(By.ID, "name").send_keys("cup")
    if follow:
        browser.find_element(By.ID, "follow").click()
        state = (By.CSS_SELECTOR, ".state")
        wait.until(lambda _: any("%" in seen.text for seen in browser.find_elements(*state)))
        browser.find_element(By.ID, "record").click()
        time.sleep(3)
        wait.until(lambda _: not browser.find_element(By.ID, "banner").is_displayed())


def photograph(url: str, path: Path, phone: bool) -> None:
    """One picture of the page, in few colours."""
    size = (390, 780) if phone else (1280, 860)
    with chromium(*size, phone) as browser:
        browser.get(url)
        point(browser, follow=not phone)
        browser.save_screenshot(str(path))
    with Image.open(path) as image:
        image.convert("RGB").quantize(192, dither=Image.Dither.NONE).save(path, optimize=True)


def main(folder: Path) -> None:
    """Both pictures."""
    serve = (sys.executable, str(ROOT / "examples" / "serve_clip.py"))
    with clip() as frames, child(*serve, frames, "--port", "0", until="--source ") as camera:
        live = (sys.executable, "-m", "edge_ttvos.cli", "live", "--source", camera, "--web", "0")
        with child(*live, until="page: ") as url:
            photograph(url, folder / "live-desktop.png", phone=False)
        with child(*live, until="page: ") as url:
            photograph(url, folder / "live-phone.png", phone=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
