"""A Jetson's findings, from a tree as JetPack leaves it."""

from __future__ import annotations

from typing import Any

import pytest

from edge_ttvos.firmware_bridge.systems.jetson import jetson_linux, version_of

RELEASE = "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, DATE: …\n"
STATUS = """\
Package: libnvinfer-bin
Status: install ok installed
Version: 10.3.0.30-1+cuda12.5
Description: TensorRT binaries
 trtexec: and more

Package: python3-libnvinfer
Status: deinstall ok config-files
Version: 10.3.0.30-1+cuda12.5
"""


def test_another_board_is_not_talked_about(board: Any) -> None:
    assert board({"var/lib/dpkg/status": STATUS}) == {}


def test_a_whole_jetpack(board: Any) -> None:
    files = {"etc/nv_tegra_release": RELEASE, "var/lib/dpkg/status": STATUS}
    found = board(files | {"usr/src/tensorrt/bin/trtexec": ""})
    assert found["JetPack"].finding == "6 (Jetson Linux 36.4.3)"
    assert (found["TensorRT"].ok, found["TensorRT"].finding) == (True, "10.3.0.30-1+cuda12.5")
    assert found["trtexec"].ok
    assert found["tensorrt"].advice == "sudo apt install -y python3-libnvinfer"


@pytest.mark.parametrize(
    ("release", "revision", "finding"),
    [
        (38, "4.0", "7 (Jetson Linux 38.4.0)"),
        (39, "2.0", "7 (Jetson Linux 39.2.0)"),  # JetPack 7.2
    ],
)
def test_every_jetpack_7(release: int, revision: str, finding: str, board: Any) -> None:
    text = f"# R{release} (release), REVISION: {revision}, GCID: 46758480, BOARD: generic"
    found = board({"etc/nv_tegra_release": text})["JetPack"]
    assert (found.ok, found.finding) == (True, finding)


def test_a_jetson_without_tensorrt_is_told_what_to_type(board: Any) -> None:
    found = board({"etc/nv_tegra_release": RELEASE})
    assert (found["TensorRT"].mark, found["TensorRT"].advice) == (
        "absent",
        "sudo apt install -y nvidia-jetpack",
    )
    assert found["trtexec"].advice == "sudo apt install -y libnvinfer-bin"


@pytest.mark.parametrize(
    ("release", "finding"),
    [
        (RELEASE.replace("R36", "R35"), "5 (Jetson Linux 35.4.3)"),
        (RELEASE.replace("R36", "R99"), "unknown: # R99 (release), REVISION: 4.3"),
        ("something else", "unknown: something else"),
    ],
)
def test_a_jetpack_that_nobody_reckoned_with(release: str, finding: str, board: Any) -> None:
    found = board({"etc/nv_tegra_release": release})["JetPack"]
    assert found.mark == "trouble"
    assert found.finding.startswith(finding)


@pytest.mark.parametrize("version", ["8.6.2.3-1", "100.0-1", "12.0-1"])
def test_a_tensorrt_of_an_unknown_major_version(version: str, board: Any) -> None:
    status = STATUS.replace("10.3.0.30-1+cuda12.5", version)
    found = board({"etc/nv_tegra_release": RELEASE, "var/lib/dpkg/status": status})["TensorRT"]
    assert (found.mark, found.finding) == ("trouble", f"{version}; known are 10 and 11")


def test_the_release_file() -> None:
    assert jetson_linux(RELEASE) == (36, "4.3")
    assert jetson_linux("") is None


def test_only_what_is_installed_has_a_version() -> None:
    assert version_of("libnvinfer-bin", STATUS) == "10.3.0.30-1+cuda12.5"
    assert version_of("python3-libnvinfer", STATUS) == ""
    assert version_of("libnvinfer-bin", "") == ""
