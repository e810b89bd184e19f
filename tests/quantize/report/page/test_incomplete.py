"""Unfinished and odd records: what is there is shown, what is missing is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import QuantizationError
from edge_ttvos.quantize.report.page import write, write_comparison

Html = Callable[[dict[str, Any]], str]

WHOLE = ("schema",)
POINT = ("id", "set", "label")  # a point cannot be without


@pytest.mark.parametrize("key", ["reason", "why"])  # older reports have the second
def test_a_record_of_nothing(tmp_path: Path, key: str) -> None:
    write({"schema": 1, "complete": False, key: "no data"}, tmp_path)

    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "This report is not complete.</b> no data" in text
    assert "No point is finished yet." in text
    assert "Sensitivity was not measured." in text


def test_a_complete_record_says_nothing_of_it(record: dict[str, Any], html: Html) -> None:
    assert "not complete" not in html(record)


@pytest.mark.parametrize("value", ["absent", "null", "empty"])
def test_any_part_may_be_missing(record: dict[str, Any], html: Html, value: str) -> None:
    for key in [key for key in record if key not in WHOLE]:
        changed = dict(record)
        before = changed.pop(key)
        if value == "null":
            changed[key] = None
        elif value == "empty" and isinstance(before, list | dict | str):
            changed[key] = type(before)()
        assert "<h1>" in html(changed), key


def test_any_part_of_a_point_may_be_missing(record: dict[str, Any], html: Html) -> None:
    for key in [key for key in record["points"][0] if key not in POINT]:
        for points in (
            [{k: v for k, v in p.items() if k != key} for p in record["points"]],
            [p | {key: None} for p in record["points"]],
        ):
            assert "<h1>" in html(record | {"points": points}), key


@pytest.mark.parametrize("section", ["stall", "sensitivity", "strips", "mixed", "worth"])
def test_any_part_of_a_section_may_be_missing(
    record: dict[str, Any], html: Html, section: str
) -> None:
    whole = record[section]
    needed = {"item", "point", "sequence"}
    one = whole[0] if isinstance(whole, list) else whole
    for key in set(one) - needed:
        left = {k: v for k, v in one.items() if k != key} | {key: None}
        assert "<h1>" in html(record | {section: [left] if isinstance(whole, list) else left}), key


def test_new_keys_are_left_aside(record: dict[str, Any], html: Html) -> None:
    before = html(record)
    for part in (record, record["points"][0], record["stall"][0], record["worth"]):
        part["of a later version"] = [1, 2]
    record["points"][0]["sequences"]["blackswan"]["later"] = 1

    assert html(record) == before


def test_only_one_point(record: dict[str, Any], html: Html) -> None:
    alone = record | {"points": record["points"][:1]}

    assert "How many bits does this tracker need?" in html(alone)


def test_pictures_that_are_missing_are_said_to_be(record: dict[str, Any], html: Html) -> None:
    assert html(record).count("picture missing") == 2  # the folder is empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "must have schema 1; got 2. Make the report anew"),
        ({"schema": None}, "must have schema 1; got None"),
        ({"seconds": float("nan")}, "must be JSON with null for unknown"),
        ({"points": [{"id": "a", "set": "axes"}]}, r"points\[0\]: missing key label"),
        ({"points": [{"id": "a", "set": "axes", "label": "w", "J&F": "high"}]}, "J&F must be"),
        ({"points": 3}, "does not fit its schema"),
        ({"stall": [{"moved": 1}]}, r"stall\[0\]: moved must be a list"),
        ({"sets": {"axes": 3}}, "does not fit its schema"),
        ({"mixed": []}, "does not fit its schema"),
    ],
)
def test_what_does_not_fit_is_refused(
    record: dict[str, Any], tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(QuantizationError, match=message):
        write(record | change, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_comparisons_of_nothing_and_of_other_schemas(tmp_path: Path) -> None:
    with pytest.raises(QuantizationError, match=r"compare\.json must have schema 1"):
        write_comparison({"schema": 7}, tmp_path)
    with pytest.raises(QuantizationError, match=r"points\[0\]: missing key id"):
        write_comparison({"schema": 1, "points": [{}]}, tmp_path)
    assert list(tmp_path.iterdir()) == []

    write_comparison({"schema": 1}, tmp_path)

    assert "No point is in both reports" in (tmp_path / "compare.html").read_text(encoding="utf-8")
