"""Names may be anything: they are shown, and do nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.quantize.report.page import write, write_comparison
from edge_ttvos.quantize.report.page.embedding import picture

NASTY = "</script><img src=x onerror=alert(1)>&amp;\"'<!-- $x_1$ \u2028 `${1}` 名"


def poisoned(value: Any) -> Any:
    """The same with the nasty text in every text that is free."""
    if isinstance(value, dict):
        kept = {"set", "axis", "method", "kind", "id", "point"}
        return {k: v if k in kept else poisoned(v) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    return f"{value}{NASTY}" if isinstance(value, str) else value


def data_of(text: str) -> Any:
    """What the page's scripts read."""
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert match is not None
    return json.loads(match[1])


def test_text_is_never_markup(
    record: dict[str, Any], html: Callable[[dict[str, Any]], str]
) -> None:
    record["points"][1]["id"] += NASTY
    record["sensitivity"][0]["item"] += "\ud800"  # half a character, as JSON may hold

    text = html(poisoned(record))

    assert "<img src=x" not in text
    assert text.count("<script") == text.count("</script>") == 7
    assert data_of(text)["charts"]["pareto-size-named"]["series"][1]["marks"]
    names = [point["name"] for point in data_of(text)["drift"][0]["points"]]
    assert f"w8a8sfloat{NASTY}" in names


def test_nasty_names_in_sequences_and_figures(record: dict[str, Any], tmp_path: Path) -> None:
    for point in record["points"]:
        point["sequences"] = {f"{n}{NASTY}": s for n, s in point["sequences"].items()}

    paths = write(poisoned(record), tmp_path)

    text = paths[0].read_text(encoding="utf-8")
    assert "<img src=x" not in text
    assert all(NASTY in name for name in data_of(text)["drift"][0]["sequences"])
    assert all(path.stat().st_size > 1000 for path in paths)


def test_nasty_names_in_comparisons(sample: Any, tmp_path: Path) -> None:
    record = poisoned(sample.comparison())
    record["points"][0]["id"] += NASTY

    (path,) = write_comparison(record, tmp_path)

    text = path.read_text(encoding="utf-8")
    assert "<img src=x" not in text
    assert text.count("<script") == text.count("</script>") == 7


@pytest.mark.parametrize("path", ["../secret.jpg", "/etc/hostname", "strips", "gone.jpg", "a.svg"])
def test_only_pictures_of_the_folder_are_taken(path: str, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    (folder / "strips").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (folder / "a.svg").write_text("<svg/>")

    assert picture(folder, path) is None
