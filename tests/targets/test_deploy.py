"""A deployment is whole or leaves nothing; ONNX Runtime stands for all: it exports quickest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_ttvos.errors import EngineError, ExportError
from edge_ttvos.evaluation.masks import read_mask
from edge_ttvos.firmware_bridge.bundle.archive import pack
from edge_ttvos.firmware_bridge.bundle.manifest import FloatScores, SequenceFigures
from edge_ttvos.firmware_bridge.bundle.paths import BOX_HEAD
from edge_ttvos.firmware_bridge.bundle.reader import open_bundle
from edge_ttvos.firmware_bridge.engines import engine_of, open_engine
from edge_ttvos.firmware_bridge.engines.base import EngineOptions
from edge_ttvos.firmware_bridge.engines.graphs import choose, tensor_shapes
from edge_ttvos.firmware_bridge.prompts import Box
from edge_ttvos.firmware_bridge.selftest import require, selftest
from edge_ttvos.firmware_bridge.sources.images import read_image
from edge_ttvos.firmware_bridge.tracker import Tracker
from edge_ttvos.network.checkpoint import load_checkpoint, save_checkpoint
from edge_ttvos.network.config import PRESETS
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.targets import models
from edge_ttvos.targets import order as ordering
from edge_ttvos.targets.base import find_target
from edge_ttvos.targets.clip import reference_clip
from edge_ttvos.targets.deploy import deploy
from edge_ttvos.targets.models import Deployable, Size, load_deployable
from edge_ttvos.targets.order import Order, candidates
from edge_ttvos.targets.work import References, Work

ENGINE = "onnxruntime"


@pytest.fixture
def file(checkpoint: Callable[[str], Path]) -> Path:
    return checkpoint("release")


@pytest.fixture
def network(file: Path) -> Deployable:
    return load_deployable(file)


@pytest.fixture
def bundle(deployed: Callable[[str, Path], Path], file: Path) -> Path:
    pytest.importorskip("onnxruntime")
    return deployed(ENGINE, file)


def order(network: Deployable, **changes: Any) -> Order:
    return replace(Order(find_target("host"), network, engine=ENGINE, threads=1), **changes)


def test_a_bundle_is_whole_and_its_archive_is_the_same(bundle: Path, file: Path) -> None:
    with open_bundle(bundle) as folder, open_bundle(bundle.with_name(f"{bundle.name}.ettvos")) as b:
        manifest = folder.manifest
        assert b.manifest == manifest
    assert (manifest.target, manifest.engine, manifest.sizes) == ("host", ENGINE, ((48, 80),))
    assert manifest.model.sha256 == load_checkpoint(file).sha256
    assert manifest.float_scores is None
    assert engine_of(str(bundle)) == ENGINE
    golden = manifest.graphs[0].golden
    clip = reference_clip()
    for name, frame in zip(golden.frames, clip.frames, strict=True):
        np.testing.assert_array_equal(read_image(bundle / name), frame)
    np.testing.assert_array_equal(read_mask(bundle / golden.masks[0]) > 0, clip.given)


def test_the_self_test_passes_and_sees_a_wrong_answer(bundle: Path, tmp_path: Path) -> None:
    runs = selftest(bundle, threads=1)
    require(runs)
    assert [run.size for run in runs] == [(48, 80)]
    wrong = replace(runs[0], overlaps=(1.0, 0.5))
    with pytest.raises(EngineError, match=r"self-test failed at 48x80: onnxruntime .* J 0\.500"):
        require([wrong])


def test_scores_of_the_float_model_are_written_into_the_manifest(
    bundle: Path, network: Deployable, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    scores = FloatScores("davis2016", {"car": SequenceFigures(60.0, 55.0, 65.0)}, 60.0)
    Work(order(network), ENGINE, copy, References(order(network))).describe(scores)
    with open_bundle(copy) as bundle_:
        assert bundle_.manifest.float_scores == scores
    pack(copy, tmp_path / "copy.ettvos")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_whatever_ends_it_an_older_bundle_stays(
    error: BaseException, network: Deployable, tmp_path: Path, monkeypatch: Any
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.json").write_text("older")

    def fail(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr(models, "exporter", lambda engine: fail)
    with pytest.raises((KeyboardInterrupt, Exception)):
        deploy(order(network), out)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (out / "manifest.json").read_text() == "older"


def test_an_export_that_computes_something_else_is_not_deployed(
    bundle: Path, network: Deployable, tmp_path: Path, monkeypatch: Any
) -> None:
    """The graphs of another network, whose file the exporter has mixed up."""
    other = load_checkpoint_of(TTVOS(PRESETS["release"]).eval(), tmp_path / "other.safetensors")
    graphs = bundle / "models" / "48x80"

    def copy(graph: Any, folder: Path) -> None:
        shutil.copy(graphs / f"{graph.name}.onnx", folder)

    monkeypatch.setattr(models, "exporter", lambda engine: copy)
    with pytest.raises(ExportError, match="onnxruntime at 48x80 differs from PyTorch, most in"):
        deploy(order(other), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def load_checkpoint_of(network: TTVOS, path: Path) -> Deployable:
    save_checkpoint(path, network, (48, 80), {"name": "other"})
    return load_deployable(path)


def test_landscape_and_portrait_in_one_bundle(
    file: Path, network: Deployable, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    done = deploy(order(network, sizes=((48, 80), (80, 48))), tmp_path / "both")
    assert [run.size for run in done.golden] == [(48, 80), (80, 48)]
    with open_bundle(done.archive) as bundle:
        assert choose(bundle.manifest, (70, 40)).size == (80, 48)
        portrait = bundle.manifest.graph((80, 48)).golden.frames[0]
        assert read_image(bundle.folder / portrait).shape == (427, 240, 3)
    assert len(done.parity) == 2


@pytest.mark.parametrize(
    ("target", "wanted", "sizes"),
    [
        ("host", ((480, 854), (480, 864)), ((480, 864),)),
        ("host", (), ((48, 80),)),
        ("coral", (), find_target("coral").sizes),
        ("coral", ((90, 160),), ((96, 160),)),
    ],
)
def test_sizes_are_rounded_up_each_once(
    network: Deployable, target: str, wanted: tuple[Size, ...], sizes: tuple[Size, ...]
) -> None:
    assert order(network, target=find_target(target), sizes=wanted).graph_sizes == sizes


def test_the_engine_must_be_one_of_the_targets(network: Deployable) -> None:
    with pytest.raises(EngineError, match=r"target host runs litert.*; got --engine torch"):
        candidates(order(network, engine="torch"))


def test_a_target_that_measures_takes_every_engine_there_is(
    network: Deployable, monkeypatch: Any
) -> None:
    installed = {"openvino", "onnxruntime"}

    def load(name: str) -> None:
        if name not in installed:
            raise EngineError(f"engine {name} needs x; type: pip install x")

    monkeypatch.setattr(ordering, "load_opener", load)
    assert set(candidates(order(network, engine=None))) == installed
    installed.clear()
    with pytest.raises(EngineError, match="type: pip install"):
        candidates(order(network, engine=None))


def test_every_tensor_has_one_shape_in_all_graphs(bundle: Path) -> None:
    with open_bundle(bundle) as opened:
        model = opened.manifest.model_spec((48, 80))
    shapes = tensor_shapes(model)
    assert shapes["frame"] == (49, 81, 3)
    assert shapes["log_odds"] == (48, 80)


def test_a_box_head_goes_along(
    checkpoint: Callable[[str], Path], deployed: Callable[[str, Path], Path], make_clip: Any
) -> None:
    """The bundle finds in a box what PyTorch finds there."""
    pytest.importorskip("onnxruntime")
    file = checkpoint("box-head")
    folder = deployed(ENGINE, file)
    with open_bundle(folder) as opened:
        weights = load_checkpoint(file).network.flat_box_head
        assert weights is not None
        assert (folder / BOX_HEAD).read_bytes() == weights.numpy().tobytes()
        assert opened.manifest.files[BOX_HEAD].bytes == 4 * len(weights)
    found = []
    for name in (str(folder), str(file)):
        with closing(Tracker(open_engine(name, options=EngineOptions(threads=1)))) as tracker:
            result = tracker.start(make_clip().frames[0], Box(10, 6, 40, 30))
            found.append(result.probabilities[1].copy())
    np.testing.assert_allclose(*found, atol=1e-4)
