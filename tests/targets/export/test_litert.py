"""The converter stays in its own process, and what it says when it fails is told."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import nn

from edge_ttvos.errors import ExportError
from edge_ttvos.targets.export.graphs import Graph
from edge_ttvos.targets.export.litert import CONVERTER, export


@pytest.mark.slow
def test_a_failure_is_told_and_the_converter_stays_outside(tmp_path: Path) -> None:
    if find_spec(CONVERTER) is None:
        pytest.skip(f"{CONVERTER} is not installed")
    graph = Graph("decode", nn.Upsample(size=(2, 2), mode="area"), {"nonsense": torch.ones(1)}, ())
    before = CONVERTER in sys.modules  # another test may have brought it along
    with pytest.raises(ExportError, match="decode to LiteRT cannot be exported"):
        export(graph, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert (CONVERTER in sys.modules) == before
