"""The INT8 model that comes with the package."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from edge_ttvos import weights
from edge_ttvos.firmware_bridge.bundle.reader import open_bundle
from edge_ttvos.firmware_bridge.engines import engine_of, open_engine
from edge_ttvos.firmware_bridge.selftest import require, selftest
from edge_ttvos.weights import BUNDLES, SHIPPED, find_model

BUNDLE = BUNDLES["release-int8"]


def test_it_is_small_and_of_the_shipped_weights() -> None:
    with open_bundle(BUNDLE) as bundle:
        model = bundle.manifest.model
        graphs = [bundle.folder / path for path in bundle.manifest.graphs[0].paths]
        assert sum(path.stat().st_size for path in graphs) <= 2_000_000
    assert model.precision == "w8a8sfloat"
    assert {tensor.name for tensor in model.codes} >= {"s8", "s16", "masks", "log_odds"}


def test_default_is_the_checkpoint_where_pytorch_is_and_the_bundle_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert find_model("default") == (
        "default" if importlib.util.find_spec("torch") else str(BUNDLE)
    )
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    assert find_model("default") == str(BUNDLE)
    assert engine_of(find_model("default")) == "litert"
    assert find_model("release") == "release"
    assert SHIPPED["release"].is_file()


def test_it_opens_by_its_name() -> None:
    pytest.importorskip("ai_edge_litert.interpreter")
    engine = open_engine("release-int8")
    assert (engine.info.name, engine.model.precision) == ("litert", "w8a8sfloat")
    engine.close()


@pytest.mark.slow
def test_it_passes_its_own_test() -> None:
    pytest.importorskip("ai_edge_litert.interpreter")
    runs = selftest(BUNDLE, threads=1)
    require(runs)
    assert np.mean(runs[0].overlaps) > 0.99
