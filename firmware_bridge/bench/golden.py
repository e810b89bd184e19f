"""A bundle's speed on its own golden clip, for a board without data: no accuracy, only time."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

from edge_ttvos.evaluation.masks import read_mask
from edge_ttvos.files import write_json
from edge_ttvos.firmware_bridge.bench import first_frame
from edge_ttvos.firmware_bridge.bench.config import BenchConfig
from edge_ttvos.firmware_bridge.bench.first_frame import FirstFrame, open_and_start
from edge_ttvos.firmware_bridge.bench.record import glue
from edge_ttvos.firmware_bridge.bundle.reader import open_bundle
from edge_ttvos.firmware_bridge.condition import Watch
from edge_ttvos.firmware_bridge.latency import Latencies
from edge_ttvos.firmware_bridge.output import prepare_folder
from edge_ttvos.firmware_bridge.protocol import protocol
from edge_ttvos.firmware_bridge.resident import Footprint
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker

RESULT = "bench.json"
SECONDS = 5.0  # the clip is followed again and again until these have passed
NO_ACCURACY = dict.fromkeys(("J&F", "J&F_float", "J&F_loss"))


def bench_golden(config: BenchConfig) -> dict[str, Any]:
    """Follow the golden clip of a bundle's first size for some seconds, at least once.

    Args:
        config: ``model`` must be a bundle; ``data`` and what goes with it is not looked at.

    Returns:
        The content of bench.json, J&F null.

    Raises:
        BundleError, EngineError: the bundle cannot be opened.
        OutputError: bench.json cannot be written, or must not be overwritten.
    """
    prepare_folder(config.out, (RESULT,), config.overwrite, (config.model,))
    watch, footprint, latencies = Watch(), Footprint(), Latencies()
    with open_bundle(Path(config.model)) as bundle:
        golden = bundle.manifest.graphs[0].golden
        frames = [read_image(bundle.folder / name) for name in golden.frames]
        given = read_mask(bundle.folder / golden.masks[0])
    tracker, first = open_and_start(config, frames[0], given)
    with closing(tracker):
        until = time.monotonic() + SECONDS
        while not latencies.frames or time.monotonic() < until:
            tracker.start(frames[0], given)
            for frame in frames[1:]:
                latencies.add(tracker.step(frame).timings)
                watch.tick()
        footprint.note()
        watch.end()
        record = _record(tracker, first, latencies, watch, footprint)
    write_json(config.out / RESULT, record)
    return record


def _record(
    tracker: Tracker, first: FirstFrame, latencies: Latencies, watch: Watch, footprint: Footprint
) -> dict[str, Any]:
    speed, known = latencies.to_json(), protocol(tracker)
    speed["latency_ms"]["stages"] = latencies.stages_to_json()
    return {
        "schema": 1,
        "complete": True,
        "throttled": watch.throttled,
        **speed,
        "glue": glue(latencies),
        "first_frame_ms": first.to_json(),
        "memory": {"arena_bytes": tracker.arena_bytes, **footprint.to_json()},
        **NO_ACCURACY,
        "sequences": {},
        "condition": watch.to_json(),
        "protocol": {
            **known,
            "dataset": "golden clip",
            "timed_first_frame": first_frame.TIMED,
            "frames_timed": latencies.frames,
        },
    }
