"""The runtime wheel that a bundle carries: the board's part of the installed package.

Built from the installed files themselves, so that it needs neither the source tree nor a build
backend; the format is the binary distribution format of PyPA's specifications (PEP 427, 643).
"""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from edge_ttvos import origin
from edge_ttvos.files import whole_file

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can tell: equal wheels from equal code
NAME = "edge-ttvos"
HOST_ONLY = ("data", "network", "quantize", "targets", "training")
CODE = {".py", ".typed", ".html", ".js", ".css", ".svg", ".service"}
WHEEL = "Wheel-Version: 1.0\nGenerator: edge-ttvos\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build_wheel(folder: Path) -> Path:
    """Write the runtime's wheel into a folder; its path.

    Raises:
        OutputError: it cannot be written.
    """
    version = origin.version()
    about = f"edge_ttvos-{version}.dist-info"
    members = {f"edge_ttvos/{name}": data for name, data in runtime_files().items()}
    members[f"{about}/METADATA"] = describe(version).encode()
    members[f"{about}/WHEEL"] = WHEEL.encode()
    members[f"{about}/entry_points.txt"] = entry_points().encode()
    members[f"{about}/RECORD"] = record(members, about).encode()
    path = folder / f"edge_ttvos-{version}-py3-none-any.whl"
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as wheel:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            wheel.writestr(entry, data)
    return path


def runtime_files() -> dict[str, bytes]:
    """The board's files by path inside the package, in order."""
    found = {}
    for part in ("edge_ttvos", "edge_ttvos.firmware_bridge"):
        root = Path(str(files(part)))
        inside = Path(*part.split(".")[1:])
        for path in sorted(root.rglob("*")):
            name = inside / path.relative_to(root)
            skipped = name.parts[0] in HOST_ONLY or "__pycache__" in name.parts
            if path.suffix in CODE and not skipped:
                found[name.as_posix()] = path.read_bytes()
    return found


def describe(version: str) -> str:
    """METADATA: name, version, Python and what the base install requires."""
    whole = metadata.metadata(NAME)
    lines = ["Metadata-Version: 2.1", f"Name: {NAME}", f"Version: {version}"]
    lines.append(f"Requires-Python: {whole['Requires-Python']}")
    lines += [f"Requires-Dist: {line}" for line in base_requirements()]
    return "\n".join(lines) + "\n"


def base_requirements() -> list[str]:
    """What the package requires without any extra."""
    required = metadata.requires(NAME) or []
    return [line for line in required if not re.search(r";.*\bextra\s*==", line)]


def entry_points() -> str:
    """The command, and the engines of the board's side."""
    lines = []
    for group in ("console_scripts", "edge_ttvos.engines"):
        lines.append(f"[{group}]")
        for entry in sorted(metadata.entry_points(group=group), key=lambda entry: entry.name):
            part = entry.value.partition(":")[0].split(".")
            if part[0] == "edge_ttvos" and part[1] not in HOST_ONLY:
                lines.append(f"{entry.name} = {entry.value}")
    return "\n".join(lines) + "\n"


def record(members: dict[str, bytes], about: str) -> str:
    """RECORD: hash and length of every member but itself."""
    lines = []
    for name, data in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}")
    return "\n".join([*lines, f"{about}/RECORD,,"]) + "\n"
