"""Bundles of small made-up models: the reader runs no engine, so any bytes of the right kind do."""

from __future__ import annotations

import hashlib
import json
import stat
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_ttvos.contracts import FrameSpec, ModelSpec, state_spec
from edge_ttvos.errors import BundleError
from edge_ttvos.firmware_bridge.bundle.reader import open_bundle
from edge_ttvos.records import plain

SIZE = (48, 80)  # height and width of the graph, pixels
GOLDEN = (45, 78)  # of the golden clip, pixels
BYTES = {
    # the root table's vtable announces no field at all
    ".tflite": struct.pack("<I4sHHi", 12, b"TFL3", 4, 4, 4),
    ".onnx": b"\x08\x0a" + b"\x3a\x02\x12\x00",  # ir_version 10, a graph without a name
    ".xml": b'<net name="none" version="11"/>',
    ".bin": bytes(64),
}
SUFFIXES = {"litert": (".tflite",), "onnxruntime": (".onnx",), "openvino": (".xml", ".bin")}
MODEL = {
    "name": "release",
    "sha256": "ab" * 32,
    "precision": "fp32",
    "mask_history": 3,
    "scaled_softmax": True,
    "update": "weighted",
    "long_term": True,
    "template_channels": 32,
    "codes": [],
}


class Draft:
    """A bundle's folder and the table of its manifest, sound until a test spoils one of them."""

    def __init__(self, folder: Path, engine: str, sizes: tuple[tuple[int, int], ...]) -> None:
        self.folder = folder
        self.table: dict[str, Any] = {
            "schema": 1,
            "target": "host",
            "engine": engine,
            "engine_versions": ["2.3.0"],
            "created_by": {"version": "0.1.0", "commit": None},
            "model": dict(MODEL),
            "preprocessing": {
                "colour": "RGB",
                "dtype": "uint8",
                "mean": [124, 116, 104],
                "border": 1,
            },
            "graphs": [],
            "float_scores": {
                "dataset": "davis2016",
                "sequences": {"blackswan": {"J&F": 90.5, "J": 91, "F": None}},
                "J&F": 90.5,
            },
            "files": {},
            "requirements": ["numpy>=1.26", "ai-edge-litert==2.3.0; python_version >= '3.10'"],
        }
        self.table["graphs"] = [self._graph(engine, size) for size in sizes]
        beside = ("requirements.txt", "install.sh", "edge-ttvos-live.service")
        for name in (*beside, "edge_ttvos-0.1.0-py3-none-any.whl"):
            self.put(name, name.encode())
        self.save()

    def put(self, name: str, data: bytes) -> None:
        """Write a file and list it as it is."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.list(name, data)

    def list(self, name: str, data: bytes = b"") -> None:
        """List a file, whatever stands there."""
        record = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        self.table["files"][name] = record

    def save(self) -> None:
        """Write manifest.json."""
        (self.folder / "manifest.json").write_text(json.dumps(self.table))

    @property
    def graph(self) -> dict[str, Any]:
        """The first graph's table."""
        graph: dict[str, Any] = self.table["graphs"][0]
        return graph

    def _graph(self, engine: str, size: tuple[int, int]) -> dict[str, Any]:
        place = f"{size[0]}x{size[1]}"
        graph: dict[str, Any] = {"size": list(size)}
        for name in ("encode", "embed", "decode"):
            for suffix in SUFFIXES[engine]:
                self.put(f"models/{place}/{name}{suffix}", BYTES[suffix])
            graph[name] = f"models/{place}/{name}{SUFFIXES[engine][0]}"
        frames = [f"golden/{place}/{index:05d}.png" for index in range(2)]
        masks = [f"golden/{place}/masks/{index:05d}.png" for index in range(2)]
        for path, shape in (*((f, (*GOLDEN, 3)) for f in frames), *((m, GOLDEN) for m in masks)):
            self.put(path, cv2.imencode(".png", np.full(shape, 7, np.uint8))[1].tobytes())
        model = ModelSpec(frame=FrameSpec(*size), **MODEL)
        state = state_spec(model, 1)
        buffers = [plain(tensor) for tensor in (*state.shared, *state.slot)]
        return {**graph, "golden": {"frames": frames, "masks": masks}, "state": buffers}


@pytest.fixture
def make_draft(tmp_path: Path) -> Callable[..., Draft]:
    """Make a sound bundle: ``make_draft(engine=…, sizes=…)``."""

    def make(engine: str = "litert", sizes: tuple[tuple[int, int], ...] = (SIZE,)) -> Draft:
        folder = tmp_path / "bundle"
        folder.mkdir()
        return Draft(folder, engine, sizes)

    return make


@pytest.fixture
def draft(make_draft: Callable[..., Draft]) -> Draft:
    """A sound bundle for LiteRT, of one size."""
    return make_draft()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that archives are unpacked in; empty but for what a bundle holds open."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def zip_as_is() -> Callable[[Path], Path]:
    """Zip a folder with all its faults, links included: ``zip_as_is(folder)`` → the archive."""

    def zip_folder(folder: Path) -> Path:
        archive = folder.with_suffix(".ettvos")
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(folder.rglob("*")):
                if path.is_symlink():
                    link = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                    link.external_attr = (stat.S_IFLNK | 0o777) << 16
                    packed.writestr(link, str(path.readlink()))
                elif path.is_file():
                    packed.write(path, path.relative_to(folder).as_posix())
        return archive

    return zip_folder


@pytest.fixture
def refused(temporary: Path) -> Callable[..., None]:
    """Assert that a bundle is refused in these words, and nothing is left or changed."""

    def check(path: Path, *says: str) -> None:
        before = snapshot(path)
        with pytest.raises(BundleError) as caught:
            open_bundle(path)
        for words in (str(path), *says):
            assert words in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 2000
        assert list(temporary.iterdir()) == []
        assert snapshot(path) == before

    return check


def snapshot(path: Path) -> dict[str, Any]:
    """Kind, mode, time and content of all that stands at a path."""
    found = {}
    for entry in (path, *sorted(path.rglob("*"))):
        about = entry.lstat()
        content = entry.read_bytes() if stat.S_ISREG(about.st_mode) else None
        found[str(entry)] = (about.st_mode, about.st_mtime_ns, content)
    return found
