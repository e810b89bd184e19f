"""TensorRT's plans: how each major version must be asked for one, and where built ones are kept.

A plan fits one GPU, one TensorRT and one graph. Its file is named by all of that, and tells it
again inside: what does not fit, or is damaged, is never handed to TensorRT, but built anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_ttvos.errors import EngineError, OutputError
from edge_ttvos.files import write_bytes
from edge_ttvos.firmware_bridge.notices import tell

SUFFIX = ".plan"
SHOWN = 16  # digits of a hash in a file's name


@dataclass(frozen=True)
class Settings:
    """What TensorRT is asked for; the types of all values stand in the ONNX graph itself.

    Attributes:
        strongly_typed: whether the network must be told to keep to the graph's types. 10 would
            else choose types by flags, and ignore Q/DQ where the wrong ones are set; 11 always
            keeps to them, and has no such flags any more.
        tf32: whether float32 products may be rounded to 10 bits.
    """

    strongly_typed: bool
    tf32: bool = False


MAJORS = {10: Settings(strongly_typed=True), 11: Settings(strongly_typed=False)}


def settings_for(version: str) -> Settings:
    """How this TensorRT is asked.

    Args:
        version: as the library tells it, ``10.3.0``.

    Raises:
        EngineError: a major version that nobody has tried this with.
    """
    major = version.partition(".")[0]
    if not major.isdigit() or int(major) not in MAJORS:
        known = " or ".join(map(str, MAJORS))
        raise EngineError(
            f"TensorRT {known} was expected; got {version}. Install JetPack 6 or 7, or run the "
            "bundle with --engine onnxruntime"
        )
    return MAJORS[int(major)]


@dataclass(frozen=True)
class Key:
    """What a plan was built of and for; it must be built anew when any of it changes.

    Attributes:
        gpu: its name.
        capability: its compute capability, ``8.7``.
        tensorrt: version.
        model: SHA-256 of the ONNX file.
        settings: asked of TensorRT.
    """

    gpu: str
    capability: str
    tensorrt: str
    model: str
    settings: Settings

    @property
    def name(self) -> str:
        """Of the plan's file: graph, then all."""
        whole = hashlib.sha256(self.header.encode()).hexdigest()
        return f"{self.model[:SHOWN]}-{whole[:SHOWN]}{SUFFIX}"

    @property
    def header(self) -> str:
        """All of it on one line."""
        return json.dumps(asdict(self), sort_keys=True)


def cache_folder() -> Path:
    """Where plans are kept: the user's folder for what can be made again."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "edge-ttvos", "tensorrt")


def load(folder: Path, key: Key) -> bytes | None:
    """The kept plan; None where there is none that fits and is whole."""
    try:
        header, checksum, plan = (folder / key.name).read_bytes().split(b"\n", 2)
    except (OSError, ValueError):
        return None
    whole = hashlib.sha256(plan).hexdigest().encode() == checksum
    if header == key.header.encode() and whole:
        return plan
    tell(f"{folder / key.name} is damaged or stale: TensorRT builds it anew")
    return None


def store(folder: Path, key: Key, plan: bytes) -> None:
    """Keep a plan, and no older one of its graph; without room it is only told."""
    checksum = hashlib.sha256(plan).hexdigest().encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / key.name, b"\n".join((key.header.encode(), checksum, plan)))
    except (OSError, OutputError) as error:
        tell(f"the plan cannot be kept, and will be built again next time: {error}")
        return
    for older in folder.glob(f"{key.model[:SHOWN]}-*{SUFFIX}"):
        if older.name != key.name:
            with suppress(OSError):
                older.unlink()
