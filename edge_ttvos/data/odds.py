"""How often each source of a pool is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Source = TypeVar("Source")


@dataclass(frozen=True)
class Odds:
    """Probabilities of a pool's stills and of its sequences, each summing to 1; None: all alike."""

    stills: NDArray[np.float64] | None = None
    sequences: NDArray[np.float64] | None = None


EVEN = Odds()


def drawn(
    sources: Sequence[Source], odds: NDArray[np.float64] | None, rng: np.random.Generator
) -> Source:
    """One of the sources."""
    if odds is None:
        return sources[int(rng.integers(len(sources)))]
    return sources[int(rng.choice(len(sources), p=odds))]
