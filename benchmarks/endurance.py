"""A clip played forward and backward for thousands of frames: memory, and whether the object holds.

    python benchmarks/endurance.py --root DAVIS [--sequences a,b] [--frames 2000] [--model BUNDLE]
        [--engine E] [--json FILE]

For each sequence: resident memory at frame 100 and at the end, its slope between them by least
squares, and the first of 25 frames in a row with J < 0.1 (the object is gone for good).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from edge_ttvos.cli.console import ProgressLine, Screen
from edge_ttvos.cli.guard import guarded
from edge_ttvos.cli.options import parse_size
from edge_ttvos.evaluation.datasets import Sequence, open_dataset, parse_sequences
from edge_ttvos.evaluation.jaccard import jaccard
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.evaluate import prompts
from edge_ttvos.firmware_bridge.protocol import protocol
from edge_ttvos.firmware_bridge.resident import resident_bytes
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker

FIRST = 100  # frame at which memory is taken as settled
GONE_FRAMES, GONE_J = 25, 0.1


def endurance(
    root: Annotated[Path, typer.Option("--root", help="A data set in the DAVIS layout.")],
    sequences: str | None = None,
    frames: Annotated[int, typer.Option("--frames", min=FIRST + 1)] = 2000,
    size: str | None = None,
    model: str = "default",
    engine: str | None = None,
    threads: int | None = None,
    json: Path | None = None,
) -> None:
    """Play every sequence forward and backward."""
    names = None if sequences is None else parse_sequences(sequences)
    dataset = open_dataset("davis2016", root, names)
    options = EngineOptions(None if size is None else parse_size(size), threads)
    tracker = Tracker.open(model, engine, 1, options)
    show, results = Screen(json), {}
    with show.progress("endurance") as line:
        for index, sequence in enumerate(dataset):
            results[sequence.name] = play(tracker, sequence, frames, line, index, len(dataset))
    rows = [
        (
            name,
            f"{r['rss_first'] / 2**20:.1f}",
            f"{r['rss_last'] / 2**20:.1f}",
            f"{r['rss_peak'] / 2**20:.1f}",
            f"{r['rss_bytes_per_frame']:+.1f}",
            f"{100 * r['J']:.1f}",
            "never" if r["gone_at"] is None else str(r["gone_at"]),
        )
        for name, r in results.items()
    ]
    columns = (
        "sequence",
        f"RSS MiB at {FIRST}",
        f"at {frames}",
        "peak",
        "bytes a frame",
        "J",
        "gone at frame",
    )
    show.table(f"{frames} frames forward and backward", columns, rows)
    record = {"schema": 1, "complete": True, "frames": frames, "sequences": results}
    show.result({**record, "protocol": protocol(tracker)})


def play(
    tracker: Tracker, sequence: Sequence, frames: int, line: ProgressLine, index: int, count: int
) -> dict[str, Any]:
    """One sequence; frames and masks are read again each time, so that memory is the tracker's."""
    stems = list(sequence.annotations)
    paths = {path.stem: path for path in sequence.frames}
    there_and_back = [*stems, *stems[-2:0:-1]]
    tracker.start(read_image(paths[stems[0]]), prompts(sequence.start_masks(stems[0]), "mask"))
    scores = np.full(frames, -1.0)  # written beforehand, so that nothing but a leak can grow
    held = scores.copy()
    for number in range(1, frames + 1):
        stem = there_and_back[number % len(there_and_back)]
        result = tracker.step(read_image(paths[stem]))
        truth = sequence.read(sequence.annotations[stem]) > 0
        scores[number - 1] = jaccard(result.mask > 0, truth)
        held[number - 1] = resident_bytes() or 0
        line.update((index + number / frames) / count, f"{sequence.name} {number}")
    return {
        "rss_first": int(held[FIRST - 1]),
        "rss_last": int(held[-1]),
        "rss_peak": int(held.max()),
        "rss_bytes_per_frame": slope(held[FIRST - 1 :]),
        "J": float(np.mean(scores)),
        "gone_at": gone_at(scores),
    }


def slope(values: NDArray[np.float64]) -> float:
    """What a line through the values, by least squares, gains from one to the next."""
    return float(np.polyfit(np.arange(values.size), values, 1)[0])


def gone_at(scores: NDArray[np.float64]) -> int | None:
    """First of ``GONE_FRAMES`` frames in a row with J below ``GONE_J``, from 1; None: never."""
    run = 0
    for number, score in enumerate(scores, start=1):
        run = run + 1 if score < GONE_J else 0
        if run == GONE_FRAMES:
            return number - GONE_FRAMES + 1
    return None


if __name__ == "__main__":
    typer.run(guarded(endurance))
