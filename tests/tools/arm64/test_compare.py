"""The comparison of two processors' results, and when it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

Arrays = dict[str, Any]  # NDArrays
Compare = Callable[..., int]


@pytest.fixture
def arrays() -> Arrays:
    """Masks of two frames and their probabilities."""
    values = np.random.default_rng(0).random((2, 100, 100), dtype=np.float32)
    return {"masks": (values > 0.5).astype(np.uint8), "probabilities": values}


@pytest.fixture
def compare(load: Callable[[str], ModuleType], tmp_path: Path) -> Compare:
    """Runs the script on two sets of arrays; its exit code."""
    script = load("compare")

    def run(expected: Arrays, got: Arrays, *options: str) -> int:
        paths = [tmp_path / "expected.npz", tmp_path / "got.npz"]
        for path, content in zip(paths, (expected, got), strict=True):
            np.savez(path, **content)
        return int(script.main([*map(str, paths), *options]))

    return run


def test_equal_results_pass(
    compare: Compare, arrays: Arrays, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(arrays, arrays) == 0

    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split()[:3] for row in rows] == [
        ["masks", "20000", "0"],
        ["probabilities", "20000", "0"],
    ]


@pytest.mark.parametrize(("pixels", "code"), [(2, 0), (3, 1)])
def test_masks_may_differ_up_to_the_limit(
    compare: Compare, arrays: Arrays, capsys: pytest.CaptureFixture[str], pixels: int, code: int
) -> None:
    masks = arrays["masks"].copy()
    masks.ravel()[:pixels] ^= 1

    assert compare(arrays, {**arrays, "masks": masks}, "--limit", "1e-4") == code

    printed = capsys.readouterr()
    assert printed.out.splitlines()[1].split()[2] == str(pixels)
    assert ("masks" in printed.err) == bool(code)


def test_fractions_are_only_reported(
    compare: Compare, arrays: Arrays, capsys: pytest.CaptureFixture[str]
) -> None:
    shifted = arrays["probabilities"] + np.float32(0.25)

    assert compare(arrays, {**arrays, "probabilities": shifted}) == 0

    row = capsys.readouterr().out.splitlines()[2].split()
    assert row[2:5] == ["20000", "1.00e+00", "0.25"]


def test_values_that_are_no_numbers_count(
    compare: Compare, arrays: Arrays, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = arrays["probabilities"].copy()
    broken[0, 0, :3] = np.nan
    other = broken.copy()
    other[1, 0, 0] = np.nan

    compare({"probabilities": broken}, {"probabilities": other})

    assert capsys.readouterr().out.splitlines()[1].split()[2:5] == ["1", "5.00e-05", "nan"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"masks": np.zeros((2, 100, 99), np.uint8)}, "(2, 100, 100)"),
        ({"masks": np.zeros((2, 100, 100), np.float32)}, "uint8"),
        ({"more": np.zeros(1)}, "more"),
    ],
)
def test_other_arrays_fail(
    compare: Compare,
    arrays: Arrays,
    capsys: pytest.CaptureFixture[str],
    change: Arrays,
    says: str,
) -> None:
    assert compare(arrays, {**arrays, **change}) == 1
    assert says in capsys.readouterr().err


def test_nothing_to_compare_fails(compare: Compare) -> None:
    assert compare({}, {}) == 1
