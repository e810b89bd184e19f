"""The small networks of the tracker's tests, and their graphs, exported once a session."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_ttvos.targets.base import Target, find_target
from edge_ttvos.targets.form import Form

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

SUFFIXES = {"litert": "tflite", "onnxruntime": "onnx", "openvino": "xml", "tensorrt": "onnx"}
GRAPHS = ("encode", "embed", "decode")


@pytest.fixture(scope="session")
def graph_files(
    deployed: Callable[[str, Path], Path],
    checkpoint: Callable[[str], Path],
    exported: Callable[[str, Form], tuple[Path, ...]],
) -> Callable[[Target, str], tuple[Path, ...]]:
    """The graphs of a target's engine: ``graph_files(target, engine)``; takes seconds once.

    Those of a form that the host has too come from its bundle, others are exported by themselves.
    """

    def files(target: Target, engine: str) -> tuple[Path, ...]:
        form = target.forms[engine]
        if find_target("host").forms.get(engine) == form:
            folder = deployed(engine, checkpoint("release")) / "models" / "48x80"
            return tuple(folder / f"{graph}.{SUFFIXES[engine]}" for graph in GRAPHS)
        return exported(engine, form)

    return files
