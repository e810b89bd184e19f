"""Google Coral's Edge TPU, on USB or PCIe: the device, its speed, its driver, its library.

Sources: coral.ai/docs/accelerator and /docs/m2 (identifiers 1a6e:089a before and 18d1:9302 after
the first use, 1ac1:089a on PCIe, ``/dev/apex_0``), github.com/feranick/libedgetpu and
/gasket-driver. 84.8 °C is what users' boards show in ``trip_point0_temp``, not the makers' word.
"""

from __future__ import annotations

import os
from pathlib import Path

from edge_ttvos.firmware_bridge.check import Check, absent, there, trouble
from edge_ttvos.firmware_bridge.check import text as text_of

USB = {"1a6e:089a": "not used since it was plugged in", "18d1:9302": "in use since then"}
PCI = ("0x1ac1", "0x089a")
APEX = "dev/apex_0"
TEMPERATURE = "sys/class/apex/apex_0/temp"  # thousandths of a degree Celsius
TRIP = "sys/class/apex/apex_0/trip_point0_temp"  # the driver halves the clock here; likewise
WARM = 84800  # as the driver comes
LIBRARIES = ("usr/lib/*/libedgetpu.so.1*", "usr/lib/libedgetpu.so.1*", "usr/local/lib/libedgetpu.*")
LIBRARY_ADVICE = (
    "install libedgetpu1-std for this system from github.com/feranick/libedgetpu/releases; without "
    "it the bundle runs on the CPU"
)
USB3 = 5000  # Mbit/s


def checks(root: Path) -> tuple[Check, ...]:
    """Findings where an Edge TPU is plugged in or its library is installed; none elsewhere."""
    devices = (*_usb(root), *_pcie(root))
    library = next((path for glob in LIBRARIES for path in sorted(root.glob(glob))), None)
    if not devices and library is None:
        return ()
    if not devices:
        devices = (absent("Edge TPU", "none on USB or PCIe", "plug it in, or: lsusb, lspci -nn"),)
    if library is None:
        return (*devices, absent("libedgetpu", "not installed", LIBRARY_ADVICE))
    return (*devices, there("libedgetpu", f"/{library.relative_to(root)}"))


def _usb(root: Path) -> tuple[Check, ...]:
    found = []
    for device in sorted(root.glob("sys/bus/usb/devices/*")):
        name = f"{text_of(device / 'idVendor')}:{text_of(device / 'idProduct')}"
        if name in USB:
            found.append(_speed(f"USB {name}, {USB[name]}", text_of(device / "speed")))
    return tuple(found)


def _speed(finding: str, speed: str) -> Check:
    if speed.isdigit() and int(speed) < USB3:
        advice = "plug it into a USB 3 port (blue): USB 2 makes every frame wait"
        return trouble("Edge TPU", f"{finding}, at {speed} Mbit/s", advice)
    return there("Edge TPU", finding)


def _pcie(root: Path) -> tuple[Check, ...]:
    if not any(_is_coral(device) for device in root.glob("sys/bus/pci/devices/*")):
        return ()
    node = root / APEX
    if not node.exists():
        advice = "install gasket-dkms from github.com/feranick/gasket-driver/releases, then reboot"
        return (trouble("Edge TPU", "on PCIe, without a driver", advice),)
    if not os.access(node, os.R_OK | os.W_OK):
        advice = "sudo usermod -aG apex $USER, then log in anew"
        return (trouble("Edge TPU", f"/{APEX} is not for this user", advice),)
    return (_temperature(text_of(root / TEMPERATURE), text_of(root / TRIP)),)


def _is_coral(device: Path) -> bool:
    return (text_of(device / "vendor"), text_of(device / "device")) == PCI


def _temperature(thousandths: str, trip: str) -> Check:
    finding = f"/{APEX}"
    if not thousandths.isdigit():
        return there("Edge TPU", finding)
    warm = int(trip) if trip.isdigit() else WARM
    finding = f"{finding}, {int(thousandths) / 1e3:.0f} °C"
    if int(thousandths) < warm:
        return there("Edge TPU", finding)
    advice = f"cool it: from {warm / 1e3:.1f} °C on its driver lowers the clock"
    return trouble("Edge TPU", finding, advice)
