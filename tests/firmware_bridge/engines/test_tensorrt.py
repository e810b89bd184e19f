"""The TensorRT engine's own code, on simulated libraries: plans, memory, refusals."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.engines.base import EngineOptions

pytest.importorskip("onnxruntime")

Write = Callable[..., Path]


def doubled(session: Any) -> np.ndarray:
    """What the session makes of 0…5."""
    result = np.full((2, 3), np.nan, np.float32)
    session.run({"x": np.arange(6, dtype=np.float32).reshape(2, 3)}, {"y": result})
    return result


@pytest.mark.parametrize("version", ["10.3.0", "10.16.0.1", "11.0.0"])
def test_a_graph_is_built_once_and_runs(
    version: str, gpu: Any, monkeypatch: pytest.MonkeyPatch, cache: Path, write_graph: Write
) -> None:
    engine = gpu.install(monkeypatch, version)
    for _ in range(2):
        session = engine.TensorRtSession(write_graph(), threads=1)
        assert (session.inputs, session.outputs) == ({"x": (2, 3)}, {"y": (2, 3)})
        np.testing.assert_array_equal(doubled(session), 2 * np.arange(6).reshape(2, 3))
    ((network, config),) = engine.tensorrt.built
    assert network.strongly_typed
    assert engine.tensorrt.BuilderFlag.TF32 not in config.flags
    assert "Simulated Orin" in session.device
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("version", ["8.5.2", "9.3.0", "12.0.0", "unknown"])
def test_an_unknown_major_version_is_refused_before_anything_is_opened(
    version: str, gpu: Any, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    engine = gpu.install(monkeypatch, version)
    with pytest.raises(EngineError, match=rf"10 or 11 was expected; got {version}.*JetPack"):
        engine.open_tensorrt("no bundle at all", EngineOptions())
    assert not cache.exists()


def test_whatever_a_plan_was_built_of_changes_it_is_built_anew(
    gpu: Any, monkeypatch: pytest.MonkeyPatch, cache: Path, write_graph: Write
) -> None:
    seen = set()
    orin, thor = gpu.Cuda(), gpu.Cuda(b"Simulated Thor", (11, 0))
    other = gpu.Cuda(capability=(8, 9))
    for version, cuda, factor in [
        ("10.3.0", orin, 2.0),
        ("10.3.1", orin, 2.0),
        ("10.3.1", thor, 2.0),
        ("10.3.1", other, 2.0),
        ("10.3.1", other, 3.0),
    ]:
        engine = gpu.install(monkeypatch, version, cuda)
        session = engine.TensorRtSession(write_graph(factor), threads=1)
        assert len(engine.tensorrt.built) == 1, (version, cuda.name, factor)
        np.testing.assert_array_equal(doubled(session), factor * np.arange(6).reshape(2, 3))
        seen |= {path.name for path in cache.iterdir()}
    assert len(seen) == 5
    assert len(list(cache.iterdir())) == 2, "older plans of a graph go, other graphs' stay"


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "empty"])
def test_a_damaged_or_stale_plan_is_built_anew(
    damage: str, gpu: Any, monkeypatch: pytest.MonkeyPatch, cache: Path, write_graph: Write
) -> None:
    engine, graph = gpu.install(monkeypatch), write_graph()
    engine.TensorRtSession(graph, threads=1)
    (plan,) = cache.iterdir()
    whole = plan.read_bytes()
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    foreign = whole.replace(b"10.3.0", b"10.2.0", 1)
    plan.write_bytes({"cut": whole[:-9], "flipped": flipped, "foreign": foreign}.get(damage, b""))
    np.testing.assert_array_equal(
        doubled(engine.TensorRtSession(graph, threads=1)), 2 * np.arange(6).reshape(2, 3)
    )
    assert len(engine.tensorrt.built) == 2
    assert plan.read_bytes() == whole


def test_a_plan_that_tensorrt_itself_refuses_is_built_anew(
    gpu: Any, monkeypatch: pytest.MonkeyPatch, cache: Path, write_graph: Write
) -> None:
    """As after a driver's update, which no key tells."""
    engine, graph = gpu.install(monkeypatch), write_graph()
    orin = gpu.Cuda()
    key = engine.plans.Key(
        engine.Gpu(orin).name,
        "8.7",
        "10.3.0",
        engine.hashlib.sha256(graph.read_bytes()).hexdigest(),
        engine.plans.settings_for("10.3.0"),
    )
    engine.plans.store(cache, key, b"no plan of this TensorRT")
    engine.TensorRtSession(graph, threads=1)
    assert len(engine.tensorrt.built) == 1
    assert engine.plans.load(cache, key) != b"no plan of this TensorRT"


def test_where_plans_cannot_be_kept_the_graph_runs_all_the_same(
    gpu: Any, monkeypatch: pytest.MonkeyPatch, cache: Path, write_graph: Write
) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    session = gpu.install(monkeypatch).TensorRtSession(write_graph(), threads=1)
    assert doubled(session)[1, 2] == 10


def test_a_graph_that_the_parser_refuses_is_told_in_its_words(
    gpu: Any, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    engine = gpu.install(monkeypatch)
    with pytest.raises(EngineError, match=r"10\.3\.0 does not take the graph: Failed to parse"):
        engine.build(b"no graph", engine.plans.settings_for("10.3.0"))


def test_memory_on_the_gpu_is_given_back(
    gpu: Any, monkeypatch: pytest.MonkeyPatch, cache: Path, write_graph: Write
) -> None:
    cuda = gpu.Cuda()
    engine = gpu.install(monkeypatch, cuda=cuda)
    session = engine.TensorRtSession(write_graph(), threads=1)
    assert (len(cuda.blocks), cuda.streams) == (2, 1)
    del session
    gc.collect()
    assert (len(cuda.blocks), cuda.streams) == (0, 0)


def test_cuda_s_own_words_are_told(
    gpu: Any, monkeypatch: pytest.MonkeyPatch, cache: Path, write_graph: Write
) -> None:
    cuda = gpu.Cuda()
    cuda.failing = "cudaMalloc"
    engine = gpu.install(monkeypatch, cuda=cuda)
    with pytest.raises(EngineError, match="cudaMalloc of CUDA failed with 2: out of memory"):
        engine.TensorRtSession(write_graph(), threads=1)


def test_without_cuda_s_library_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from edge_ttvos.firmware_bridge.engines import cuda

    monkeypatch.setattr(cuda, "LIBRARIES", ("libthere-is-none.so",))
    with pytest.raises(EngineError, match="sudo apt install nvidia-jetpack"):
        cuda.load_runtime()
