from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge_ttvos.targets import supported_ops
from edge_ttvos.targets.base import Target, known_targets
from edge_ttvos.targets.constraints import DOES_NOT_MAP, Verdict, each_operator
from edge_ttvos.targets.operators.base import Operator

Files = Callable[[Target, str], tuple[Path, ...]]

pytestmark = pytest.mark.slow  # graphs are exported, once for all tests


@pytest.fixture(autouse=True)
def engines() -> None:
    for library in ("ai_edge_litert", "litert_torch", "onnx", "onnxscript", "openvino"):
        pytest.importorskip(library)


@each_operator
def no_mean(operator: Operator) -> Verdict:
    """Nothing is averaged."""
    return DOES_NOT_MAP if operator.kind == "MEAN" else "maps"


def test_the_page_is_what_the_generator_prints(root: Path, graph_files: Files) -> None:
    page = root / "docs" / "reference" / "supported-ops.md"

    assert page.read_text(encoding="utf-8") == supported_ops.page(graph_files), (
        "type: python -m edge_ttvos.targets.supported_ops > docs/reference/supported-ops.md"
    )


def test_what_does_not_map_is_told_with_its_reason(
    graph_files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = known_targets()["host"]
    strict = {**host.constraints, "litert": (*host.constraints["litert"], no_mean)}
    stricter = replace(host, name="strict", constraints=strict)
    monkeypatch.setattr(supported_ops, "known_targets", lambda: {"host": host, "strict": stricter})

    _, _, section = supported_ops.page(graph_files).partition("## strict")

    assert "| litert | does not map | MEAN: Nothing is averaged. |" in section
    assert "as for `host`" not in section
