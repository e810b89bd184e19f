"""A Raspberry Pi's findings, from a tree as its system shows it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.firmware_bridge.systems.raspberry_pi import checks, codename

PI = {
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\n',
    "etc/rpi-issue": "Raspberry Pi reference 2025-05-13\n",
}
PICAMERA = {"usr/lib/python3/dist-packages/picamera2/__init__.py": ""}


def test_another_board_is_not_talked_about(board: Any) -> None:
    assert board({"proc/device-tree/model": "Some Board"}) == {}


def test_a_pi_that_lacks_the_camera_library_is_told_what_to_type(board: Any) -> None:
    found = board(PI)
    assert found["board"].finding == "Raspberry Pi 5 Model B Rev 1.0"
    assert (found["system"].ok, found["system"].finding) == (True, "Raspberry Pi OS, bookworm")
    assert (found["picamera2"].mark, found["picamera2"].advice) == (
        "absent",
        "sudo apt install -y python3-picamera2",
    )


def test_a_camera_library_that_the_environment_hides(
    board: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", "/home/pi/venv")
    found = board(PI | PICAMERA)["picamera2"]
    assert (found.mark, "does not see it" in found.finding) == ("trouble", True)
    assert found.advice.endswith("python3 -m venv --system-site-packages")


def test_a_camera_library_of_another_python(board: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    found = board(PI | PICAMERA)["picamera2"]
    assert (found.mark, "this is another one" in found.finding) == ("trouble", True)


def test_a_camera_library_that_is_seen(
    board: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "picamera2.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert board(PI | PICAMERA)["picamera2"].ok


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"etc/os-release": "VERSION_CODENAME=bullseye"}, "Raspberry Pi OS, bullseye"),
        ({"etc/os-release": "NAME=x"}, "Raspberry Pi OS, unknown"),
    ],
)
def test_a_system_that_nobody_reckoned_with(
    change: dict[str, str], finding: str, board: Any
) -> None:
    found = board(PI | change)["system"]
    assert (found.mark, found.finding) == ("trouble", finding)


def test_ubuntu_on_a_pi(board: Any) -> None:
    files = {name: text for name, text in PI.items() if name != "etc/rpi-issue"}
    assert board(files)["system"].finding == "another system, bookworm"


def test_a_32_bit_system_cannot_track(board: Any, tree: Path) -> None:
    board(PI)
    (found,) = (check for check in checks(tree, bits=32) if check.name == "64-bit system")
    assert (found.ok, found.needed) == (False, True)
    assert "64-bit" in found.advice


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ('VERSION_CODENAME="trixie"', "trixie"),
        ("ID=debian\nVERSION_CODENAME=sid\n", "sid"),
        ("", ""),
    ],
)
def test_the_codename(release: str, name: str) -> None:
    assert codename(release) == name
