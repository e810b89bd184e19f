"""A quantized model as a bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.targets.base import find_target
from edge_ttvos.targets.deploy import Order, deploy
from edge_ttvos.targets.models import IntegerModel


def test_its_golden_masks_are_its_own_engines(quantized: QuantizedModel, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    order = Order(find_target("host"), IntegerModel(quantized), ((48, 80),), "litert", threads=1)

    done = deploy(order, tmp_path / "bundle")

    (parity,), (run,) = done.parity, done.golden
    assert set(run.overlaps) == {1.0}  # bit by bit, whatever the simulation makes of the clip
    assert all(tensor.cosine > 0.99 for tensor in parity.tensors)
