from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edge_ttvos.errors import EngineError, ModelError
from edge_ttvos.targets.operators import READERS, read_operators


def test_another_format_is_refused_by_naming_the_known() -> None:
    with pytest.raises(ModelError, match=r"\.tflite, \.onnx, \.xml; got graph\.engine"):
        read_operators(Path("graph.engine"))


@pytest.mark.parametrize("suffix", READERS)
def test_a_missing_file_is_refused(suffix: str, tmp_path: Path) -> None:
    for library in ("ai_edge_litert", "onnx", "openvino"):
        pytest.importorskip(library)
    with pytest.raises(ModelError, match="none"):
        read_operators(tmp_path / f"none{suffix}")


@pytest.mark.parametrize(
    ("suffix", "library"),
    [(".tflite", "ai_edge_litert"), (".onnx", "onnx"), (".xml", "openvino")],
)
def test_a_reader_that_is_not_installed_says_what_to_type(
    suffix: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(EngineError, match=rf"needs {library}.*pip install 'edge-ttvos\[host\]'"):
        read_operators(Path(f"graph{suffix}"))
