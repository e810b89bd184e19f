from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import BundleError, OutputError
from edge_ttvos.firmware_bridge.bundle.archive import pack


def test_the_same_files_make_the_same_bytes(draft: Any, tmp_path: Path) -> None:
    first, second = tmp_path / "first.ettvos", tmp_path / "second.ettvos"
    pack(draft.folder, first)
    for path in draft.folder.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    pack(draft.folder, second)

    assert first.read_bytes() == second.read_bytes()


def test_an_archive_holds_the_folder_sorted_and_stored(draft: Any, tmp_path: Path) -> None:
    archive = tmp_path / "packed.ettvos"
    pack(draft.folder, archive)

    with zipfile.ZipFile(archive) as packed:
        entries = packed.infolist()
        names = [entry.filename for entry in entries]
        assert names == sorted(["manifest.json", *draft.table["files"]])
        assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        modes = {entry.filename: entry.external_attr >> 16 for entry in entries}
    assert modes.pop("install.sh") == stat.S_IFREG | 0o755
    assert set(modes.values()) == {stat.S_IFREG | 0o644}


def test_a_spoilt_folder_is_not_packed(draft: Any, tmp_path: Path) -> None:
    (draft.folder / "install.sh").unlink()

    with pytest.raises(BundleError, match=r"install\.sh is missing"):
        pack(draft.folder, tmp_path / "packed.ettvos")
    assert not list(tmp_path.glob("*.ettvos"))


def test_an_archive_does_not_go_into_its_folder(draft: Any) -> None:
    with pytest.raises(OutputError, match="beside"):
        pack(draft.folder, draft.folder / "models" / "packed.ettvos")
    assert not list(draft.folder.rglob("*.ettvos"))


def test_a_failure_leaves_no_half_archive(draft: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()

    with pytest.raises(OutputError, match="cannot write"):
        pack(draft.folder, out / "missing" / "packed.ettvos")
    assert list(out.iterdir()) == []
