"""What a benchmark is asked for, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from edge_ttvos.errors import OutputError
from edge_ttvos.files import write_json
from edge_ttvos.firmware_bridge.engines.base import EngineOptions

PART = "davis2016"  # of the data folder, and the kind of data set that it is
PEERS = "peers"  # likewise: other trackers' files

UNFINISHED = "not finished: the run is still going, or was killed"

Record = Callable[["str | None"], dict[str, Any]]  # why the run is not complete → its JSON


@dataclass(frozen=True)
class BenchConfig:
    """What ``bench`` was asked for.

    Attributes:
        model: a bundle, or whatever else an engine opens.
        data: folder with ``davis2016`` and, for the peer, ``peers``.
        out: folder for the results.
        sequences: names parted by commas or a file of them; None: all.
        reference: the float model's eval.json; None: what the bundle's manifest holds.
        engine: None: the model's own.
        options: of the engine.
        peers: whether others are measured beside it.
        float_bundle: the same network in float32 for the same engine, measured beside INT8.
        overwrite: replace older results.
    """

    model: str
    data: Path
    out: Path
    sequences: str | None = None
    reference: Path | None = None
    engine: str | None = None
    options: EngineOptions = field(default_factory=EngineOptions)
    peers: bool = True
    float_bundle: str | None = None
    overwrite: bool = False


class Line(Protocol):
    """One task's progress."""

    def update(self, share: float | None, note: str = "") -> None:
        """``share`` of the work is done, 0…1."""


class Listener(Protocol):
    """Shows a run to people."""

    def say(self, text: str, verbosity: int = 0) -> None:
        """A line of text; above 0 for those who want to know more."""

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], total: bool = False
    ) -> None:
        """A table; ``total`` sets its last row apart."""

    def progress(self, task: str) -> AbstractContextManager[Line]:
        """Show a task's progress while the block runs."""


@contextmanager
def kept(file: Path, record: Record) -> Iterator[None]:
    """Keep a run's JSON true around it, whatever ends it.

    Raises:
        OutputError: it cannot be written.
    """
    write_json(file, record(UNFINISHED))
    try:
        yield
    except BaseException as error:
        said = " ".join(str(error).split())
        with suppress(OutputError):  # the error that is under way matters more
            write_json(file, record(said or type(error).__name__))
        raise
    write_json(file, record(None))


@dataclass(frozen=True)
class Surroundings:
    """What the program around a run sees to.

    Attributes:
        keep: keeps bench.json true around the run.
        held: holds signals back around imports, which break when interrupted.
    """

    keep: Callable[[Path, Record], AbstractContextManager[None]] = kept
    held: Callable[[], AbstractContextManager[None]] = nullcontext
