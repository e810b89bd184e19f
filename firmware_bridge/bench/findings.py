"""What a benchmark has found so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edge_ttvos.evaluation.datasets import Dataset
from edge_ttvos.evaluation.report import SequenceScore
from edge_ttvos.firmware_bridge.bench.comparison import Comparison
from edge_ttvos.firmware_bridge.bench.first_frame import FirstFrame
from edge_ttvos.firmware_bridge.bench.operators import Slower
from edge_ttvos.firmware_bridge.bench.reference import Reference
from edge_ttvos.firmware_bridge.condition import Watch
from edge_ttvos.firmware_bridge.latency import Latencies
from edge_ttvos.firmware_bridge.resident import Footprint
from edge_ttvos.firmware_bridge.tracker import Tracker


@dataclass
class Findings:
    """What has been measured so far; ``record.bench_json`` makes it JSON.

    Attributes:
        dataset: all that is to be measured on.
        reference: the float model's figures.
        tracker: the bundle, opened for one object.
        first: until the first mask.
        watch: the machine's condition.
        footprint: the process's memory.
        latencies: of the bundle alone.
        scores: of the sequences that are finished.
        objects: what further objects cost.
        comparison: with the peers.
        left_out: peers that could not run, and why.
        slower: why INT8 is slower than float32; None where it is not, or was not compared.
    """

    dataset: Dataset
    reference: Reference
    tracker: Tracker
    first: FirstFrame
    watch: Watch
    footprint: Footprint
    latencies: Latencies = field(default_factory=Latencies)
    scores: list[SequenceScore] = field(default_factory=list)
    objects: dict[str, Any] | None = None
    comparison: Comparison | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    slower: Slower | None = None
