"""NVIDIA Jetson: JetPack by its Jetson Linux release, TensorRT, CUDA, and Python's way to them.

Sources: docs.nvidia.com/jetson/archives (``/etc/nv_tegra_release``; JetPack 6 is Jetson Linux 36,
JetPack 7.0 and 7.1 are 38), github.com/OE4T/meta-tegra/pull/2224 (7.2 is 39), dpkg's status file.
"""

from __future__ import annotations

import re
from pathlib import Path

from edge_ttvos.firmware_bridge.check import Check, absent, there, trouble
from edge_ttvos.firmware_bridge.check import text as text_of
from edge_ttvos.firmware_bridge.systems.hidden import system_package

RELEASE = "etc/nv_tegra_release"
PACKAGES = "var/lib/dpkg/status"
TRTEXEC = "usr/src/tensorrt/bin/trtexec"
JETPACK = {35: "5", 36: "6", 38: "7", 39: "7"}  # by major release of Jetson Linux
SUPPORTED = ("6", "7")
TENSORRT = ("10.", "11.")  # majors that a bundle's engine can be built with
INSTALL = "sudo apt install -y nvidia-jetpack"


def checks(root: Path) -> tuple[Check, ...]:
    """Findings on a Jetson; none on other boards."""
    release = text_of(root / RELEASE)
    if not release:
        return ()
    packages = text_of(root / PACKAGES)
    return (
        _jetpack(release),
        _tensorrt(version_of("libnvinfer-bin", packages) or version_of("libnvinfer10", packages)),
        _trtexec(root),
        system_package(root, "tensorrt", "python3-libnvinfer"),
    )


def jetson_linux(release: str) -> tuple[int, str] | None:
    """(36, "4.3") of ``# R36 (release), REVISION: 4.3, …``; None for anything else."""
    found = re.match(r"# R(\d+) \(release\), REVISION: ([\d.]+)", release)
    return (int(found[1]), found[2]) if found else None


def version_of(package: str, status: str) -> str:
    """Version of an installed package in dpkg's status; empty where it is not installed."""
    for entry in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in entry.splitlines() if ": " in line)
        installed = fields.get("Status", "").endswith(" installed")
        if fields.get("Package") == package and installed:
            return fields.get("Version", "")
    return ""


def _jetpack(release: str) -> Check:
    linux = jetson_linux(release)
    jetpack = JETPACK.get(linux[0], "") if linux else ""
    if linux is None or not jetpack:
        return trouble("JetPack", f"unknown: {release[:60]}", "flash JetPack 6 or 7")
    finding = f"{jetpack} (Jetson Linux {linux[0]}.{linux[1]})"
    if jetpack in SUPPORTED:
        return there("JetPack", finding)
    return trouble("JetPack", finding, "flash JetPack 6 or 7: its Python is too old")


def _tensorrt(version: str) -> Check:
    if not version:
        return absent("TensorRT", "not installed", INSTALL)
    if version.startswith(TENSORRT):
        return there("TensorRT", version)
    return trouble("TensorRT", f"{version}; known are 10 and 11", "flash JetPack 6 or 7")


def _trtexec(root: Path) -> Check:
    if (root / TRTEXEC).is_file():
        return there("trtexec", f"/{TRTEXEC}")
    return absent("trtexec", "not installed", "sudo apt install -y libnvinfer-bin")
