"""An accelerator's package is asked about the graphs; what it puts beside them is in the bundle."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edge_ttvos.cli.deploy import record, show_deployment
from edge_ttvos.firmware_bridge.bundle.reader import open_bundle
from edge_ttvos.firmware_bridge.engines import open_engine
from edge_ttvos.firmware_bridge.engines.base import Fusing
from edge_ttvos.targets import models
from edge_ttvos.targets.base import find_target
from edge_ttvos.targets.deploy import deploy
from edge_ttvos.targets.export import exporter
from edge_ttvos.targets.models import Deployable, load_deployable
from edge_ttvos.targets.order import Order

ENGINE = "onnxruntime"  # exports quickest, and stands in for TensorRT

pytestmark = pytest.mark.slow  # each deploys


class Said:
    """A survey."""

    def to_json(self) -> dict[str, Any]:
        return {"accelerator": "abacus"}

    def table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        return "abacus", ("beads",), [("10",)]

    def notes(self) -> Sequence[str]:
        return ["one bead is missing"]


@pytest.fixture
def network(checkpoint: Callable[[str], Path]) -> Deployable:
    return load_deployable(checkpoint("release"))


@pytest.fixture(autouse=True)
def graphs(
    deployed: Callable[[str, Path], Path], checkpoint: Callable[[str], Path], monkeypatch: Any
) -> None:
    """Graphs that were exported before, for whichever engine; the fused one is exported here."""
    pytest.importorskip(ENGINE)
    folder = deployed(ENGINE, checkpoint("release")) / "models" / "48x80"

    def copy(graph: Any, place: Path) -> None:
        if graph.name == "fused":
            exporter(ENGINE)(graph, place)
        else:
            shutil.copy(folder / f"{graph.name}.onnx", place)

    monkeypatch.setattr(models, "exporter", lambda engine: copy)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any) -> list[Any]:
    """What the abacus was asked."""
    seen: list[Any] = []
    folder = tmp_path_factory.mktemp("other")

    def survey(write: Any, graphs: Mapping[Any, Sequence[Path]], others: Any, listen: Any) -> Said:
        files = {size: [p.name for p in files] for size, files in graphs.items()}
        asked = {size: [p.name for p in write(size, folder)] for size in others}
        seen.append((files, asked))
        listen("counting", 0.5)
        return Said()

    module: Any = ModuleType("edge_ttvos.targets.abacus.survey")
    module.survey, module.SIZES = survey, ((32, 32),)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return seen


@pytest.mark.parametrize("sweep", [False, True])
def test_it_is_asked_about_the_bundles_graphs_and_if_told_other_sizes(
    sweep: bool, asked: list[Any], network: Deployable, tmp_path: Path
) -> None:
    target = replace(find_target("host"), accelerator="abacus")
    order = Order(target, network, ((48, 80),), ENGINE, 1, sweep=sweep)
    heard: list[str] = []
    done = deploy(order, tmp_path / "out", listen=lambda what, share: heard.append(what))
    ((files, others),) = asked
    assert files == {(48, 80): ["decode.onnx", "embed.onnx", "encode.onnx"]}
    assert others == ({(32, 32): files[48, 80]} if sweep else {})
    assert "counting" in heard
    assert isinstance(done.survey, Said)


def test_targets_without_one_ask_nobody(
    asked: list[Any], network: Deployable, tmp_path: Path
) -> None:
    order = Order(find_target("host"), network, ((48, 80),), ENGINE, 1, sweep=True)
    assert deploy(order, tmp_path / "out").survey is None
    assert asked == []


def test_people_and_programs_are_told(
    asked: list[Any], network: Deployable, tmp_path: Path
) -> None:
    target = replace(find_target("host"), accelerator="abacus")
    done = deploy(Order(target, network, ((48, 80),), ENGINE, 1), tmp_path / "out")
    shown: list[Any] = []

    class Show:
        def table(self, title: str, *more: Any) -> None:
            shown.append(title)

        def say(self, text: str) -> None:
            shown.append(text)

    show_deployment(done, Show())  # type: ignore[arg-type]
    assert shown.index("abacus") < shown.index("one bead is missing")

    class Config:
        target, threads, model = "host", 1, "default"

    made = record(done, Config(), network)  # type: ignore[arg-type]
    assert made["accelerator"] == {"accelerator": "abacus"}


def test_a_jetsons_bundle_is_tested_by_what_stands_in(network: Deployable, tmp_path: Path) -> None:
    if find_spec("tensorrt"):
        pytest.skip("TensorRT is installed: nothing stands in for it")
    out = tmp_path / "jetson"
    done = deploy(Order(find_target("jetson"), network, ((48, 80),), threads=1), out)
    assert done.engine == "tensorrt"
    assert [parity.engine for parity in done.parity] == [ENGINE]
    with open_bundle(out) as bundle:
        manifest = bundle.manifest
    assert (manifest.target, manifest.engine) == ("jetson", "tensorrt")
    assert manifest.engine_versions[0].startswith(f"{ENGINE} ")
    assert "tensorrt" not in " ".join(manifest.requirements)
    assert "models/48x80/fused.onnx" in manifest.files
    assert "--system-site-packages" in (out / "install.sh").read_text()
    engine = open_engine(str(out))
    assert engine.info.name == ENGINE
    assert isinstance(engine, Fusing)
    assert engine.fuses
    engine.close()
