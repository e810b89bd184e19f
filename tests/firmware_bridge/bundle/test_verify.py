"""Files that turn out other than their listing said, from memory in place of a disk."""

from __future__ import annotations

import io
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.firmware_bridge.box_head import SIZE
from edge_ttvos.firmware_bridge.bundle.verify import verify

LIMIT = 10_000_000  # bytes that nobody should read of a file of a few


class Memory:
    """A bundle's files in memory; ``sizes`` is what they claim."""

    def __init__(self, folder: Path) -> None:
        files = filter(Path.is_file, folder.rglob("*"))
        self.content = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
        self.sizes = {name: len(data) for name, data in self.content.items()}
        self.opened: dict[str, io.BytesIO] = {}

    def open(self, name: str) -> io.BytesIO:
        """A file's bytes; where reading ended is kept."""
        self.opened[name] = Kept(self.content[name])
        return self.opened[name]


class Kept(io.BytesIO):
    """Stays open, so that a test can ask how far it was read."""

    def close(self) -> None:
        """Nothing."""


def test_files_as_listed_pass(draft: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    manifest = verify(Memory(draft.folder), out, unpack=True)

    assert manifest.to_json() == draft.table
    assert (out / "install.sh").read_bytes() == b"install.sh"


@pytest.mark.parametrize("size", [0, 10])
def test_a_file_longer_than_listed_is_not_read_to_its_end(
    draft: Any, tmp_path: Path, size: int
) -> None:
    draft.put("install.sh", b"install.sh"[:size])
    draft.save()
    members = Memory(draft.folder)
    members.content["install.sh"] += bytes(LIMIT)

    with pytest.raises(ValueError, match=rf"install\.sh must have {size} bytes; it holds"):
        verify(members, tmp_path, unpack=True)
    assert members.opened["install.sh"].tell() <= size + 1


def test_a_file_shorter_than_listed(draft: Any, tmp_path: Path) -> None:
    members = Memory(draft.folder)
    members.content["install.sh"] = b"install"

    with pytest.raises(ValueError, match=r"install\.sh must have 10 bytes; it holds"):
        verify(members, tmp_path, unpack=True)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (bytes(4 * SIZE), ""),
        (bytes(4 * SIZE - 4), f"box_head.bin must have {4 * SIZE} bytes; got {4 * SIZE - 4}"),
        (b"\xff" * (4 * SIZE), "box_head.bin holds NaN or infinity"),
    ],
)
def test_a_box_head_is_looked_at_before_it_is_used(
    draft: Any, tmp_path: Path, data: bytes, fault: str
) -> None:
    draft.put("box_head.bin", data)
    draft.save()
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(ValueError, match=fault) if fault else nullcontext():
        verify(Memory(draft.folder), out, unpack=True)
