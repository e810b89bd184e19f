"""Where an engine spends a frame's time, operator by operator, as its own profiler tells.

And, where INT8 is slower than float32, the two side by side. A profile is a run of its own: with
the profiler on everything takes a little longer, so shares are to be trusted, not sums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from edge_ttvos.firmware_bridge.bundle.reader import open_bundle
from edge_ttvos.firmware_bridge.engines import load_opener
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.engines.graphs import choose

RUNS = 10  # of each graph, averaged
NAMED = 4  # operators in a message

Times = Mapping[str, float]  # milliseconds a frame by kind of operator


@dataclass(frozen=True)
class Slower:
    """INT8 that takes longer than float32 does in the same engine, and on what.

    Attributes:
        engine: that runs both.
        int8_ms: median of the model's time in a frame.
        float_ms: likewise.
        int8_operators: milliseconds a frame by kind, the longest first; None: no profiler.
        float_operators: likewise.
    """

    engine: str
    int8_ms: float
    float_ms: float
    int8_operators: Times | None
    float_operators: Times | None

    def __str__(self) -> str:
        """For people."""
        told = (
            f"INT8 is slower than float32 in {self.engine} here: {self.int8_ms:.1f} ms against "
            f"{self.float_ms:.1f} ms for the model's part of a frame"
        )
        if self.int8_operators is None or self.float_operators is None:
            return f"{told}; {self.engine} has no profiler that would tell on which operators"
        return (
            f"{told}. INT8 spends {_longest(self.int8_operators)}; "
            f"float32 {_longest(self.float_operators)}"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "engine": self.engine,
            "model_ms": {"int8": round(self.int8_ms, 3), "fp32": round(self.float_ms, 3)},
            "operators_ms": {
                "int8": _rounded(self.int8_operators),
                "fp32": _rounded(self.float_operators),
            },
        }


def explain_slower(
    engine: str,
    milliseconds: tuple[float, float],
    bundles: tuple[str, str],
    options: EngineOptions,
) -> Slower | None:
    """Why INT8 is slower; None where it is not.

    Args:
        engine: that runs both.
        milliseconds: of INT8 and of float32.
        bundles: INT8 and float32.
        options: size and threads of both.

    Raises:
        BundleError, EngineError: a bundle cannot be opened with that engine.
    """
    int8_ms, float_ms = milliseconds
    if int8_ms <= float_ms:
        return None
    times = [operator_times(bundle, engine, options) for bundle in bundles]
    return Slower(engine, int8_ms, float_ms, *times)


def operator_times(bundle: str, engine: str, options: EngineOptions) -> Times | None:
    """Milliseconds a frame of one object by kind of operator, the longest first.

    None where the engine's library has no profiler. The names are the library's own.

    Raises:
        BundleError, EngineError: the bundle cannot be opened with that engine.
    """
    module = import_module(load_opener(engine).__module__)
    if (profile := getattr(module, "operator_times", None)) is None:
        return None
    total: Counter[str] = Counter()
    with open_bundle(Path(bundle)) as opened:
        graph = choose(opened.manifest, options.size)
        for file in (graph.encode, graph.embed, graph.decode):
            total.update(profile(opened.folder / file, options.threads or 0, RUNS))
    return dict(total.most_common())


def _longest(times: Times) -> str:
    whole = sum(times.values()) or 1.0
    named = list(times.items())[:NAMED]
    return ", ".join(f"{100 * ms / whole:.0f} % in {kind} ({ms:.2f} ms)" for kind, ms in named)


def _rounded(times: Times | None) -> dict[str, float] | None:
    return None if times is None else {kind: round(ms, 4) for kind, ms in times.items()}
