"""How badly each source is followed, and how much oftener it is drawn for that.

The odds change every ``REFRESH`` steps only: batches are made ahead of time, and a resumed run must
draw what it would have drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_ttvos.data.odds import Odds
from edge_ttvos.data.pool import Pool

REFRESH = 100  # steps
MEMORY = 0.7  # share of a source's running mean that stays when a new clip of it was seen
MOST = 4.0  # no source is drawn more than this many times as often as the average one
LEAST_LOSS = 1e-3


class Difficulty:
    """Running means of 1 − J by source, and those that the odds are made of."""

    def __init__(self) -> None:
        self._running: dict[str, float] = {}
        self._settled: dict[str, float] = {}

    def note(self, names: Sequence[str], accuracies: Sequence[float]) -> None:
        """Add clips, in order: their sources and their J, 0…1."""
        for name, accuracy in zip(names, accuracies, strict=True):
            loss = 1 - accuracy
            self._running[name] = MEMORY * self._running.get(name, loss) + (1 - MEMORY) * loss

    def settle(self) -> None:
        """From now on the odds are those of what was noted so far."""
        self._settled = dict(self._running)

    def odds(self, pool: Pool, strength: float) -> Odds:
        """How often to draw each source of a pool: all alike where nothing is known."""
        return Odds(
            self._shares([still.name for still in pool.stills], strength),
            self._shares([sequence.name for sequence in pool.sequences], strength),
        )

    def _shares(self, names: list[str], strength: float) -> NDArray[np.float64]:
        """Probabilities; a source that was never seen counts as an average one."""
        known = [self._settled[name] for name in names if name in self._settled]
        usual = float(np.mean(known)) if known else 1.0
        losses = np.array([max(LEAST_LOSS, self._settled.get(name, usual)) for name in names])
        raised = np.clip((losses / max(LEAST_LOSS, usual)) ** strength, 1 / MOST, MOST)
        return np.asarray(raised / raised.sum(), np.float64) if names else raised

    def state_dict(self) -> dict[str, Any]:
        """Plain data to go on from."""
        return {"running": self._running, "settled": self._settled}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        self._running, self._settled = dict(state["running"]), dict(state["settled"])
