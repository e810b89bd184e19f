"""What every runtime of bundles is handed, seen by sessions that keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge_ttvos.contracts import FrameSpec, ModelSpec, Quantization, TensorCodes
from edge_ttvos.errors import EngineError
from edge_ttvos.firmware_bridge.coordinates import coordinate_maps
from edge_ttvos.firmware_bridge.engines.base import Embedding, EngineInfo
from edge_ttvos.firmware_bridge.engines.graphs import GraphEngine, coordinates_of, tensor_shapes

MODEL = ModelSpec("small", "ab" * 32, "fp32", FrameSpec(48, 80), 3, True, "weighted", True)
INFO = EngineInfo("keeping", "1", "here", 1)
INPUTS = {"embed": ("previous_s8", "masks", "s8", "coordinates")}


class Keeping:
    """A session that keeps what it was run on."""

    device = "here"

    def __init__(self, names: tuple[str, ...], **wrong: tuple[int, ...]) -> None:
        self.inputs = {name: tensor_shapes(MODEL)[name] for name in names} | wrong
        self.outputs: Mapping[str, tuple[int, ...]] = {}
        self.given: dict[str, Any] = {}

    def run(self, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
        self.given = {name: inputs[name].copy() for name in self.inputs}


def test_coordinates_are_those_of_the_network() -> None:
    network = pytest.importorskip("edge_ttvos.network.template")
    expected = network.coordinate_maps(6, 10)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(coordinate_maps(6, 10), expected, atol=1e-6)
    assert coordinate_maps(6, 10).dtype == np.float32


def test_a_graph_that_asks_for_coordinates_gets_them() -> None:
    embed = Keeping(INPUTS["embed"])
    engine = GraphEngine(MODEL, INFO, Keeping(()), embed, Keeping(()))
    s8, masks = np.zeros((6, 10, 32), np.float32), np.zeros((6, 10, 6), np.float32)
    engine.embed(s8, masks, s8, Embedding(s8, s8, s8, s8))
    np.testing.assert_array_equal(embed.given["coordinates"], coordinate_maps(6, 10))


def test_coordinates_are_codes_where_the_model_says_so() -> None:
    scale = Quantization(1.5 / 127, 0)
    model = replace(MODEL, codes=(TensorCodes("coordinates", scale),))
    codes = coordinates_of(model)
    assert codes.dtype == np.int8
    np.testing.assert_allclose(codes * scale.scale, coordinate_maps(6, 10), atol=scale.scale / 2)


def test_coordinates_of_another_size_are_refused() -> None:
    wrong = Keeping((), coordinates=(6, 9, 3))
    with pytest.raises(EngineError, match=r"coordinates must be \(6, 10, 3\).*has \(6, 9, 3\)"):
        GraphEngine(MODEL, INFO, Keeping(()), wrong, Keeping(()))
