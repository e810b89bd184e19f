"""The graphs' answers to noise, which two processors are compared by."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edge_ttvos.firmware_bridge.engines import open_engine

torch = pytest.importorskip("torch")


def test_every_output_is_computed_and_the_noise_is_always_the_same(
    load: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    from edge_ttvos.network.checkpoint import save_checkpoint
    from edge_ttvos.network.config import PRESETS
    from edge_ttvos.network.ttvos import TTVOS

    path = tmp_path / "model.safetensors"
    save_checkpoint(path, TTVOS(PRESETS["release"]).eval(), (48, 80), {"name": "random"})
    script = load("codes")
    with closing(open_engine(str(path), "torch")) as engine:
        first, again = script.outputs(engine), script.outputs(engine)

    assert set(first) == {
        *("features.s4", "features.s8", "features.s16"),
        *("embedding.f", "embedding.g", "embedding.q", "embedding.s8"),
        *("decoded.log_odds", "decoded.update_weight"),
    }
    for name, array in first.items():
        assert array.any(), name
        np.testing.assert_array_equal(array, again[name])
