"""Archives that are spoilt as archives; the bundle in them is sound."""

from __future__ import annotations

import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from edge_ttvos.errors import BundleError
from edge_ttvos.firmware_bridge.bundle.archive import pack
from edge_ttvos.firmware_bridge.bundle.manifest import parse_manifest
from edge_ttvos.firmware_bridge.bundle.reader import open_bundle

CENTRAL = b"PK\x01\x02"  # begins an entry of the table of contents
FLAGS, METHOD, PACKED, UNPACKED, NAME = 8, 10, 20, 24, 46  # offsets in such an entry

Refused = Callable[..., None]


@pytest.fixture
def archive(draft: Any, tmp_path: Path) -> Path:
    """A sound archive."""
    path = tmp_path / "packed.ettvos"
    pack(draft.folder, path)
    return path


def patched(archive: Path, name: str, offset: int, layout: str, value: int) -> None:
    """Change one field of a file's entry in the table of contents."""
    data = bytearray(archive.read_bytes())
    entry = data.index(name.encode(), data.index(CENTRAL)) - NAME
    assert data[entry : entry + 4] == CENTRAL
    struct.pack_into(layout, data, entry + offset, value)
    archive.write_bytes(bytes(data))


def add(archive: Path, name: str, data: bytes = b"1", mode: int = stat.S_IFREG | 0o644) -> None:
    """Append an entry, however it is called."""
    entry = zipfile.ZipInfo("placeholder")
    entry.filename = entry.orig_filename = name
    entry.external_attr = mode << 16
    with warnings.catch_warnings(), zipfile.ZipFile(archive, "a") as packed:
        warnings.simplefilter("ignore")  # zipfile warns of doubled names
        packed.writestr(entry, data)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("/etc/passwd", "is absolute"),
        ("../escaped", "leads out of the bundle"),
        ("models/../../escaped", "leads out of the bundle"),
        ("models\\escaped", "has a backslash"),
        ("C:/escaped", "has a drive"),
        ("models/", "has an empty part"),
        ("models//a", "has an empty part"),
        ("./a", "has an empty part or '.'"),
        ("a\nb", "has a control character"),
        ("a" * 201, "longer than 200 characters"),
        ("ä", "may hold only"),
        ("-rf", "may begin with"),
    ],
)
def test_an_entry_of_a_bad_name(archive: Path, refused: Refused, name: str, says: str) -> None:
    add(archive, name)

    refused(archive, says)


def test_a_name_with_a_zero_byte(archive: Path, refused: Refused) -> None:
    data = archive.read_bytes().replace(b"install.sh", b"insta\0l.sh")
    archive.write_bytes(data)

    refused(archive, "insta\\x00l.sh", "has a control character")


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        (stat.S_IFLNK | 0o777, "a symbolic link"),
        (stat.S_IFIFO | 0o644, "a special file"),
        (stat.S_IFBLK | 0o644, "a special file"),
        (stat.S_IFDIR | 0o755, "a special file"),
    ],
)
def test_an_entry_that_is_no_plain_file(
    archive: Path, refused: Refused, mode: int, says: str
) -> None:
    add(archive, "LICENSE", b"/etc/passwd", mode)

    refused(archive, f"LICENSE is {says}")


def test_a_doubled_entry(archive: Path, refused: Refused) -> None:
    add(archive, "install.sh", b"other")

    refused(archive, "install.sh stands twice in the archive")


def test_entries_differing_in_case(archive: Path, refused: Refused) -> None:
    add(archive, "Install.sh")

    refused(archive, "'install.sh' and 'Install.sh' differ only in case")


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000])
def test_an_encrypted_entry(archive: Path, refused: Refused, flag: int) -> None:
    patched(archive, "install.sh", FLAGS, "<H", flag)

    refused(archive, "install.sh is encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 93])
def test_another_compression(archive: Path, refused: Refused, method: int) -> None:
    patched(archive, "install.sh", METHOD, "<H", method)

    refused(archive, f"install.sh must be stored or deflated; got method {method}")


def test_a_bomb_that_tells_its_size(draft: Any, archive: Path, refused: Refused) -> None:
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("LICENSE", bytes(64_000_001))
    assert archive.stat().st_size < 200_000

    refused(archive, "LICENSE may have at most 64000000 bytes; got 64000001")


def test_a_bomb_in_parts(archive: Path, refused: Refused) -> None:
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("zeros0", bytes(52_000_000))
    for index in range(1, 5):
        add(archive, f"zeros{index}")
        patched(archive, f"zeros{index}", UNPACKED, "<L", 52_000_000)

    refused(archive, "all files together may have at most 256000000 bytes")


def test_a_bomb_that_lies_about_its_size(
    draft: Any, zip_as_is: Callable[[Path], Path], refused: Refused
) -> None:
    (draft.folder / "install.sh").write_bytes(bytes(30_000_000))
    archive = zip_as_is(draft.folder)
    patched(archive, "install.sh", UNPACKED, "<L", 10)

    refused(archive, "install.sh is damaged")


def test_a_size_that_is_not_there(archive: Path, refused: Refused) -> None:
    patched(archive, "install.sh", PACKED, "<L", 5)
    refused(archive, "install.sh")


def test_a_manifest_that_runs_over_the_end(archive: Path, refused: Refused) -> None:
    for field in (PACKED, UNPACKED):
        patched(archive, "manifest.json", field, "<L", 900_000)

    refused(archive, "manifest.json is damaged")


def test_more_entries_than_allowed(archive: Path, refused: Refused) -> None:
    with zipfile.ZipFile(archive, "a") as packed:
        for index in range(2000):
            packed.writestr(f"e{index}", b"")

    refused(archive, "at most 2000 files")


def test_a_long_table_of_contents(archive: Path, refused: Refused) -> None:
    with zipfile.ZipFile(archive, "a") as packed:
        for index in range(20):
            entry = zipfile.ZipInfo(f"e{index}")
            entry.comment = b"c" * 60_000
            packed.writestr(entry, b"")

    refused(archive, "table of contents is too long")


@pytest.mark.parametrize("left", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_a_cut_off_archive(archive: Path, refused: Refused, left: float) -> None:
    data = archive.read_bytes()
    archive.write_bytes(data[: int(left * len(data))])

    refused(archive, "cut off")


def test_something_before_or_after_the_archive(archive: Path, refused: Refused) -> None:
    data = archive.read_bytes()
    archive.write_bytes(data + b"more")
    refused(archive, "something follows it")
    archive.write_bytes(b"#!/bin/sh\n" + data)
    refused(archive, "elsewhere than it says")
    for comment in (b"\x04\0more", b"\x04\0"):
        archive.write_bytes(data[:-2] + comment)
        refused(archive, "something follows it")


def test_a_zip64_archive(archive: Path, refused: Refused) -> None:
    data = archive.read_bytes()
    locator = b"PK\x06\x07" + bytes(16)
    archive.write_bytes(data[:-22] + locator + data[-22:])

    refused(archive, "Zip64")


def test_what_is_no_archive(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "weights.ettvos"
    path.write_bytes(b"\x80\x04" * 100)

    refused(path, "no zip archive")


def test_a_spoilt_deflate_stream(
    draft: Any, zip_as_is: Callable[[Path], Path], refused: Refused
) -> None:
    archive = zip_as_is(draft.folder)
    data = bytearray(archive.read_bytes())
    start = data.index(b"manifest.json") + len("manifest.json")
    data[start : start + 40] = b"\xff" * 40
    archive.write_bytes(bytes(data))

    refused(archive, "manifest.json is damaged")


def test_headers_that_disagree(archive: Path, refused: Refused) -> None:
    data = archive.read_bytes()
    archive.write_bytes(data.replace(b"install.sh", b"another.sh", 1))

    refused(archive, "install.sh is damaged")


@hypothesis_settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(st.data())
def test_whatever_byte_changes_it_is_noticed_or_means_nothing(
    draft: Any, zip_as_is: Callable[[Path], Path], temporary: Path, data: st.DataObject
) -> None:
    sound = zip_as_is(draft.folder).read_bytes()
    spoilt = bytearray(sound)
    position = data.draw(st.integers(0, len(sound) - 1))
    spoilt[position] = data.draw(st.integers(0, 255))
    path = draft.folder.parent / "spoilt.ettvos"
    path.write_bytes(bytes(spoilt))

    with suppress(BundleError), open_bundle(path) as bundle:
        assert bundle.manifest == parse_manifest(draft.table)
        for name in draft.table["files"]:
            assert (bundle.folder / name).read_bytes() == (draft.folder / name).read_bytes()
    assert list(temporary.iterdir()) == []
