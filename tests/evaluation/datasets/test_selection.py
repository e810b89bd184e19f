from __future__ import annotations

from pathlib import Path

import pytest

from edge_ttvos.errors import DatasetError
from edge_ttvos.evaluation.datasets import parse_sequences


def test_names_parted_by_commas() -> None:
    assert parse_sequences("b, a,b,") == ("b", "a")


def test_more_names_than_a_path_may_be_long() -> None:
    names = tuple(f"sequence-{n}" for n in range(99))
    assert parse_sequences(",".join(names)) == names


def test_a_file_of_names(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("blackswan\n\n  camel \nblackswan\n")
    assert parse_sequences(str(tmp_path / "list.txt")) == ("blackswan", "camel")


def test_a_file_of_the_benchmarks_pairs(tmp_path: Path) -> None:
    pair = "/JPEGImages/480p/{0}/{1}.jpg /Annotations/480p/{0}/{1}.png\n"
    names = [("bear", "00000"), ("bear", "00001"), ("bmx-trees", "00000")]
    (tmp_path / "val.txt").write_text("".join(pair.format(*name) for name in names))
    assert parse_sequences(str(tmp_path / "val.txt")) == ("bear", "bmx-trees")


def test_what_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "slash.txt").write_text("/00000.jpg\n")
    with pytest.raises(DatasetError, match="names no sequence"):
        parse_sequences(str(tmp_path / "empty.txt"))
    with pytest.raises(DatasetError, match="names no sequence"):
        parse_sequences(" , ")
    with pytest.raises(DatasetError, match="cannot be read as a list"):
        parse_sequences(str(tmp_path / "bytes.txt"))
    with pytest.raises(DatasetError, match="names no sequence: expected a name or"):
        parse_sequences(str(tmp_path / "slash.txt"))
    with pytest.raises(DatasetError, match="is no file"):
        parse_sequences("lists/val")
    with pytest.raises(DatasetError, match="is no file"):
        parse_sequences("val.txt")
