"""A whole run of ``quantize``, as a library call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edge_ttvos.data.pool import Pool
from edge_ttvos.network.checkpoint import Checkpoint
from edge_ttvos.quantize.model import load_quantized
from edge_ttvos.quantize.recipe import Calibration, parse_bits
from edge_ttvos.quantize.run import Order, quantize


def test_the_model_runs_at_the_size_that_it_was_calibrated_at(
    checkpoint: Checkpoint, pool: Pool, plan: Calibration, tmp_path: Path
) -> None:
    recipe = replace(parse_bits("w8a8sfloat"), calibration=plan)

    done = quantize(Order(checkpoint, "ptq", recipe, size=(30, 60)), pool, tmp_path)

    model = load_quantized(done.path)
    assert model.size == (32, 64)  # rounded up
    assert model.origin["calibrated_at"] == [32, 64]
