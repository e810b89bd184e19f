"""The simulated GPU, for tests of the engines' own code."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

_PATH = Path(__file__).parent.parent / "simulated_gpu.py"
_SPEC = importlib.util.spec_from_file_location("simulated_gpu", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = _MODULE
_SPEC.loader.exec_module(_MODULE)


@pytest.fixture
def gpu() -> ModuleType:
    """The simulators' module."""
    return _MODULE


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that plans are kept in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "edge-ttvos" / "tensorrt"


@pytest.fixture
def write_graph(tmp_path: Path) -> Callable[..., Path]:
    """Write y = x · factor as ONNX; ``write_graph(factor)``."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT

    def write(factor: float = 2.0, operator: str = "Mul") -> Path:
        constant = helper.make_tensor("factor", kind, (1,), [factor])
        tensors = [helper.make_tensor_value_info(name, kind, (1, 2, 3)) for name in "xy"]
        graph = helper.make_graph(
            [helper.make_node(operator, ["x", "factor"], ["y"])],
            "graph",
            tensors[:1],
            tensors[1:],
            [constant],
        )
        imports = [helper.make_opsetid("", 20)]
        path = tmp_path / f"times{factor}.onnx"
        model = helper.make_model(graph, opset_imports=imports, ir_version=10)
        path.write_bytes(model.SerializeToString())
        return path

    return write
