"""Who is measured beside the bundle. A new peer is one function here and a line in ``PEERS``.

Each opens a contestant, or raises an EdgeTtvosError that says why it is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from edge_ttvos.errors import EdgeTtvosError, EngineError
from edge_ttvos.firmware_bridge.bench.config import PEERS as FOLDER
from edge_ttvos.firmware_bridge.bench.config import BenchConfig
from edge_ttvos.firmware_bridge.bench.contestants import MaskTracker
from edge_ttvos.firmware_bridge.bench.nanotrack import NAME as NANOTRACK
from edge_ttvos.firmware_bridge.bench.nanotrack import NanoTrack
from edge_ttvos.firmware_bridge.bench.turns import Contestant
from edge_ttvos.firmware_bridge.bundle.reader import open_bundle
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.weights import find_checkpoint

EAGER = "pytorch-eager"
HALF, HALF_ENGINE = "bfloat16", "openvino"
FLOAT = "float32"
CHECKPOINT, ENGINE = "default", "torch"

Opener = Callable[[Tracker, BenchConfig], Contestant]


def open_eager(ours: Tracker, config: BenchConfig) -> Contestant:
    """PyTorch, eager, in float32: the same network, size and threads.

    Beside INT8, the network that the bundle of ``--float`` was made from.
    """
    if ours.engine.info.name == ENGINE:
        raise EngineError("it is what is measured here")
    made_from = ours.model.sha256
    if ours.model.codes:
        if config.float_bundle is None:
            raise EngineError("the bundle holds INT8 alone; --float names the float32 one")
        with open_bundle(Path(config.float_bundle)) as bundle:
            made_from = bundle.manifest.model.sha256
    shipped = hashlib.sha256(find_checkpoint(CHECKPOINT).read_bytes()).hexdigest()
    if made_from != shipped:
        raise EngineError(
            f"the bundle was made from another checkpoint ({made_from[:12]}…) than the shipped "
            f"one ({shipped[:12]}…)"
        )
    frame, threads = ours.model.frame, ours.engine.info.threads
    options = EngineOptions((frame.height, frame.width), threads)
    return MaskTracker(EAGER, Tracker.open(CHECKPOINT, ENGINE, 1, options))


def open_nanotrack(ours: Tracker, config: BenchConfig) -> Contestant:
    """NanoTrack v2 through OpenCV, on as many threads."""
    return NanoTrack(config.data / FOLDER, ours.engine.info.threads)


def open_bfloat16(ours: Tracker, config: BenchConfig) -> Contestant:
    """The same bundle computed in bfloat16; OpenVINO alone does it."""
    info, frame = ours.engine.info, ours.model.frame
    if info.name != HALF_ENGINE:
        raise EngineError(f"{info.name} does not compute in bfloat16 on processors")
    options = EngineOptions((frame.height, frame.width), info.threads, bfloat16=True)
    return MaskTracker(HALF, Tracker.open(config.model, HALF_ENGINE, 1, options))


def open_float(ours: Tracker, config: BenchConfig) -> Contestant:
    """The float32 bundle of ``--float`` in the engine, at the size and on the threads of ours."""
    info, frame = ours.engine.info, ours.model.frame
    if not ours.model.codes:
        raise EngineError("it is what is measured here")
    if config.float_bundle is None:
        raise EngineError(
            "the bundle holds INT8 alone; to compare: edge-ttvos deploy --model default --target "
            f"host --engine {info.name} --size {frame.height}x{frame.width} --out float, then "
            "bench with --float float"
        )
    options = EngineOptions((frame.height, frame.width), info.threads)
    tracker = Tracker.open(config.float_bundle, info.name, 1, options)
    if tracker.model.codes:
        tracker.close()
        raise EngineError(
            f"--float must be a float32 bundle; {config.float_bundle} is {tracker.model.precision}"
        )
    return MaskTracker(FLOAT, tracker)


PEERS: dict[str, Opener] = {
    FLOAT: open_float,
    EAGER: open_eager,
    HALF: open_bfloat16,
    NANOTRACK: open_nanotrack,
}


def open_peers(ours: Tracker, config: BenchConfig) -> tuple[list[Contestant], dict[str, str]]:
    """Those that can run here, and why the others cannot."""
    opened: list[Contestant] = []
    left_out: dict[str, str] = {}
    try:
        for name, opener in PEERS.items():
            try:
                opened.append(opener(ours, config))
            except EdgeTtvosError as error:
                left_out[name] = str(error)
    except BaseException:
        for peer in opened:
            peer.close()
        raise
    return opened, left_out
