"""``run_bench``: measures a bundle on this machine, alone first, then several objects, then peers.

Alone first, so that speed, memory and accuracy are those of the bundle; what is compared is then
run again by turns with its peers, so that the ratios come from one and the same stretch of time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edge_ttvos.errors import DatasetError
from edge_ttvos.evaluation.datasets import Dataset, open_dataset, parse_sequences
from edge_ttvos.firmware_bridge import condition
from edge_ttvos.firmware_bridge.bench import comparison, objects
from edge_ttvos.firmware_bridge.bench.config import (
    PART,
    BenchConfig,
    Line,
    Listener,
    Surroundings,
)
from edge_ttvos.firmware_bridge.bench.contestants import MaskTracker
from edge_ttvos.firmware_bridge.bench.figure import FIGURE, draw
from edge_ttvos.firmware_bridge.bench.findings import Findings
from edge_ttvos.firmware_bridge.bench.first_frame import first_frame
from edge_ttvos.firmware_bridge.bench.operators import Slower, explain_slower
from edge_ttvos.firmware_bridge.bench.peers import FLOAT, open_peers
from edge_ttvos.firmware_bridge.bench.record import bench_json
from edge_ttvos.firmware_bridge.bench.reference import Reference, find_reference
from edge_ttvos.firmware_bridge.bench.table import show
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.evaluate import Evaluation, evaluate
from edge_ttvos.firmware_bridge.output import prepare_folder
from edge_ttvos.firmware_bridge.resident import Footprint
from edge_ttvos.weights import find_model

MASKS = "masks"
RESULT = "bench.json"
RESULTS = (MASKS, RESULT, FIGURE)
OBJECTS = 0.15  # of all work, for progress
ALONE = 0.35  # likewise, where peers follow

NORMAL = Surroundings()


def run_bench(
    config: BenchConfig, listener: Listener, around: Surroundings = NORMAL, root: Path = Path("/")
) -> dict[str, Any]:
    """Measure, keep ``bench.json`` true whatever happens, show the tables, draw ``bench.png``.

    Args:
        config: what to measure.
        listener: shows it.
        around: what the program around this run sees to.
        root: where the machine's ``sys`` stands.

    Returns:
        The content of bench.json.

    Raises:
        DatasetError, InputError: the data or the reference cannot be used.
        EngineError, ModelError: the model cannot be opened.
        OutputError: results cannot be written, or must not be overwritten.
    """
    dataset = _dataset(config)
    reference = find_reference(config.reference, config.model)
    with around.held():
        findings = _open(config, dataset, reference, root)
    with closing(findings.tracker):
        prepare_folder(config.out, RESULTS, config.overwrite, _inputs(config))

        def record(why: str | None) -> dict[str, Any]:
            return bench_json(findings, why)

        with around.keep(config.out / RESULT, record), listener.progress("bench") as line:
            _measure(config, findings, Steps(line, findings.watch.tick), around)
        result = record(None)
    show(result, listener)
    if findings.slower is not None:
        listener.say(f"{findings.slower}. Deploy the float model here")
    if not draw(result, config.out / FIGURE):
        listener.say(f"no {FIGURE}: matplotlib is missing; type: pip install matplotlib")
    return result


class Steps:
    """Progress over several stages, and what is to be done between frames.

    Args:
        line: told the share of all work.
        between: called each time.
    """

    def __init__(self, line: Line, between: Callable[[], None]) -> None:
        self._line, self._between = line, between
        self._done, self._stage = 0.0, 1.0

    @contextmanager
    def stage(self, share: float) -> Iterator[Callable[[str, float], None]]:
        """A stage that takes this share of all work; call with a name and the share of it done."""

        def update(name: str, done: float) -> None:
            self._between()
            self._line.update(self._done + share * min(done, 1.0), name)

        yield update
        self._done += share


def _dataset(config: BenchConfig) -> Dataset:
    root = config.data / PART
    if not root.is_dir():
        raise DatasetError(
            f"--data {config.data} must hold {PART} (JPEGImages/480p, Annotations/480p); there is "
            f"no {root}"
        )
    names = None if config.sequences is None else parse_sequences(config.sequences)
    return open_dataset(PART, root, names)


def _inputs(config: BenchConfig) -> list[str | Path]:
    given = [path for path in (config.reference, config.float_bundle) if path is not None]
    return [config.model, config.data, *given]


def _open(config: BenchConfig, dataset: Dataset, reference: Reference, root: Path) -> Findings:
    watch, footprint = condition.Watch(root), Footprint()
    tracker, first = first_frame(config, dataset.load(dataset.names[0]))
    return Findings(dataset, reference, tracker, first, watch, footprint)


def _measure(config: BenchConfig, found: Findings, steps: Steps, around: Surroundings) -> None:
    alone = ALONE if config.peers else 1 - OBJECTS
    with steps.stage(alone) as update:
        task = Evaluation(found.dataset, "mask", config.out / MASKS)
        for score in evaluate(found.tracker, task, found.latencies, update):
            found.scores.append(score)
            found.footprint.note()
    with steps.stage(OBJECTS) as update:
        found.objects = _objects(found, update)
    if config.peers:
        with steps.stage(1 - alone - OBJECTS) as update:
            _compare(config, found, update, around)
    found.watch.end()


def _objects(found: Findings, update: Callable[[str, float], None]) -> dict[str, Any]:
    sequence = found.dataset.load(found.dataset.names[0])
    frames = min(objects.FRAMES, len(sequence.frames) - 1)
    between = _counting(update, "objects", len(objects.COUNTS) * frames)
    return objects.cost_of_objects(found.tracker.engine, sequence, between)


def _compare(
    config: BenchConfig,
    found: Findings,
    update: Callable[[str, float], None],
    around: Surroundings,
) -> None:
    with around.held():
        peers, found.left_out = open_peers(found.tracker, config)
    contestants = [MaskTracker(comparison.OURS, found.tracker), *peers]
    try:
        found.comparison = comparison.Comparison(contestants)
        for index, sequence in enumerate(found.dataset):

            def step(name: str, share: float, done: int = index) -> None:
                update(name, (done + share) / len(found.dataset))

            between = _counting(step, sequence.name, len(contestants) * (len(sequence.frames) - 1))
            found.comparison.run(sequence, between)
        found.slower = _slower(config, found)
    finally:
        for peer in peers:
            peer.close()


def _slower(config: BenchConfig, found: Findings) -> Slower | None:
    """INT8 against float32 by their turns; None without the latter."""
    assert found.comparison is not None
    entries, tracker = found.comparison.entries, found.tracker
    if FLOAT not in entries or config.float_bundle is None:
        return None
    ours, theirs = (np.median(entries[n].series.model) for n in (comparison.OURS, FLOAT))
    frame, info = tracker.model.frame, tracker.engine.info
    options = EngineOptions((frame.height, frame.width), info.threads)
    bundles = find_model(config.model), config.float_bundle
    return explain_slower(info.name, (float(ours), float(theirs)), bundles, options)


def _counting(update: Callable[[str, float], None], name: str, total: int) -> Callable[[int], None]:
    """Turns numbers of frames into the share done."""
    done = 0

    def between(frames: int) -> None:
        nonlocal done
        done += frames
        update(name, done / total)

    return between
