from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.firmware_bridge.bundle.paths import check_name, check_names, check_sizes

LIMIT = 200  # characters


@pytest.mark.parametrize(
    "name",
    [
        "manifest.json",
        "models/480x864/encode.tflite",
        "edge_ttvos-0.1.0.post1+local-py3-none-any.whl",
        "_/a.b",
        "a" * LIMIT,
    ],
)
def test_plain_names_pass(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "is empty"),
        ("a" * (LIMIT + 1), "longer than 200"),
        ("a\\b", "backslash"),
        ("/a", "absolute"),
        ("c:a", "drive"),
        ("a/..", "leads out"),
        ("a/../../b", "leads out"),
        ("a//b", "empty part"),
        ("a/", "empty part"),
        ("./a", "empty part or '.'"),
        ("a\x1b[2J", "control"),
        ("a\udcff", "control"),
        ("a b", "may hold only"),
        ("a\u0430", "may hold only"),
        (".a", "may begin with"),
        ("a/-b", "may begin with"),
        ("ab:c", "may hold only"),
    ],
)
def test_others_are_refused_by_their_fault(name: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        check_name(name)
    assert str(caught.value).isprintable()


@given(st.text() | st.text("./\\:ab", min_size=1))
def test_what_passes_stays_inside_everywhere(name: str) -> None:
    try:
        check_name(name)
    except ValueError:
        return
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(name)
        assert not path.is_absolute()
        assert not path.drive
        assert ".." not in path.parts
        assert path.as_posix() == name


def test_names_that_some_file_systems_confuse() -> None:
    check_names(["a/b", "a/c", "ab"])
    with pytest.raises(ValueError, match="'a/b' and 'A/b' differ only in case"):
        check_names(["a/b", "A/b"])
    with pytest.raises(ValueError, match="'A' is both a file and a folder"):
        check_names(["a/b/c", "A"])


def test_sizes_up_to_the_limits() -> None:
    check_sizes({"manifest.json": 1_000_000, "a": 64_000_000, "b": 64_000_000})
    check_sizes({f"e{index}": 0 for index in range(2000)})
    for sizes, says in (
        ({"manifest.json": 1_000_001}, "manifest.json may have at most 1000000 bytes"),
        ({"a": 64_000_001}, "a may have at most 64000000 bytes; got 64000001"),
        ({"a": -1}, "got -1"),
        (dict.fromkeys("abcde", 64_000_000), "together .* 256000000 bytes; got 320000000"),
        ({f"e{index}": 0 for index in range(2001)}, "at most 2000 files; got 2001"),
    ):
        with pytest.raises(ValueError, match=says):
            check_sizes(sizes)
