"""What a file in a bundle may be called: a relative path that every file system takes alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from edge_ttvos.firmware_bridge.bundle.limits import (
    MAX_MANIFEST,
    MAX_MEMBER,
    MAX_MEMBERS,
    MAX_NAME,
    MAX_TOTAL,
)
from edge_ttvos.records import shortened

MANIFEST = "manifest.json"
COMPILED = "_edgetpu.tflite"  # how the names end of LiteRT graphs compiled for the Edge TPU
FUSED = "fused.onnx"  # does a whole frame of one object; stands beside ``encode``, as ONNX alone
BOX_HEAD = "box_head.bin"  # its weights, little-endian float32, where the model has one
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")


def compiled_path(name: str) -> str:
    """The file beside a LiteRT graph that holds it compiled for the Edge TPU, if it is there."""
    return name.removesuffix(".tflite") + COMPILED


def fused_path(encode: str) -> str:
    """The file beside the ``encode`` graph that does all three in one, if it is there."""
    return str(PurePosixPath(encode).with_name(FUSED))


def check_name(name: str) -> None:
    """Refuse what is no plain relative POSIX path.

    Raises:
        ValueError: the path is empty, too long, absolute, climbs up, has a drive or a backslash,
            or holds anything but letters, digits and ``. _ + -``.
    """
    if fault := _fault(name):
        raise ValueError(f"the file name {shortened(name)} {fault}")


def _fault(name: str) -> str | None:
    parts = name.split("/")
    faults = {
        "is empty": not name,
        f"is longer than {MAX_NAME} characters": len(name) > MAX_NAME,
        "has a backslash": "\\" in name,
        "is absolute": name.startswith("/"),
        "has a drive": bool(re.match(r"[A-Za-z]:", name)),
        "leads out of the bundle": ".." in parts,
        "has an empty part or '.'": not {"", "."}.isdisjoint(parts),
        "has a control character": not name.isprintable(),
        "may hold only letters, digits, '.', '_', '+' and '-', and no part may begin with '.', '+' "
        "or '-'": not all(PART.fullmatch(part) for part in parts),
    }
    return next((fault for fault, found in faults.items() if found), None)


def check_names(names: Iterable[str]) -> None:
    """Refuse a bad name, two that some file systems take for one, and a file that is a folder.

    Raises:
        ValueError: naming the file.
    """
    seen: dict[str, str] = {}
    for name in names:
        check_name(name)
        if (other := seen.setdefault(name.lower(), name)) != name:
            raise ValueError(f"the file names {other!r} and {name!r} differ only in case")
    for name in seen.values():
        for parent in PurePosixPath(name.lower()).parents:
            if str(parent) in seen:
                raise ValueError(f"{seen[str(parent)]!r} is both a file and a folder")


def check_sizes(sizes: Mapping[str, int]) -> None:
    """Refuse more than ``limits`` allows.

    Args:
        sizes: bytes by name, manifest.json included.

    Raises:
        ValueError: naming the file or the total.
    """
    if len(sizes) > MAX_MEMBERS:
        raise ValueError(f"there may be at most {MAX_MEMBERS} files; got {len(sizes)}")
    for name, size in sizes.items():
        most = MAX_MANIFEST if name == MANIFEST else MAX_MEMBER
        if not 0 <= size <= most:
            raise ValueError(f"{name} may have at most {most} bytes; got {size}")
    if (total := sum(sizes.values())) > MAX_TOTAL:
        raise ValueError(f"all files together may have at most {MAX_TOTAL} bytes; got {total}")
