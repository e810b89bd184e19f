"""Where a data folder keeps its training material: files, not what is in them.

    DATA/stills/      images/*.jpg and masks/*.png: photographs with one object each
    DATA/sequences/   JPEGImages/[480p/]<sequence>/ and Annotations/[480p/]<sequence>/, or
                      frames/[<sequence>/] and masks/[<sequence>/]

``duts-288`` may stand for ``stills`` and ``davis2016-train-324p`` for ``sequences``;
DATA may itself be either. Sequences for choosing and for evaluation are left out by their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_ttvos.errors import DatasetError
from edge_ttvos.evaluation.datasets import folder
from edge_ttvos.evaluation.datasets.layout import IMAGES, Layout, find_layout

STILLS = "duts-288"
SEQUENCES = "davis2016-train-324p"
STILL_FOLDERS = ("stills", STILLS)
SEQUENCE_FOLDERS = ("sequences", SEQUENCES)

HELD_OUT = ("breakdance-flare", "dog-agility", "drift-turn", "hike", "motorbike", "soccerball")
VALIDATION = (
    *("blackswan", "bmx-trees", "breakdance", "camel", "car-roundabout", "car-shadow", "cows"),
    *("dance-twirl", "dog", "drift-chicane", "drift-straight", "goat", "horsejump-high"),
    *("kite-surf", "libby", "motocross-jump", "paragliding-launch", "parkour", "scooter-black"),
    "soapbox",
)  # of DAVIS-2016: whoever points at all of it must not train on these

Pair = tuple[Path, Path]  # an image and its mask


@dataclass(frozen=True)
class Material:
    """Pairs of image and mask: of each photograph, and of each frame of each sequence by name."""

    stills: tuple[Pair, ...]
    sequences: Mapping[str, tuple[Pair, ...]]


def find_material(root: Path) -> Material:
    """List what can be trained on; masks of photographs may turn out to be missing.

    Raises:
        DatasetError: nothing is there, a frame lacks its mask or a mask its frame, or two sequences
            have one name.
    """
    photographs = [root / name for name in STILL_FOLDERS if (root / name).is_dir()]
    films = [root / name for name in SEQUENCE_FOLDERS if (root / name).is_dir()]
    if (root / "images").is_dir() and (root / "masks").is_dir():
        photographs.append(root)
    if (root / "JPEGImages").is_dir() or (root / "frames").is_dir():
        films.append(root)
    material = Material(
        tuple(pair for place in photographs for pair in _stills(place)), _sequences(films)
    )
    if not material.stills and not material.sequences:
        raise DatasetError(
            f"{root} holds no training data: expected {' or '.join(STILL_FOLDERS)}/ with images/ "
            f"and masks/, or {' or '.join(SEQUENCE_FOLDERS)}/ with JPEGImages/ and Annotations/ "
            "(the sequences of DAVIS-2016 for choosing and validation do not count)"
        )
    return material


def _stills(place: Path) -> list[Pair]:
    files = sorted((place / "images").glob("*"))
    images = [file for file in files if file.suffix.lower() in IMAGES and file.name[0] != "."]
    return [(image, place / "masks" / f"{image.stem}.png") for image in images]


def _sequences(places: list[Path]) -> dict[str, tuple[Pair, ...]]:
    found: dict[str, tuple[Pair, ...]] = {}
    for place in places:
        layout = _layout(place)
        for name in _names(layout):
            if name in found:
                raise DatasetError(f"{place} has a sequence {name} that stands elsewhere too")
            found[name] = _pairs(layout, name)
    return found


def _layout(place: Path) -> Layout:
    if (place / "JPEGImages").is_dir():
        return find_layout(place)
    return folder.open_root(place).layout


def _names(layout: Layout) -> list[str]:
    """All that have frames, so that one without masks is an error rather than left out."""
    if layout.only is not None:
        return [layout.only]
    names = sorted(entry.name for entry in layout.frames.iterdir() if entry.is_dir())
    return [name for name in names if name not in VALIDATION and name not in HELD_OUT]


def _pairs(layout: Layout, name: str) -> tuple[Pair, ...]:
    files = layout.files(name)
    files.require_annotations()
    return tuple((frame, files.annotations[frame.stem]) for frame in files.frames)
