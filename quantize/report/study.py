"""What a report is about: a float model, the data, and the sizes and sequences of its points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edge_ttvos import origin
from edge_ttvos.data.material import HELD_OUT, SEQUENCE_FOLDERS, find_material
from edge_ttvos.errors import DatasetError
from edge_ttvos.evaluation.datasets import Dataset, open_dataset
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.network.engine import rounded_up
from edge_ttvos.quantize.recipe import Recipe, as_dict, parse_bits

Size = tuple[int, int]
SetName = Literal["axes", "named", "grid"]

KIND = "davis2016"  # of the data folder's part and of the data set
BASE = "w8a8sfloat"
AXES_SIZE, NAMED_SIZE = (240, 432), (480, 864)  # height and width in pixels
AXES_SEQUENCES = ("blackswan", "camel", "parkour")  # easy and slow, occluded, long
RANKED = ("dog-agility", "drift-turn", "motorbike", "soccerball")  # of those set aside
REVISION = 1  # of what is computed: results of another are computed anew


@dataclass(frozen=True)
class Part:
    """Where points are scored: height and width in pixels, and the sequences."""

    size: Size
    sequences: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """Small enough to be sent to every process; each of them reads the same files.

    Attributes:
        model: the float checkpoint.
        sha256: of it.
        data: the data folder; ``davis2016`` in it is what points are scored on.
        recipe: what points have in common: observer, calibration, exceptions.
        axes: of one axis at a time, and of the grid.
        named: of the named points.
        choosing: where recipes are chosen, sequences that nothing is trained or scored on.
        ranked: of those, where layers are ranked.
        material: training sequences and their lengths.
    """

    model: Path
    sha256: str
    data: Path
    recipe: Recipe
    axes: Part
    named: Part
    choosing: tuple[str, ...]
    ranked: tuple[str, ...]
    material: tuple[tuple[str, int], ...]

    def part(self, name: SetName) -> Part:
        """Of a set of points."""
        return self.named if name == "named" else self.axes

    def scored(self, names: tuple[str, ...]) -> Dataset:
        """Sequences that points are scored on.

        Raises:
            DatasetError: one is missing.
        """
        return open_dataset(KIND, self.data / KIND, names)

    def chosen(self, names: tuple[str, ...]) -> Dataset:
        """Sequences set aside for choosing.

        Raises:
            DatasetError: one is missing.
        """
        return open_dataset(KIND, _set_aside(self.data), names)

    def identity(self) -> dict[str, Any]:
        """What every result depends on."""
        return {
            "revision": REVISION,
            "edge_ttvos": origin.version(),
            "sha256": self.sha256,
            "recipe": facts(self.recipe),
            "material": [list(pair) for pair in self.material],
        }


def facts(recipe: Recipe) -> dict[str, Any]:
    """Of a recipe, what scales and codes depend on: neither its name nor its training."""
    table = as_dict(recipe)
    return {key: value for key, value in table.items() if key not in ("name", "training")}


def open_study(
    path: Path,
    checkpoint: Checkpoint,
    data: Path,
    recipe: Recipe | None = None,
    sizes: tuple[Size | None, Size | None] = (None, None),
    sequences: tuple[str, ...] | None = None,
) -> Study:
    """Look whether all is there.

    Args:
        path: of the checkpoint.
        checkpoint: the float model.
        data: the data folder.
        recipe: what points have in common; their bits are the points' own.
        sizes: of the axes and of the named points.
        sequences: of the axes; named points take all.

    Raises:
        DatasetError: no training sequences, or none to score on.
    """
    axes, named = (
        rounded_up(given) if given is not None else usual
        for given, usual in zip(sizes, (AXES_SIZE, NAMED_SIZE), strict=True)
    )
    every = open_dataset(KIND, data / KIND)
    usual = AXES_SEQUENCES if set(AXES_SEQUENCES) <= set(every.names) else every.names[:3]
    chosen = every.select(sequences or usual)
    aside = _names_set_aside(data)
    return Study(
        path.resolve(),
        checkpoint.sha256,
        data.resolve(),
        parse_bits(BASE, recipe),
        Part(axes, chosen.names),
        Part(named, every.names),
        aside,
        tuple(name for name in RANKED if name in aside),
        tuple((name, len(pairs)) for name, pairs in find_material(data).sequences.items()),
    )


def require_set_aside(study: Study) -> None:
    """Raises:
    DatasetError: there is nothing to choose on.
    """
    if not study.ranked:
        folders = " or ".join(f"{study.data / name}" for name in SEQUENCE_FOLDERS)
        raise DatasetError(
            f"sensitivity and mixed precision are found on sequences set aside for choosing "
            f"({', '.join(HELD_OUT)}); expected some of {', '.join(RANKED)} in {folders}. Add "
            "them, or leave these parts out with --parts axes,named,stall,strips,latency"
        )


def _set_aside(data: Path) -> Path:
    for name in SEQUENCE_FOLDERS:
        if (data / name / "JPEGImages").is_dir():
            return data / name
    return data


def _names_set_aside(data: Path) -> tuple[str, ...]:
    try:
        names = open_dataset(KIND, _set_aside(data)).names
    except DatasetError:
        return ()
    return tuple(name for name in HELD_OUT if name in names)
