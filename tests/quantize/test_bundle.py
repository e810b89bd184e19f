"""A quantized model as a bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_ttvos.quantize.model import QuantizedModel
from edge_ttvos.targets.base import find_target
from edge_ttvos.targets.deploy import deploy
from edge_ttvos.targets.models import IntegerModel
from edge_ttvos.targets.order import Order
from edge_ttvos.targets.parity import Tolerance


def test_its_golden_masks_are_its_own_engines(quantized: QuantizedModel, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    model = IntegerModel(quantized)
    model.tolerance = Tolerance(cosine=0.99, error=1, jaccard=0)  # weights are random: far apart
    order = Order(find_target("host"), model, ((47, 79),), "litert", threads=1)  # rounded up

    done = deploy(order, tmp_path / "bundle")

    (run,) = done.golden
    assert run.size == (48, 80)
    assert set(run.overlaps) == {1.0}  # whatever the simulation makes of the clip
