"""Graphs of a small network, exported once a session for each engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_ttvos.targets.base import Target

SUFFIXES = {"litert": "tflite", "onnxruntime": "onnx", "openvino": "xml"}
GRAPHS = ("encode", "embed", "decode")

# In a process of its own: converters bring along JAX, whose threads forbid any later fork.
EXPORT = """
import sys
from pathlib import Path
from edge_ttvos.targets.base import find_target
from edge_ttvos.targets.supported_ops import small_graphs

folder, target, engine = sys.argv[1:]
small_graphs(Path(folder), engine, find_target(target).forms[engine])
"""


@pytest.fixture(scope="session")
def graph_files(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Target, str], tuple[Path, ...]]:
    """The graphs of a target's engine: ``graph_files(target, engine)``; takes seconds once."""
    base = tmp_path_factory.getbasetemp()  # shared with other folders' copies of this fixture

    def files(target: Target, engine: str) -> tuple[Path, ...]:
        form = target.forms[engine]
        name = f"graphs-{engine}-{form.coordinates}-{'transposed' if form.transposed else 'plain'}"
        folder = base / name
        paths = tuple(folder / f"{graph}.{SUFFIXES[engine]}" for graph in GRAPHS)
        if not all(path.exists() for path in paths):
            folder.mkdir(exist_ok=True)
            command = [sys.executable, "-c", EXPORT, str(folder), target.name, engine]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-2000:]
        return paths

    return files
