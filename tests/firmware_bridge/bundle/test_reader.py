from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import BundleError, OutputError
from edge_ttvos.firmware_bridge.bundle.archive import pack
from edge_ttvos.firmware_bridge.bundle.manifest import parse_manifest
from edge_ttvos.firmware_bridge.bundle.reader import is_bundle, open_bundle


@pytest.mark.parametrize("engine", ["litert", "onnxruntime", "openvino"])
def test_a_folder_is_opened_where_it_stands(
    make_draft: Callable[..., Any], engine: str, temporary: Path
) -> None:
    draft = make_draft(engine, ((48, 80), (80, 48)))

    with open_bundle(draft.folder) as bundle:
        assert bundle.folder == draft.folder
        assert bundle.manifest == parse_manifest(draft.table)
        assert bundle.manifest.sizes == ((48, 80), (80, 48))
        assert list(temporary.iterdir()) == []

    assert (draft.folder / "manifest.json").is_file()


@pytest.mark.parametrize("engine", ["litert", "onnxruntime", "openvino"])
def test_an_archive_is_unpacked_until_it_is_closed(
    make_draft: Callable[..., Any], engine: str, temporary: Path, tmp_path: Path
) -> None:
    draft = make_draft(engine, ((48, 80), (80, 48)))
    archive = tmp_path / "packed.ettvos"
    pack(draft.folder, archive)

    with open_bundle(archive) as bundle:
        assert bundle.folder.parent == temporary
        assert stat.S_IMODE(bundle.folder.stat().st_mode) == 0o700
        assert bundle.manifest == parse_manifest(draft.table)
        for path in filter(Path.is_file, draft.folder.rglob("*")):
            unpacked = bundle.folder / path.relative_to(draft.folder)
            assert unpacked.read_bytes() == path.read_bytes()
    bundle.close()

    assert list(temporary.iterdir()) == []
    assert archive.is_file()


def test_a_deflated_archive_opens_too(
    draft: Any, zip_as_is: Callable[[Path], Path], temporary: Path
) -> None:
    with open_bundle(zip_as_is(draft.folder)) as bundle:
        assert bundle.manifest == parse_manifest(draft.table)


def test_a_link_to_a_folder_is_the_folder(draft: Any, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(draft.folder)

    with open_bundle(tmp_path / "current") as bundle:
        assert bundle.manifest.target == "host"


def test_what_is_a_bundle(draft: Any, tmp_path: Path) -> None:
    archive = tmp_path / "any.ettvos"
    archive.write_bytes(b"")

    assert is_bundle(draft.folder)
    assert is_bundle(archive)
    assert not is_bundle(tmp_path)
    assert not is_bundle(draft.folder / "manifest.json")
    assert not is_bundle(tmp_path / "absent.ettvos")
    assert not is_bundle(Path("default"))


def test_there_is_none(refused: Callable[..., None], tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"there is no bundle .*absent\.ettvos: give"):
        open_bundle(tmp_path / "absent.ettvos")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "has no manifest.json", "deploy")


def test_no_room_to_unpack(draft: Any, temporary: Path, tmp_path: Path) -> None:
    archive = tmp_path / "packed.ettvos"
    pack(draft.folder, archive)
    temporary.rmdir()

    with pytest.raises(OutputError, match=r"cannot be unpacked: .*needs \d+ bytes.*TMPDIR"):
        open_bundle(archive)


def test_a_full_disk_leaves_nothing(
    draft: Any, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "packed.ettvos"
    pack(draft.folder, archive)
    made = Path.mkdir

    def full(path: Path, *arguments: Any, **options: Any) -> None:
        if path.name == "models" or path.parent.name == "models":
            raise OSError(28, "No space left on device")
        made(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", full)

    with pytest.raises(OutputError, match="No space left on device"):
        open_bundle(archive)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interruption_leaves_nothing(
    draft: Any,
    temporary: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    archive = tmp_path / "packed.ettvos"
    pack(draft.folder, archive)

    def interrupted(data: bytes) -> None:
        raise error

    monkeypatch.setattr("edge_ttvos.firmware_bridge.bundle.verify.png_size", interrupted)

    with pytest.raises(error):
        open_bundle(archive)
    assert list(temporary.iterdir()) == []


def test_a_newer_schema_is_refused_naming_both(draft: Any, refused: Callable[..., None]) -> None:
    draft.table = {"schema": 2, "whatever": "the future holds"}
    draft.save()

    refused(draft.folder, "has schema 2", "reads up to 1", "update edge-ttvos on the board")


def test_an_older_schema_is_migrated(draft: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = parse_manifest(draft.table)

    def planted(table: dict[str, Any]) -> dict[str, Any]:
        return {**{k: v for k, v in table.items() if k != "board"}, "target": table["board"]}

    monkeypatch.setattr(
        "edge_ttvos.firmware_bridge.bundle.migrations.MIGRATIONS",
        {-1: lambda table: {**table, "board": table["board"].lower()}, 0: planted},
    )
    draft.table["board"] = draft.table.pop("target").upper()
    draft.table["schema"] = -1
    draft.save()

    with open_bundle(draft.folder) as bundle:
        assert bundle.manifest == expected
    assert json.loads((draft.folder / "manifest.json").read_text())["schema"] == -1


def test_an_older_schema_that_is_none(
    draft: Any, refused: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    draft.table = {"schema": 0}
    draft.save()
    refused(draft.folder, "there is no schema 0")

    monkeypatch.setattr(
        "edge_ttvos.firmware_bridge.bundle.migrations.MIGRATIONS",
        {0: lambda table: {"target": table["board"]}},
    )
    refused(draft.folder, "not of its schema 0", "board")
