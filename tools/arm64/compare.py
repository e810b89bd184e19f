"""Compare what two processors computed: compare.py EXPECTED.npz GOT.npz [--limit SHARE]

Prints a table, one row an array. Whole numbers are masks: the end is 1 if a larger share than the
limit of any array's pixels differs, or if the files hold other arrays. Fractions are reported only:
float32 rounds differently where sums are taken in another order.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LIMIT = 1e-4  # of a mask's pixels


@dataclass(frozen=True)
class Difference:
    """One array on both sides.

    Attributes:
        name: of the array.
        mask: whether it holds whole numbers.
        size: number of values.
        differing: how many values differ in any bit; NaN equals NaN.
        largest: largest difference; NaN where one side is no number.
        magnitude: largest value expected.
    """

    name: str
    mask: bool
    size: int
    differing: int
    largest: float
    magnitude: float

    @property
    def share(self) -> float:
        """Of values that differ."""
        return self.differing / max(self.size, 1)


def difference(name: str, expected: NDArray[Any], got: NDArray[Any]) -> Difference:
    """Compare two arrays.

    Raises:
        ValueError: they are of another shape or dtype.
    """
    if (expected.shape, expected.dtype) != (got.shape, got.dtype):
        raise ValueError(
            f"{name} must be {expected.dtype} {expected.shape} on both sides; "
            f"got {got.dtype} {got.shape}"
        )
    mask = not np.issubdtype(expected.dtype, np.floating)
    a, b = expected.astype(np.float64), got.astype(np.float64)
    differing = int(np.count_nonzero((a != b) & ~(np.isnan(a) & np.isnan(b))))
    largest = float(np.abs(a - b).max()) if differing else 0.0
    return Difference(name, mask, a.size, differing, largest, float(np.abs(a).max(initial=0)))


def differences(
    expected: Mapping[str, NDArray[Any]], got: Mapping[str, NDArray[Any]]
) -> list[Difference]:
    """Compare all arrays by name.

    Raises:
        ValueError: one side lacks an array, neither has any, or two are of another shape or dtype.
    """
    if not expected or set(expected) != set(got):
        raise ValueError(f"expected arrays {sorted(expected)}; got {sorted(got)}")
    return [difference(name, expected[name], got[name]) for name in sorted(expected)]


def table(rows: list[Difference]) -> str:
    """Lines for people."""
    width = max(len(row.name) for row in rows)
    lines = [f"{'array':{width}}  {'values':>10}  {'differ':>10}  {'share':>9}  largest difference"]
    for row in rows:
        lines.append(
            f"{row.name:{width}}  {row.size:>10}  {row.differing:>10}  {row.share:>9.2e}  "
            f"{row.largest:.3g} (largest value {row.magnitude:.3g})"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Compare two files; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("expected", type=Path)
    parser.add_argument("got", type=Path)
    parser.add_argument("--limit", type=float, default=LIMIT, metavar="SHARE")
    options = parser.parse_args(arguments)
    try:
        with np.load(options.expected) as expected, np.load(options.got) as got:
            rows = differences(expected, got)
    except (OSError, ValueError) as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 1
    print(table(rows))
    over = [row.name for row in rows if row.mask and not row.share <= options.limit]
    if over:
        print(
            f"compare.py: more than a share of {options.limit:g} of the pixels differs in "
            f"{', '.join(over)}",
            file=sys.stderr,
        )
    return int(bool(over))


if __name__ == "__main__":
    sys.exit(main())
