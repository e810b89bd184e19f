"""The written page: one file, that asks nothing of a network, and its figures."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from edge_ttvos.errors import OutputError
from edge_ttvos.quantize.report.page import check_installed, write, write_comparison

PAGES = ("report.html", "compare.html")
FIGURES = ("pareto-named", "pareto-axes", "bits", "drift", "stall", "sensitivity")
SECTIONS = {
    *("summary", "fronts", "bits", "drift", "stall", "sensitivity", "mixed", "worth"),
    *("strips", "sequences", "points", "protocol"),
}
LINKS = {"report.json", "points.csv", "sensitivity.csv", "figures/"}


class Elements(HTMLParser):
    """All elements with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One more."""
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_loaded_from_elsewhere(written: Path, name: str) -> None:
    text = (written / name).read_text(encoding="utf-8")
    elements = Elements(text).found

    sources = [about["src"] or "" for _, about in elements if "src" in about]
    links = {about["href"] or "" for _, about in elements if "href" in about}

    assert all(source.startswith("data:image/") for source in sources)
    assert {link for link in links if not link.startswith("#")} <= LINKS
    assert not {"link", "iframe", "object", "embed", "base"} & {tag for tag, _ in elements}
    assert "@import" not in text
    assert not re.search(r"url\((?!data:)", text)
    policy = next(about for _, about in elements if "http-equiv" in about)
    assert (policy["content"] or "").startswith("default-src 'none'")


def test_every_section_is_there_and_filled(written: Path) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")

    assert {about["id"] for tag, about in Elements(text).found if tag == "section"} == SECTIONS
    assert 'class="empty"' not in text
    assert len(re.findall(r"data:image/jpeg;base64,", text)) == 3


def test_links_within_the_page_lead_somewhere(written: Path) -> None:
    elements = Elements((written / "report.html").read_text(encoding="utf-8")).found
    ids = [about["id"] for _, about in elements if about.get("id")]

    targets = {(about.get("href") or "")[1:] for tag, about in elements if tag == "a"}

    assert len(ids) == len(set(ids))
    assert {target for target in targets if f"#{target}" not in LINKS} - set(ids) <= {
        link[1:] for link in LINKS
    }


def test_figures_are_pictures(written: Path) -> None:
    for name in FIGURES:
        with Image.open(written / "figures" / f"{name}.png") as image:
            image.load()
            assert image.width > 800
        root = ElementTree.parse(written / "figures" / f"{name}.svg").getroot()
        assert root.tag.endswith("svg")


def test_all_that_is_returned_was_written(
    record: dict[str, Any], sample: Any, tmp_path: Path
) -> None:
    paths = write(record, tmp_path)

    assert {path.relative_to(tmp_path).as_posix() for path in paths} == {
        "report.html",
        *(f"figures/{name}.{kind}" for name in FIGURES for kind in ("svg", "png")),
    }
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(paths)


def test_the_same_record_gives_the_same_files(written: Path, sample: Any, tmp_path: Path) -> None:
    sample.write_strips(tmp_path)
    paths = write(sample.report(), tmp_path)

    for path in paths:
        assert path.read_bytes() == (written / path.relative_to(tmp_path)).read_bytes()


def test_simulated_points_are_marked_in_every_table(
    record: dict[str, Any], html: Callable[[dict[str, Any]], str]
) -> None:
    rows = re.findall(r"<tr[^>]*>(?:(?!</tr>).)*</tr>", html(record), re.DOTALL)
    name = "w2a8sfloat"

    about = [row for row in rows if (name in row and "TOML" in row) or f"axes/{name}" in row]

    assert len(about) == 1 + len(record["sets"]["axes"]["sequences"])
    assert all(">simulated<" in row for row in about)


def test_without_its_libraries_a_line_says_what_to_type(
    record: dict[str, Any], sample: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)

    for attempt in (
        check_installed,
        lambda: write(record, tmp_path),
        lambda: write_comparison(sample.comparison(), tmp_path),
    ):
        with pytest.raises(OutputError, match=r"jinja2; type: pip install 'edge-ttvos\[report\]'"):
            attempt()
    assert list(tmp_path.iterdir()) == []


def luminance(colour: str) -> float:
    """Of sRGB, as WCAG 2.1 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_and_marks_stand_out_in_light_and_dark(written: Path) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")
    blocks = re.findall(r"(:root[^{]*)\{([^{}]*)\}", text)
    themes = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for _, block in blocks[:3]]
    assert [len(theme) for theme in themes] == [15, 15, 15]

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    for theme in themes:
        for name in ("text", "dim", "accent"):
            for ground in ("ground", "panel", "soft"):
                assert contrast(theme[name], theme[ground]) >= 4.5, (name, ground)
        assert all(contrast(theme[f"c{n}"], theme["panel"]) >= 3 for n in range(7))
    assert themes[1] == themes[2], "chosen or preferred, dark is the same"
