"""What parity sees: a tensor that differs, a clip that drifts away, NaN; equals are equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_ttvos.errors import ExportError
from edge_ttvos.firmware_bridge.engines import open_engine
from edge_ttvos.network.checkpoint import save_checkpoint
from edge_ttvos.network.config import PRESETS
from edge_ttvos.network.ttvos import TTVOS
from edge_ttvos.targets.clip import Clip, reference_clip
from edge_ttvos.targets.parity import Parity, TensorParity, Tolerance, compare

SIZE = (48, 80)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parity") / "random.safetensors"
    save_checkpoint(path, TTVOS(PRESETS["release"]).eval(), SIZE, {"name": "random"})
    return path


@pytest.fixture
def clip() -> Clip:
    whole = reference_clip()
    return Clip("reference", whole.frames[:4], whole.given)


@pytest.fixture
def engines(checkpoint: Path) -> Iterator[tuple[Any, Any]]:
    pair = tuple(open_engine(str(checkpoint), "torch") for _ in range(2))
    yield pair
    for engine in pair:
        engine.close()


def spoil(engine: Any, graph: str, change: Callable[[tuple[Any, ...]], None]) -> None:
    """Change what a graph has written."""
    run = getattr(engine, graph)

    def spoilt(*arguments: Any) -> None:
        run(*arguments)
        change(arguments)

    setattr(engine, graph, spoilt)


def test_equal_engines_are_equal(engines: tuple[Any, Any], clip: Clip) -> None:
    parity = compare(*engines, [clip])
    parity.require(Tolerance())
    names = {tensor.name for tensor in parity.tensors}
    assert names == {
        *("s4", "s8", "s16", "f", "g", "q", "modified_s8", "log_odds", "update_weight")
    }
    assert all(t.cosine == pytest.approx(1) and t.error == 0 for t in parity.tensors)
    assert all(tensor.largest > 0 for tensor in parity.tensors)
    assert parity.clips == {"reference": 1.0}
    assert parity.size == SIZE


@pytest.mark.parametrize(
    ("graph", "index", "name"),
    [("encode", 1, "s16"), ("embed", 3, "q"), ("decode", 5, "log_odds")],
)
def test_the_tensor_that_differs_is_named(
    graph: str, index: int, name: str, engines: tuple[Any, Any], clip: Clip
) -> None:
    spoil(engines[1], graph, lambda given: getattr(given[index], name).__imul__(-1))
    parity = compare(*engines, [clip])
    others = [tensor for tensor in parity.tensors if tensor.name != name]
    assert parity.worst.name == name
    assert all(tensor.cosine > 0.9999 for tensor in others), "others saw the reference's inputs"
    with pytest.raises(ExportError, match=rf"torch at 48x80 differs from PyTorch, most in {name}:"):
        parity.require(Tolerance())


def test_a_small_wrong_scale_that_no_cosine_sees_is_found(
    engines: tuple[Any, Any], clip: Clip
) -> None:
    spoil(engines[1], "encode", lambda given: given[1].s8.__imul__(1.01))
    with pytest.raises(ExportError, match=r"most in s8: .* largest difference 0\.01 of its range"):
        compare(*engines, [clip]).require(Tolerance())


def test_nan_is_as_different_as_can_be(engines: tuple[Any, Any], clip: Clip) -> None:
    spoil(engines[1], "embed", lambda given: given[3].f.fill(np.nan))
    parity = compare(*engines, [clip])
    assert parity.worst.name == "f"
    assert parity.worst.cosine == -1
    with pytest.raises(ExportError, match="most in f"):
        parity.require(Tolerance())


def test_a_clip_that_drifts_away_is_named() -> None:
    tensor = TensorParity("s4", cosine=1.0, error=1e-6, largest=1.0)
    parity = Parity("litert", SIZE, (tensor,), {"steady": 0.999, "lost": 0.5})
    with pytest.raises(ExportError, match=r"drifts away .* clip lost: J between the two is 0.5"):
        parity.require(Tolerance())
