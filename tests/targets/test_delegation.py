from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edge_ttvos.targets.base import find_target
from edge_ttvos.targets.constraints import UNKNOWN, check, problems
from edge_ttvos.targets.delegation import left_by_xnnpack, refused_by_openvino
from edge_ttvos.targets.export import litert
from edge_ttvos.targets.export.graphs import Graph


class Interrupted(nn.Module):
    """Operators that XNNPACK takes before and behind one that it leaves."""

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (torch.relu(torch.argmax(2 * x, dim=-1).float() + x.mean(dim=-1)),)


@pytest.mark.slow
def test_operators_between_two_delegates_are_left(tmp_path: Path) -> None:
    pytest.importorskip("litert_torch")
    graph = Graph("odd", Interrupted(), {"x": torch.zeros(1, 4, 4, 3)}, ("y",))
    (path,) = litert.export(graph, tmp_path)

    assert left_by_xnnpack(path) == ("ARG_MAX", "CAST")
    wrong = problems(check(find_target("host"), "litert", [path]))
    assert {"ARG_MAX", "CAST"} <= {finding.operator for finding in wrong}
    assert UNKNOWN in {finding.verdict for finding in wrong}


def test_openvino_is_asked_for_every_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openvino = pytest.importorskip("openvino")
    from openvino import opset15

    frame = opset15.parameter((1, 2), np.float32)
    relu = opset15.relu(frame)
    path = tmp_path / "graph.xml"
    openvino.save_model(openvino.Model([opset15.sigmoid(relu)], [frame], "graph"), path)
    assert refused_by_openvino(path) == ()

    class Without(openvino.Core):  # type: ignore[misc]
        """A plugin that does not know Relu."""

        def query_model(self, model: Any, *arguments: Any) -> dict[str, str]:
            taken = dict(super().query_model(model, *arguments))
            return {name: where for name, where in taken.items() if "Relu" not in name}

    monkeypatch.setattr(openvino, "Core", Without)

    assert refused_by_openvino(path) == ("Relu",)
