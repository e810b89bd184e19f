"""Raspberry Pi 4 and 5 with a 64-bit system."""

from __future__ import annotations

from edge_ttvos.targets.base import Budget, System, Target
from edge_ttvos.targets.boards.cpu import CONSTRAINTS, FORMS, MIB, REQUIREMENTS

INSTALL = (
    "sudo apt update",
    "sudo apt install -y python3-venv python3-picamera2 unzip",
)
# Bookworm's simplejpeg, without which picamera2 does not import, is built for NumPy 1.
NUMPY = "numpy<2; python_version < '3.12'"
CAMERA = "picamera2 comes from apt, which is why the environment sees the system's packages."

TARGET = Target(
    name="raspberry-pi",
    title="Raspberry Pi 4 or 5, 64-bit Raspberry Pi OS",
    engines=("litert", "openvino", "onnxruntime"),
    measured=False,
    sizes=((240, 432),),
    memory=Budget(
        arena_bytes=48 * MIB,
        reason=(
            "eight objects take 11.0 MiB of arena at 240×432 and 44.0 at 480×864; the three graphs "
            "at 480×864 took a LiteRT process of 190 MiB on x86-64; what is left of the smallest "
            "board's 1 GiB is for the system and the camera"
        ),
    ),
    systems=(
        System("Raspberry Pi OS Bookworm (64-bit)", "3.11", INSTALL, CAMERA),
        System("Raspberry Pi OS Trixie (64-bit)", "3.13", INSTALL, CAMERA),
    ),
    requirements={engine: (*lines, NUMPY) for engine, lines in REQUIREMENTS.items()},
    constraints=CONSTRAINTS,
    forms=FORMS,
    verified=(
        "Not measured on hardware. Verified: the constraints, on x86-64, by the tests; that pip "
        "finds aarch64 wheels for Python 3.11 and 3.13, of all that a LiteRT bundle needs and of "
        "the oldest engines accepted (ai-edge-litert 2.1.0, onnxruntime 1.20.0, openvino 2025.0.0)."
    ),
    throttling=(
        "`vcgencmd get_throttled`, or get_throttled below /sys/devices/platform/soc: "
        "under-voltage, capped clock, throttling, soft temperature limit; now and since boot."
    ),
    system_packages=True,
    machines=("aarch64",),
)
