from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from edge_ttvos.errors import MaskError, OutputError
from edge_ttvos.firmware_bridge.contact_sheet import ContactSheet, Layout

SMALL = Layout(width=32, gap=4, text=8)


def frame(value: int, height: int = 18, width: int = 32) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, np.uint8)


def sheet_of(length: int, count: int, start: int = 0, step: int = 1) -> ContactSheet:
    sheet = ContactSheet(count, SMALL)
    for index in range(length):
        sheet.add(start + step * index, frame(index % 256))
    return sheet


@settings(deadline=None, max_examples=60)
@given(
    length=st.integers(1, 700),
    count=st.integers(2, 16),
    start=st.integers(0, 50),
    step=st.integers(1, 5),
)
def test_frames_are_evenly_spaced_whatever_the_length(
    length: int, count: int, start: int, step: int
) -> None:
    numbers = sheet_of(length, count, start, step).numbers
    assert len(numbers) == min(length, count)
    assert (numbers[0], numbers[-1]) == (start, start + step * (length - 1))
    if length > count:
        ideal = np.linspace(numbers[0], numbers[-1], count)
        gap = ideal[1] - ideal[0]
        assert np.abs(ideal - numbers).max() <= 0.6 * gap


def test_memory_is_bounded() -> None:
    sheet = sheet_of(5000, 3)
    assert len(sheet._kept) <= 12


def test_every_picture_is_there_in_reading_order_over_its_caption() -> None:
    page = sheet_of(12, 12).draw().astype(int)
    height, width = 18 + SMALL.caption, 32
    assert page.shape == (SMALL.gap + 3 * height, SMALL.gap + 4 * (width + SMALL.gap), 3)
    for index in range(12):
        row, column = divmod(index, 4)
        y = SMALL.gap + row * height
        x = SMALL.gap + column * (width + SMALL.gap)
        assert (page[y : y + 18, x : x + width] == index).all()
        caption = page[y + 18 : y + height, x : x + width]
        assert caption.min() < 180, "ink on paper"


@pytest.mark.parametrize(("pictures", "columns"), [(1, 1), (2, 2), (5, 3), (6, 3), (9, 3), (16, 4)])
def test_as_few_empty_places_as_can_be(pictures: int, columns: int) -> None:
    page = sheet_of(pictures, 16).draw()
    assert page.shape[1] == SMALL.gap + columns * (32 + SMALL.gap)


def test_titles_and_j_add_ink_where_they_belong() -> None:
    layout = Layout(width=160, gap=8, text=12)
    sheet = ContactSheet(4, layout)
    for index in range(4):
        sheet.add(index, frame(0, 90, 160))
    plain, scored = sheet.draw(), sheet.draw(jaccard={2: 0.874})
    rows, columns = np.nonzero((plain != scored).any(axis=2))
    third = 8 + 2 * (160 + 8) if plain.shape[1] > 600 else 8
    assert columns.min() >= third
    assert rows.min() >= 98
    titled = sheet.draw("a title")
    assert titled.shape[0] == plain.shape[0] + layout.title
    assert (titled[: layout.title] < 100).any()


def test_objects_are_drawn_on_the_small_copy() -> None:
    sheet = ContactSheet(2, SMALL)
    mask = np.zeros((180, 320), np.uint8)
    mask[40:140, 100:220] = 2
    sheet.add(0, frame(90, 180, 320), mask, labels={})
    page = sheet.draw().astype(int)
    centre, corner = page[SMALL.gap + 9, SMALL.gap + 16], page[SMALL.gap + 1, SMALL.gap + 1]
    assert centre[1] > 120 > centre[0]
    assert corner.tolist() == [90, 90, 90]
    with pytest.raises(MaskError, match="must be"):
        sheet.add(1, frame(90, 180, 320), mask[:100])


def test_writing_gives_a_whole_png_or_nothing(tmp_path: Path) -> None:
    sheet = sheet_of(5, 4)
    sheet.write(tmp_path / "sheet.png", "title", {0: 1.0})
    with Image.open(tmp_path / "sheet.png") as image:
        assert np.array_equal(np.array(image), sheet.draw("title", {0: 1.0}))
    with pytest.raises(OutputError):
        sheet.write(tmp_path / "absent" / "sheet.png")
    assert os.listdir(tmp_path) == ["sheet.png"]


def test_misuse_says_what_is_needed() -> None:
    with pytest.raises(ValueError, match="at least 2 pictures; got 1"):
        ContactSheet(1)
    with pytest.raises(ValueError, match="at least one frame; got none"):
        ContactSheet(4).draw()
