"""Which operators take the time, and what is told where INT8 is slower."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_ttvos.firmware_bridge.bench.operators import Slower, explain_slower, operator_times
from edge_ttvos.firmware_bridge.engines.base import EngineOptions

Deployed = Callable[[str, Path], Path]
OPTIONS = EngineOptions(threads=1)


@pytest.mark.parametrize(
    ("engine", "kinds"),
    [("onnxruntime", {"Conv", "Resize"}), ("openvino", {"Convolution", "Interpolate"})],
)
def test_a_profile_names_the_graphs_operators(
    engine: str, kinds: set[str], deployed: Deployed, checkpoint: Callable[[str], Path]
) -> None:
    pytest.importorskip(engine)
    bundle = deployed(engine, checkpoint("release"))

    times = operator_times(str(bundle), engine, OPTIONS)

    assert times is not None
    assert kinds <= set(times)
    assert all(times[kind] > 0 for kind in kinds)
    assert list(times.values()) == sorted(times.values(), reverse=True)


def test_an_engine_without_a_profiler_says_so(
    deployed: Deployed, checkpoint: Callable[[str], Path]
) -> None:
    pytest.importorskip("ai_edge_litert")
    bundle = str(deployed("litert", checkpoint("release")))

    slower = explain_slower("litert", (2.0, 1.0), (bundle, bundle), OPTIONS)

    assert slower is not None
    assert slower.to_json()["operators_ms"] == {"int8": None, "fp32": None}
    assert "litert has no profiler" in str(slower)


def test_nothing_is_told_where_int8_is_not_slower() -> None:
    assert explain_slower("onnxruntime", (1.0, 1.0), ("no such", "bundle"), OPTIONS) is None


def test_the_longest_operators_are_named_with_their_share() -> None:
    slower = Slower("onnxruntime", 53.0, 29.0, {"QLinearConv": 9.0, "Resize": 1.0}, {"Conv": 2.0})

    assert str(slower) == (
        "INT8 is slower than float32 in onnxruntime here: 53.0 ms against 29.0 ms for the model's "
        "part of a frame. INT8 spends 90 % in QLinearConv (9.00 ms), 10 % in Resize (1.00 ms); "
        "float32 100 % in Conv (2.00 ms)"
    )
