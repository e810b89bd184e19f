"""YouTube-VOS: objects that start at any frame, annotations every few frames, 255 is void.

Counted are the annotated frames after each object's first, the last one kept. Where ``meta.json``
knows a sequence, it names the objects and their first frames; else the annotations do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from edge_ttvos.errors import DatasetError
from edge_ttvos.evaluation.datasets.base import (
    VOID,
    Dataset,
    Sequence,
    after_first,
    first_seen,
    open_layout,
)
from edge_ttvos.evaluation.datasets.layout import Files, find_layout

NAME = "youtube-vos"
META = "meta.json"

Meta = Mapping[str, Mapping[int, str]]  # sequence → object → first frame


def open_root(root: Path) -> Dataset:
    """Open a folder with ``JPEGImages/`` and ``Annotations/``, in it or in its ``valid/``.

    Raises:
        DatasetError: neither has them, or meta.json is not as published.
    """
    if not (root / "JPEGImages").is_dir() and (root / "valid").is_dir():
        root = root / "valid"
    meta = read_meta(root / META) if (root / META).is_file() else {}
    return open_layout(NAME, find_layout(root), partial(load, meta))


def load(meta: Meta, files: Files) -> Sequence:
    """A sequence whose objects and first frames come from ``meta``, else from the annotations.

    Raises:
        DatasetError: no object at all, or one that starts at a frame without annotation.
        MaskError: an annotation that had to be read cannot be.
    """
    first = meta.get(files.name) or first_seen(files.annotations)
    if not first:
        raise DatasetError(f"sequence {files.name} shows no object: expected values 1…254")
    for number, stem in first.items():
        if stem not in files.annotations:
            raise DatasetError(
                f"{META} says that object {number} of {files.name} starts at frame {stem}, "
                "which has no annotation"
            )
    return Sequence(
        name=files.name,
        frames=files.frames,
        annotations=files.annotations,
        first=first,
        scored=after_first(first, files.annotations),
    )


def read_meta(path: Path) -> Meta:
    """First frame of each object of each sequence, ids ascending, from a meta.json.

    Raises:
        DatasetError: it is not ``{"videos": {name: {"objects": {id: {"frames": [...]}}}}}``.
    """
    try:
        videos = json.loads(path.read_text("utf-8"))["videos"]
        return {name: _first_frames(video["objects"]) for name, video in videos.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f'{path} must be {{"videos": {{name: {{"objects": {{id: {{"frames": [...]}}}}}}}}}} '
            f"with ids 1…{VOID - 1} and at least one frame each; got {error!r}"
        ) from error


def _first_frames(objects: Mapping[str, Any]) -> dict[int, str]:
    first = {int(number): min(map(str, entry["frames"])) for number, entry in objects.items()}
    if any(not 0 < number < VOID for number in first):
        raise ValueError(f"ids {sorted(first)}")
    return dict(sorted(first.items()))
