"""The page in a real browser, Debian's Chromium, from a file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from edge_ttvos.quantize.report.page.reading import read
from edge_ttvos.quantize.report.page.writer import html_of

PATIENCE = 60  # seconds; only a test that fails takes so long
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
WIDE, PHONE = (1440, 900), (390, 844)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        BROWSER is None or DRIVER is None,
        reason="no Chromium with its driver (apt install chromium chromium-driver)",
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    """Chromium without a screen."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in ("headless=new", "no-sandbox", "disable-gpu"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    yield driver
    driver.quit()


class Page:
    """The page as a person uses it."""

    def __init__(self, browser: webdriver.Chrome, folder: Path) -> None:
        self.browser, self.folder = browser, folder

    def open(self, name: str, size: tuple[int, int], touch: bool = False) -> None:
        """Load a page at that size."""
        metrics = dict(zip(("width", "height"), size, strict=True))
        metrics |= {"deviceScaleFactor": 1, "mobile": touch}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.browser.get((self.folder / name).as_uri())

    def part(self, selector: str) -> WebElement:
        """The first element of a selector, in the middle of the window."""
        found = self.browser.find_element(By.CSS_SELECTOR, selector)
        self.script("arguments[0].scrollIntoView({block: 'center'})", found)
        return found

    def script(self, code: str, *arguments: Any) -> Any:
        """What a script returns."""
        return self.browser.execute_script(code, *arguments)

    @property
    def tip(self) -> str:
        """What is said of a mark; empty where nothing is."""
        return self.browser.find_element(By.ID, "tip").text

    def column(self, number: int) -> list[str]:
        """What a column of the sequences' table shows."""
        rows = f"#sequence-table tbody tr:not([hidden]) > :nth-child({number})"
        return [cell.text for cell in self.browser.find_elements(By.CSS_SELECTOR, rows)]


@pytest.fixture
def page(browser: webdriver.Chrome, written: Path) -> Iterator[Page]:
    """The report on a desktop; at the end the console is silent, and nothing asked the network."""
    browser.get_log("performance")
    page = Page(browser, written)
    page.open("report.html", WIDE)
    yield page
    assert browser.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert asked
    assert {url.split(":")[0] for url in asked} <= {"file", "data"}


def test_hovering_over_a_mark_shows_its_recipe(page: Page) -> None:
    mark = page.part('[data-chart=pareto-size-named] [data-title="w4a8sfloat, mixed"]')
    assert page.tip == ""

    ActionChains(page.browser).move_to_element(mark).perform()

    assert page.tip.startswith("w4a8sfloat, mixed\nJ&F ")
    assert 'name = "w4a8sfloat"\nweights = 4' in page.tip
    assert "simulated: no engine ran it" in page.tip
    ActionChains(page.browser).move_to_element(page.part("#fronts h2")).perform()
    assert page.tip == ""


def test_arrow_keys_move_from_mark_to_mark(page: Page) -> None:
    chart = page.part("[data-chart=bits-weights] svg")
    chart.send_keys(Keys.ARROW_RIGHT)
    assert page.tip.startswith("w3a8sfloat")
    chart.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert page.tip.startswith("w8a8sfloat"), "round the end"

    chart.send_keys(Keys.ESCAPE)

    assert page.tip == ""


def test_a_tap_shows_the_recipe_until_another(page: Page) -> None:
    page.open("report.html", PHONE, touch=True)
    page.part("[data-chart=pareto-size-axes] [data-title=w3a8sfloat]").click()
    assert "weights = 3" in page.tip
    left, right = page.script(
        "const r = document.getElementById('tip').getBoundingClientRect(); return [r.left, r.right]"
    )
    assert left >= 0
    assert right <= PHONE[0]

    page.part("#fronts h2").click()

    assert page.tip == ""


def test_columns_sort_by_click_and_key(page: Page) -> None:
    heading = page.part("#sequence-table th:nth-child(2)")
    button = heading.find_element(By.TAG_NAME, "button")
    before = page.column(2)
    assert len(before) == 10
    assert before != sorted(before, key=float)

    button.click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert page.column(2) == sorted(before, key=float)
    button.send_keys(Keys.ENTER)
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.column(2) == sorted(before, key=float, reverse=True)

    page.part("#sequence-table th:nth-child(1) button").click()
    assert heading.get_attribute("aria-sort") is None
    assert page.column(1) == sorted(page.column(1))


def test_unknown_values_sort_last_both_ways(page: Page) -> None:
    Select(page.part("#sequence-point")).select_by_value("")
    button = page.part("#sequence-table th:nth-child(3) button")
    for _ in range(2):
        button.click()
        assert page.column(3)[-13:] == ["—"] * 13, "float loses nothing to itself"
        assert "—" not in page.column(3)[:-13]


def test_a_point_is_chosen(page: Page) -> None:
    assert set(page.column(6)) == {"w8a8sfloat"}

    Select(page.part("#sequence-point")).select_by_value("axes/w2a8sfloat")

    assert page.column(1) == ["blackswan", "camel", "parkour"]
    assert set(page.column(6)) == {"w2a8sfloat simulated"}


def test_drift_is_drawn_of_what_is_chosen(page: Page) -> None:
    def lines() -> list[str]:
        drawn = page.browser.find_elements(By.CSS_SELECTOR, "#drift-chart .line")
        return [line.get_attribute("d") or "" for line in drawn]

    before = lines()
    assert len(before) == 5

    Select(page.part("#drift-sequence")).select_by_index(3)
    assert len(lines()) == 5
    assert lines() != before
    page.part("#drift-points input").click()
    assert len(lines()) == 4
    Select(page.part("#drift-sequence")).select_by_value("1/0")
    boxes = page.browser.find_elements(By.CSS_SELECTOR, "#drift-points input")
    assert len(boxes) == 14
    for box in boxes:
        if box.is_selected():
            box.click()
    assert page.part("#drift-chart").text == "Choose a point below."


def test_every_point_has_its_mark_however_many(
    page: Page, record: dict[str, Any], tmp_path: Path
) -> None:
    simulated = [point for point in record["points"] if point["simulated"]]
    grid = [p | {"id": f"{p['id']}-{n}", "set": "grid"} for n in range(4) for p in simulated]
    page.folder = tmp_path
    text = html_of(read(record | {"points": grid}), tmp_path)
    (tmp_path / "grid.html").write_text(text, encoding="utf-8")

    page.open("grid.html", WIDE)

    for chart in ("size", "operations"):
        marks = f"[data-chart=pareto-{chart}-grid] .mark.hollow"
        assert len(page.browser.find_elements(By.CSS_SELECTOR, marks)) == len(grid) == 52


def test_the_mixed_recipe_is_copied(page: Page, sample: Any) -> None:
    button = page.part("[data-copy]")
    button.click()

    WebDriverWait(page.browser, PATIENCE).until(lambda _: button.text != "Copy")

    selected = page.script("return getSelection().toString()")
    assert selected.strip() == sample.report()["mixed"]["recipe"].strip()


def test_the_theme_is_chosen(page: Page) -> None:
    def ground() -> str:
        return str(page.script("return getComputedStyle(document.body).backgroundColor"))

    seen = []
    for _ in range(3):
        page.part("#theme").click()
        seen.append((page.part("#theme").text, ground()))

    assert [text for text, _ in seen] == ["Theme: light", "Theme: dark", "Theme: auto"]
    assert seen[0][1] != seen[1][1]


@pytest.mark.parametrize("name", ["report.html", "compare.html"])
@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_nothing_to_scroll_sideways(page: Page, name: str, size: tuple[int, int]) -> None:
    page.open(name, size, touch=size == PHONE)
    for details in page.browser.find_elements(By.TAG_NAME, "details"):
        page.script("arguments[0].open = true", details)

    window, inner, wide = page.script(
        "const root = document.documentElement;"
        "return [window.innerWidth, root.clientWidth, root.scrollWidth]"
    )

    assert window == size[0]
    assert wide == inner


def test_no_text_of_a_chart_is_small_or_cut(page: Page) -> None:
    for size in (WIDE, PHONE):
        page.open("report.html", size, touch=size == PHONE)
        bad = page.script(
            """
            const bad = [];
            for (const image of document.querySelectorAll(".chart > svg")) {
              const outer = image.getBoundingClientRect();
              for (const text of image.querySelectorAll("text")) {
                const inner = text.getBoundingClientRect();
                const cut = inner.left < outer.left - 1 || inner.right > outer.right + 1;
                if (cut || inner.height < 12) bad.push(text.textContent);
              }
            }
            return bad;
            """
        )
        assert bad == []


def test_tables_of_a_comparison_sort(page: Page) -> None:
    page.open("compare.html", WIDE)
    page.part("th:nth-child(4) button").click()

    cells = page.browser.find_elements(By.CSS_SELECTOR, "tbody td:nth-child(4)[data-value]")

    assert [cell.text for cell in cells] == ["−1.60", "0.00", "+0.20", "+0.90"]
    marked = page.browser.find_elements(By.CSS_SELECTOR, "tr.exceeds .verdict")
    assert sorted(one.text for one in marked) == ["▲ B better", "▼ A better"]
