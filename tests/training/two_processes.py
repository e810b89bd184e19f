"""Train on one process or, under torchrun, on many; each leaves what it has learnt.

    python two_processes.py CLIPS FOLDER        CLIPS a step, counted over all processes

Run by test_world.py, not a test itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from edge_ttvos.data.pool import Pool, Still
from edge_ttvos.training.recipe import Recipe
from edge_ttvos.training.run import Trainer
from edge_ttvos.training.stage import Stage
from edge_ttvos.training.world import joined_world


def still(index: int) -> Still:
    y, x = np.mgrid[:60, :80]
    mask = np.where((y - 30) ** 2 + (x - 30 - 10 * index) ** 2 <= 196, 255, 0).astype(np.uint8)
    return Still(f"still{index}", np.repeat(np.maximum(mask, 30)[..., None], 3, axis=-1), mask)


def recipes(batch: int) -> tuple[Recipe, Recipe]:
    """Normalisation frozen, which leaves no trace of who saw which clip; and trained."""
    frozen = Stage("frozen", 2, (32, 48), 3, batch, freeze_batchnorm=True)
    trained = Stage("trained", 2, (32, 48), 3, batch, hard_sources=1.0)
    return tuple(Recipe(s.name, "release", (s,), bfloat16=False) for s in (frozen, trained))


def main(clips: int, folder: Path) -> None:
    torch.set_num_threads(1)
    pool = Pool(tuple(still(index) for index in range(3)), ())
    with joined_world() as world:
        for recipe in recipes(clips // world.size):
            trainer = Trainer(recipe, folder / recipe.name, world=world)
            trainer.folder.mkdir(parents=True, exist_ok=True)
            trainer.fit(pool)
            learnt = trainer.learner.state_dict()
            torch.save(learnt, folder / f"{recipe.name}-{world.rank}.pt")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
