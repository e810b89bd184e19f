"""Photographs a report's page for the documentation: desktop and phone, light and dark.

    python tools/report_screenshots.py REPORT/report.html docs/images

Writes report-<desktop|phone>-<light|dark>.png, each the whole page.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver

WIDTHS = {"desktop": 1440, "phone": 390}  # CSS pixels
HEIGHT = 900
THEMES = ("light", "dark")
COLOURS = 192  # of the pictures


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """A browser without a screen."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars"):
        options.add_argument(f"--{flag}")
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()


def photograph(browser: webdriver.Chrome, page: Path, width: int, theme: str) -> bytes:
    """The whole page as a PNG."""

    def command(name: str, **arguments: Any) -> Any:
        return browser.execute_cdp_cmd(name, arguments)

    phone = width < WIDTHS["desktop"]
    metrics = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": phone}
    command("Emulation.setDeviceMetricsOverride", **metrics)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    command("Emulation.setEmulatedMedia", features=features)
    browser.get(page.resolve().as_uri())
    tall = browser.execute_script("return document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": tall, "scale": 1}
    taken = command("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
    return base64.b64decode(taken["data"])


def main(page: Path, folder: Path) -> None:
    """All four, in few colours."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, width in WIDTHS.items():
            for theme in THEMES:
                path = folder / f"{page.stem}-{name}-{theme}.png"
                path.write_bytes(photograph(browser, page, width, theme))
                with Image.open(path) as image:
                    few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
                few.save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
