"""Writes a bundle's folder: graphs, golden clip, requirements, installer, runtime, manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_ttvos import origin
from edge_ttvos.contracts import BORDER, MEAN, ModelSpec, state_spec
from edge_ttvos.evaluation.masks import write_mask
from edge_ttvos.files import write_bytes, write_json
from edge_ttvos.firmware_bridge.bundle.manifest import (
    SCHEMA,
    CreatedBy,
    FileRecord,
    FloatScores,
    Golden,
    Graph,
    Manifest,
    ModelRecord,
    Preprocessing,
)
from edge_ttvos.firmware_bridge.bundle.paths import BOX_HEAD, COMPILED, FUSED, MANIFEST
from edge_ttvos.targets.clip import Clip
from edge_ttvos.targets.wheel import build_wheel

MASKS = "masks"  # folder beside the golden frames
BESIDE = ("frame", "box_head")  # of a model's specification: not in its record
UNIT = "edge-ttvos-live.service"  # for systemd

INSTALLER = """\
#!/bin/sh
# Installs what this bundle needs into a virtual environment of its own, and lets it test itself.
#     sh install.sh [FOLDER]      default: ~/edge-ttvos
# PYTHON names another interpreter than python3.
set -eu
bundle=$(cd "$(dirname "$0")" && pwd)
place=${1:-"$HOME/edge-ttvos"}
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "install.sh: Python 3.10 or newer is needed; name one with PYTHON=…" >&2
    exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    echo "install.sh: Python's venv module is missing; type: sudo apt install python3-venv" >&2
    exit 1
fi
step() { echo "install.sh: $1/4 $2"; }
step 1 environment
"$python" -m venv VENV_OPTIONS"$place"
step 2 packages
"$place/bin/python" -m pip install -r "$bundle/requirements.txt" "$bundle"/edge_ttvos-*.whl
step 3 runtime
# Again, for a place that has this version already: pip would leave older code of it there.
"$place/bin/python" -m pip install -q --no-deps --force-reinstall "$bundle"/edge_ttvos-*.whl
step 4 self-test
"$place/bin/python" -m edge_ttvos.firmware_bridge selftest "$bundle"
echo "installed: $place/bin/python -m edge_ttvos.firmware_bridge run $bundle --help"
"""


@dataclass(frozen=True)
class Contents:
    """What goes into a bundle.

    Attributes:
        target: its name.
        engine: that runs the graphs.
        engine_versions: that they were tested with.
        models: what the tracker must know, one a size.
        requirements: for pip, beside the runtime's wheel.
        system_packages: whether the environment sees the system's packages (a Pi's picamera2).
        float_scores: of the float model, None where nobody measured them.
    """

    target: str
    engine: str
    engine_versions: tuple[str, ...]
    models: tuple[ModelSpec, ...]
    requirements: tuple[str, ...]
    system_packages: bool = False
    float_scores: FloatScores | None = None


def models_folder(folder: Path, model: ModelSpec) -> Path:
    """Where a size's graphs stand; made where absent."""
    place = folder / "models" / size_name(model)
    place.mkdir(parents=True, exist_ok=True)
    return place


def graph_files(folder: Path, model: ModelSpec) -> tuple[Path, ...]:
    """The graphs of a size, as ``graphs_in``."""
    return graphs_in(models_folder(folder, model))


def graphs_in(folder: Path) -> tuple[Path, ...]:
    """Graphs, without what stands beside them: weights, and compiled graphs."""
    return tuple(
        path
        for path in sorted(folder.iterdir())
        if path.suffix != ".bin" and not path.name.endswith(COMPILED)
    )


def size_name(model: ModelSpec) -> str:
    """``480x864``."""
    return f"{model.frame.height}x{model.frame.width}"


def write_golden(
    folder: Path, model: ModelSpec, clip: Clip, masks: Sequence[NDArray[np.bool_]]
) -> None:
    """Write the frames and the float model's masks of one size; the first is the given one."""
    frames = golden_folder(folder, model)
    (frames / MASKS).mkdir(parents=True, exist_ok=True)
    for index, (frame, mask) in enumerate(zip(clip.frames, [clip.given, *masks], strict=True)):
        Image.fromarray(frame).save(frames / f"{index:05d}.png", optimize=True)
        write_mask(frames / MASKS / f"{index:05d}.png", mask.astype(np.uint8))


def golden_folder(folder: Path, model: ModelSpec) -> Path:
    """Where a size's golden clip stands."""
    return folder / "golden" / size_name(model)


def finish(folder: Path, contents: Contents) -> Manifest:
    """Write all that stands beside graphs and golden clips; the manifest last.

    Args:
        folder: with ``models/<size>/`` and ``golden/<size>/``, and what an earlier call wrote.
        contents: what it holds.

    Raises:
        OutputError: a file cannot be written.
    """
    write_bytes(folder / "requirements.txt", _lines(contents.requirements))
    options = "--system-site-packages " if contents.system_packages else ""
    write_bytes(folder / "install.sh", INSTALLER.replace("VENV_OPTIONS", options).encode())
    write_bytes(folder / UNIT, files("edge_ttvos.firmware_bridge.live").joinpath(UNIT).read_bytes())
    build_wheel(folder)
    first = contents.models[0]
    if first.box_head is not None:
        write_bytes(folder / BOX_HEAD, first.box_head.astype("<f4").tobytes())
    manifest = Manifest(
        schema=SCHEMA,
        target=contents.target,
        engine=contents.engine,
        engine_versions=contents.engine_versions,
        created_by=CreatedBy(origin.version(), origin.commit()),
        model=ModelRecord(**{k: v for k, v in vars(first).items() if k not in BESIDE}),
        preprocessing=Preprocessing("RGB", "uint8", MEAN, BORDER),
        graphs=tuple(_graph(folder, model) for model in contents.models),
        float_scores=contents.float_scores,
        files=_files(folder),
        requirements=contents.requirements,
    )
    write_json(folder / MANIFEST, manifest.to_json())
    return manifest


def _lines(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _graph(folder: Path, model: ModelSpec) -> Graph:
    files = graph_files(folder, model)
    graphs = {path.stem: _name(folder, path) for path in files if path.name != FUSED}
    frames, state = golden_folder(folder, model), state_spec(model, 1)
    golden = Golden(_names(folder, frames), _names(folder, frames / MASKS))
    size = (model.frame.height, model.frame.width)
    return Graph(size=size, golden=golden, state=(*state.shared, *state.slot), **graphs)


def _names(folder: Path, images: Path) -> tuple[str, ...]:
    return tuple(_name(folder, path) for path in sorted(images.glob("*.png")))


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _files(folder: Path) -> dict[str, FileRecord]:
    return {
        _name(folder, path): FileRecord(
            hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST
    }
