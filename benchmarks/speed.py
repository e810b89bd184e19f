"""Milliseconds a frame of the tracker, by size and number of objects.

    python benchmarks/speed.py [--engine torch] [--threads 2] [--json speed.json]

Plays the demo's clip forward and backward; objects are boxes side by side, since the time depends
on their number and not on what they show. Medians over the frames after a warm-up; the model's own
time and the arithmetic around it (glue) apart. Nothing else should run on the machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from edge_ttvos.cli.console import Screen
from edge_ttvos.cli.guard import guarded
from edge_ttvos.cli.options import parse_size
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.latency import MODEL_STAGES
from edge_ttvos.firmware_bridge.prompts import Box
from edge_ttvos.firmware_bridge.protocol import protocol
from edge_ttvos.firmware_bridge.sources import open_source
from edge_ttvos.firmware_bridge.tracker import Tracker

CLIP = next((Path(__file__).parent.parent / "examples" / "demo" / "JPEGImages").iterdir())
WARM_UP = 5  # frames


def speed(
    sizes: Annotated[str, typer.Option("--sizes", help="HxW, comma between.")] = "240x432,480x864",
    objects: Annotated[str, typer.Option("--objects", help="Numbers, comma between.")] = "1,3,5",
    frames: Annotated[int, typer.Option("--frames", help="Frames timed for each.", min=1)] = 60,
    model: str = "default",
    engine: str | None = None,
    threads: int | None = None,
    json: Path | None = None,
) -> None:
    """Time every combination of size and number of objects."""
    with open_source(CLIP) as source:
        clip = [frame.image for frame in source]
    results = []
    for size in sizes.split(","):
        options = EngineOptions(parse_size(size), threads)
        for count in map(int, objects.split(",")):
            results.append(measure(model, engine, options, clip, count, frames))
    show = Screen(json)
    rows = [
        (
            r["protocol"]["resolution"],
            str(r["protocol"]["objects"]),
            f"{r['ms']:.1f}",
            f"{r['model_ms']:.1f}",
            f"{r['glue_ms']:.1f}",
            f"{1e3 / r['ms']:.1f}",
        )
        for r in results
    ]
    info = results[0]["protocol"]
    title = (
        f"{info['engine']} {info['engine_version']}, {info['threads']} threads, {info['device']}"
    )
    show.table(title, ("size", "objects", "ms", "model ms", "glue ms", "frames/s"), rows)
    show.say(f"medians of {frames} frames; timed: {info['timed']}")
    show.result({"schema": 1, "complete": True, "results": results})


def measure(
    model: str,
    engine: str | None,
    options: EngineOptions,
    clip: list[NDArray[np.uint8]],
    objects: int,
    frames: int,
) -> dict[str, Any]:
    """Medians over ``frames`` frames with ``objects`` objects."""
    tracker = Tracker.open(model, engine, objects, options)
    height, width = clip[0].shape[:2]
    step = width // objects
    tracker.start(clip[0], [Box(i * step, height // 4, step - 8, 160) for i in range(objects)])
    there_and_back = [*clip[1:], *clip[-2::-1]]
    timings = [
        tracker.step(there_and_back[i % len(there_and_back)]).timings
        for i in range(WARM_UP + frames)
    ][WARM_UP:]
    whole = float(np.median([sum(t.values()) for t in timings]))
    own = float(np.median([sum(t[stage] for stage in MODEL_STAGES) for t in timings]))
    return {
        "ms": whole,
        "model_ms": own,
        "glue_ms": whole - own,
        "stages_ms": {k: float(np.median([t[k] for t in timings])) for k in timings[0]},
        "protocol": protocol(tracker, (height, width)),
    }


if __name__ == "__main__":
    typer.run(guarded(speed))
