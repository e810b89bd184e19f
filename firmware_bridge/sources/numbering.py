"""The order of a folder's files, and whether a frame is missing among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from edge_ttvos.errors import SourceError

TIME_STAMP_DIGITS = 10  # seconds since 1970 have ten digits: such numbers may have uneven steps


def natural_key(stem: str) -> tuple[tuple[int, str] | tuple[int, int, str], ...]:
    """Sort key under which ``frame2`` comes before ``frame10``."""
    parts = re.split(r"([0-9]+)", stem)
    return tuple((0, p) if i % 2 == 0 else (1, int(p), p) for i, p in enumerate(parts))


def check_numbering(folder: str, stems: Sequence[str]) -> None:
    """Raise a SourceError that names the first missing number.

    Stems count as numbered if they differ in their last group of digits alone. Any constant step
    is right, so every fifth frame of a recording is no gap. Time stamps may have uneven steps.

    Args:
        folder: for the message.
        stems: file names without suffix, in natural order.

    Raises:
        SourceError: a number is missing or comes twice.
    """
    found = [re.fullmatch(r"(.*?)([0-9]+)([^0-9]*)", stem) for stem in stems]
    groups = [match.groups() for match in found if match]
    if len(groups) < len(stems) or len({(before, after) for before, _, after in groups}) > 1:
        return
    if any(len(digits.lstrip("0")) >= TIME_STAMP_DIGITS for _, digits, _ in groups):
        return
    _check_steps(folder, stems, [int(digits) for _, digits, _ in groups])


def _check_steps(folder: str, stems: Sequence[str], numbers: Sequence[int]) -> None:
    steps = [after - before for before, after in pairwise(numbers)]
    usual = min((step for step in steps if step), default=1)
    for index, step in enumerate(steps):
        if step == 0:
            raise SourceError(
                f"{folder} holds frame number {numbers[index]} twice: {stems[index]} and "
                f"{stems[index + 1]}. Remove one of them."
            )
        if step != usual:
            raise SourceError(
                f"{folder} has a gap in its numbering: {numbers[index] + usual} is missing between "
                f"{stems[index]} and {stems[index + 1]}. Add the missing frames, rename the files "
                f"to one constant step, or read one side of the gap with start and end "
                f"(the gap comes after {index + 1} frames)."
            )
