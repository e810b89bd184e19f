"""An Edge TPU on USB or PCIe, from a tree as the kernel shows it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.firmware_bridge.systems import coral

LIBRARY = {"usr/lib/aarch64-linux-gnu/libedgetpu.so.1.0": ""}
PCIE = {
    "sys/bus/pci/devices/0000:01:00.0/vendor": "0x1ac1\n",
    "sys/bus/pci/devices/0000:01:00.0/device": "0x089a\n",
}


def usb(vendor: str, product: str, speed: str = "5000") -> dict[str, str]:
    device = "sys/bus/usb/devices/2-1"
    return {
        f"{device}/idVendor": f"{vendor}\n",
        f"{device}/idProduct": f"{product}\n",
        f"{device}/speed": f"{speed}\n",
    }


def test_a_machine_without_one_is_not_talked_about(board: Any) -> None:
    assert board(usb("0bda", "8153")) == {}


@pytest.mark.parametrize(
    ("numbers", "state"),
    [(("1a6e", "089a"), "not used since"), (("18d1", "9302"), "in use since")],
)
def test_on_usb_before_and_after_its_first_use(
    numbers: tuple[str, str], state: str, board: Any
) -> None:
    found = board(usb(*numbers) | LIBRARY)
    assert found["Edge TPU"].ok
    assert state in found["Edge TPU"].finding
    assert found["libedgetpu"].finding == "/usr/lib/aarch64-linux-gnu/libedgetpu.so.1.0"


def test_a_usb_2_port_is_trouble(board: Any) -> None:
    found = board(usb("18d1", "9302", "480"))["Edge TPU"]
    assert found.mark == "trouble"
    assert "480 Mbit/s" in found.finding
    assert "USB 3 port" in found.advice


def test_without_its_library_it_says_where_to_get_it(board: Any) -> None:
    found = board(usb("18d1", "9302"))["libedgetpu"]
    assert found.mark == "absent"
    assert "feranick/libedgetpu" in found.advice
    assert "runs on the CPU" in found.advice


def test_a_library_without_a_device(board: Any) -> None:
    found = board(LIBRARY)["Edge TPU"]
    assert (found.mark, found.finding) == ("absent", "none on USB or PCIe")


def test_on_pcie_without_a_driver(board: Any) -> None:
    found = board(PCIE)["Edge TPU"]
    assert (found.mark, found.finding) == ("trouble", "on PCIe, without a driver")
    assert "gasket-dkms" in found.advice


@pytest.mark.parametrize(
    ("temperature", "ok", "finding"),
    [
        ("48200", True, "/dev/apex_0, 48 °C"),
        ("91000", False, "/dev/apex_0, 91 °C"),
        ("", True, "/dev/apex_0"),
    ],
)
def test_on_pcie_its_temperature(temperature: str, ok: bool, finding: str, board: Any) -> None:
    files = PCIE | {"dev/apex_0": "", "sys/class/apex/apex_0/temp": temperature}
    found = board(files)["Edge TPU"]
    assert (found.ok, found.finding) == (ok, finding)


@pytest.mark.parametrize(("temperature", "ok"), [("69999", True), ("70000", False)])
def test_the_drivers_own_limit_counts(temperature: str, ok: bool, board: Any) -> None:
    folder = "sys/class/apex/apex_0"
    files = {f"{folder}/temp": temperature, f"{folder}/trip_point0_temp": "70000\n"}
    found = board(PCIE | {"dev/apex_0": ""} | files)["Edge TPU"]
    assert (found.ok, "from 70.0 °C on" in found.advice) == (ok, not ok)


def test_on_pcie_for_another_user(board: Any, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coral.os, "access", lambda path, mode: mode != os.R_OK | os.W_OK)
    found = board(PCIE | {"dev/apex_0": ""})["Edge TPU"]
    assert (found.mark, "usermod -aG apex" in found.advice) == ("trouble", True)
