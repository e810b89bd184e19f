"""A quantized model is deployed beside its float network, and the faster is offered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.bench import peers
from edge_ttvos.firmware_bridge.bench.config import BenchConfig
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.targets import beside
from edge_ttvos.targets import deploy as deploying
from edge_ttvos.targets.base import find_target
from edge_ttvos.targets.models import FloatModel, IntegerModel
from edge_ttvos.targets.parity import Tolerance

ENGINE = "onnxruntime"
OPTIONS = EngineOptions(threads=1)


def order(model: Any) -> deploying.Order:
    return deploying.Order(find_target("host"), model, engine=ENGINE, threads=1)


@pytest.fixture(scope="module", autouse=True)
def wide() -> Iterator[None]:
    """Random weights give small log-odds: what is tested here is not how close engines come."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IntegerModel, "tolerance", Tolerance(cosine=0.99, error=0.5, jaccard=0.5))
        yield


@pytest.fixture(scope="module")
def bundles(
    quantized: QuantizedModel, checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """INT8 and float32 of one network."""
    pytest.importorskip(ENGINE)
    folder = tmp_path_factory.mktemp("bundles")
    done = deploying.deploy(order(IntegerModel(quantized)), folder / "int8")
    plain = deploying.deploy(order(FloatModel(checkpoint)), folder / "plain")
    assert dict(done.beside.left_out) == {ENGINE: "it was made of none of the shipped models"}
    assert plain.beside == beside.Beside()
    return done.folder, plain.folder


def test_deploy_measures_float32_by_turns(
    quantized: QuantizedModel, checkpoint: Checkpoint, tmp_path: Path, monkeypatch: Any
) -> None:
    pytest.importorskip(ENGINE)
    monkeypatch.setattr(deploying, "float_checkpoint", lambda model: checkpoint)

    done = deploying.deploy(order(IntegerModel(quantized)), tmp_path / "int8")

    assert done.model_ms[ENGINE] > 0
    assert done.beside.float_ms[ENGINE] > 0
    slower = done.model_ms[ENGINE] > done.beside.float_ms[ENGINE]
    assert (done.beside.faster == ENGINE) == bool(done.beside.slower) == slower
    assert [path.name for path in tmp_path.iterdir()] in (
        ["int8", "int8.ettvos"],
        ["int8.ettvos", "int8"],
    )


def test_the_faster_is_offered_with_its_reason(bundles: tuple[Path, Path]) -> None:
    int8, plain = ({ENGINE: path} for path in bundles)

    found = beside.compare(int8, plain, ({ENGINE: 3.0}, {ENGINE: 2.0}), OPTIONS)

    assert found.faster == ENGINE
    reason, offer = found.told()
    assert reason.startswith("INT8 is slower than float32 in onnxruntime here: 3.0 ms against 2.0")
    assert "QLinearConv" in reason
    assert offer.startswith("float32 in onnxruntime is the faster here: 2.0 ms")


def test_where_int8_is_faster_nothing_is_said(bundles: tuple[Path, Path]) -> None:
    int8, plain = ({ENGINE: path} for path in bundles)

    found = beside.compare(int8, plain, ({ENGINE: 2.0}, {ENGINE: 3.0}), OPTIONS)

    assert (found.told(), found.faster, found.slower) == ([], None, ())


def test_one_alone_is_not_measured() -> None:
    assert beside.measure({ENGINE: Path("no such bundle")}, {}, OPTIONS) == ({}, {})


def test_bench_takes_the_float_bundle_as_a_peer(bundles: tuple[Path, Path], tmp_path: Path) -> None:
    int8, plain = map(str, bundles)
    config = BenchConfig(int8, tmp_path, tmp_path / "out", float_bundle=plain)
    ours = Tracker.open(int8, ENGINE, 1, OPTIONS)

    peer = peers.open_float(ours, config)

    assert (peer.facts["engine"], peer.facts["precision"]) == (ENGINE, "fp32")
    assert peer.facts["threads"] == 1
    peer.close()
    with pytest.raises(EngineError, match="--float must be a float32 bundle"):
        peers.open_float(ours, BenchConfig(int8, tmp_path, tmp_path, float_bundle=int8))
    with pytest.raises(EngineError, match="deploy --model default --target host --engine onnxrun"):
        peers.open_float(ours, BenchConfig(int8, tmp_path, tmp_path))
    ours.close()
    theirs = Tracker.open(plain, ENGINE, 1, OPTIONS)
    with pytest.raises(EngineError, match="it is what is measured here"):
        peers.open_float(theirs, config)
    theirs.close()
