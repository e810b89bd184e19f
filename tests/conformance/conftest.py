"""The networks and clips of the tracker's tests, for every engine; a GPU, if need be simulated."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

_PATH = Path(__file__).parent.parent / "firmware_bridge" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("tracker_fixtures", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = _MODULE  # dataclasses look their module up
_SPEC.loader.exec_module(_MODULE)

checkpoint = _MODULE.checkpoint
make_clip = _MODULE.make_clip
one_thread = _MODULE.one_thread


_GPU_PATH = _PATH.with_name("simulated_gpu.py")
_GPU_SPEC = importlib.util.spec_from_file_location("simulated_gpu", _GPU_PATH)
assert _GPU_SPEC is not None
assert _GPU_SPEC.loader is not None
_GPU = importlib.util.module_from_spec(_GPU_SPEC)
sys.modules[_GPU_SPEC.name] = _GPU
_GPU_SPEC.loader.exec_module(_GPU)

HAVE_TENSORRT = importlib.util.find_spec("tensorrt") is not None


@pytest.fixture(autouse=True)
def gpu(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no TensorRT, a simulated one: our engine is then held to the same promises."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    if not HAVE_TENSORRT:
        _GPU.install(monkeypatch)
