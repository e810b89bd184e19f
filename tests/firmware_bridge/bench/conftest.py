"""Two small sequences in DAVIS's layout, and someone who listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge_ttvos.evaluation import datasets
from edge_ttvos.evaluation.masks import write_mask
from edge_ttvos.firmware_bridge.bench.config import BenchConfig
from edge_ttvos.firmware_bridge.bench.turns import Outcome
from edge_ttvos.firmware_bridge.evaluate import bounding_box
from edge_ttvos.firmware_bridge.prompts import Box

NAMES = ("dusk", "walk")
KINDS = ("JPEGImages", "Annotations")


@pytest.fixture
def data(make_clip: Callable[..., Any], tmp_path: Path) -> Path:
    """A data folder whose davis2016 part holds ``NAMES``, 7 and 14 frames."""
    for name, count in zip(NAMES, (7, 14), strict=True):
        clip = make_clip(count=count)
        places = [tmp_path / "davis2016" / kind / "480p" / name for kind in KINDS]
        for place in places:
            place.mkdir(parents=True)
        for index, (frame, labels) in enumerate(zip(clip.frames, clip.labels, strict=True)):
            Image.fromarray(frame).save(places[0] / f"{index:05d}.jpg", quality=95)
            write_mask(places[1] / f"{index:05d}.png", labels)
    return tmp_path


@pytest.fixture
def dataset(data: Path) -> datasets.Dataset:
    """The same, opened."""
    return datasets.open_dataset("davis2016", data / "davis2016")


@pytest.fixture
def config(data: Path, checkpoint: Callable[[str], Path]) -> BenchConfig:
    """A network of random weights on that data."""
    return BenchConfig(str(checkpoint("release")), data, data / "out", engine="torch")


@dataclass
class Ear:
    """Keeps all that it is told.

    Attributes:
        interrupt_at: the name in whose progress Ctrl-C comes.
    """

    lines: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    interrupt_at: str | None = None

    def say(self, text: str, verbosity: int = 0) -> None:
        self.lines.append(text)

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], total: bool = False
    ) -> None:
        assert all(len(row) == len(columns) for row in rows)
        self.titles.append(title)

    @contextmanager
    def progress(self, task: str) -> Iterator[Ear]:
        yield self

    def update(self, share: float | None, note: str = "") -> None:
        assert share is not None
        self.shares.append(share)
        if note == self.interrupt_at:
            raise KeyboardInterrupt


@pytest.fixture
def ear() -> Ear:
    """A listener."""
    return Ear()


class Knowing:
    """A simulator of a contestant that was told where the object will be.

    Args:
        labels: of each frame.
        milliseconds: what it says that a frame takes.
        shift: pixels by which its boxes are off.
        masks: whether it gives masks.
    """

    def __init__(
        self, labels: Sequence[Any], milliseconds: float, shift: int = 0, masks: bool = False
    ) -> None:
        self.name, self.facts = "knowing", {"engine": "none", "engine_version": "0"}
        self._labels, self._milliseconds = labels, milliseconds
        self._shift, self._masks = shift, masks
        self.started, self.closed = 0, False

    def start(self, frame: Any, mask: Any) -> None:
        assert (mask == (self._labels[0] == 1)).all()
        self._at, self.started = 0, self.started + 1

    def step(self, frame: Any) -> Outcome:
        self._at += 1
        mask = (self._labels[self._at] == 1).astype(np.uint8)
        box = bounding_box(mask > 0)
        box = Box(box.x + self._shift, box.y, box.width, box.height)
        timings: Mapping[str, float] = {"update": self._milliseconds}
        return Outcome(timings, box, mask if self._masks else None)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def make_knowing() -> type[Knowing]:
    """The simulator's class."""
    return Knowing
