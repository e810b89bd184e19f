"""The machine that deploys: the fastest engine is found by measuring."""

from __future__ import annotations

from edge_ttvos.targets.base import Budget, System, Target
from edge_ttvos.targets.boards.cpu import CONSTRAINTS, FORMS, MIB, REQUIREMENTS

INSTALL = (
    "sudo apt install -y git python3-venv",
    "python3 -m venv .venv",
    ".venv/bin/python -m pip install '.[host]'",
)

TARGET = Target(
    name="host",
    title="This machine (Linux on x86-64 or arm64)",
    engines=("litert", "openvino", "onnxruntime"),
    measured=True,
    sizes=(),
    memory=Budget(
        arena_bytes=48 * MIB,
        reason=(
            "eight objects at 480×864 take 44.0 MiB of arena; the three graphs at that size took a "
            "process of 190 (LiteRT), 208 (ONNX Runtime) and 213 MiB (OpenVINO) on x86-64, frames "
            "and video decoder not counted"
        ),
    ),
    systems=(
        System("Debian 12 (Bookworm)", "3.11", INSTALL, "Tested."),
        System("Debian 13 (Trixie)", "3.13", INSTALL, "Not tried."),
        System("Ubuntu 24.04", "3.12", INSTALL, "Not tried."),
    ),
    requirements=REQUIREMENTS,
    constraints=CONSTRAINTS,
    forms=FORMS,
    verified=(
        "Verified on x86-64 with Python 3.11: the constraints, by the tests, with ai-edge-litert "
        "2.3.0, onnxruntime 1.31.1 and openvino 2026.4.1. The oldest releases accepted (2.1.0, "
        "1.20.0, 2025.0.0) ran the graphs of the shipped weights at 480×864 and agreed with one "
        "another to 7e-5. Not tried: arm64, other Pythons."
    ),
    throttling=(
        "/sys/devices/system/cpu/cpu*/cpufreq/scaling_cur_freq and /sys/class/thermal tell clock "
        "and temperature; whether the machine held itself back, only a comparison of them."
    ),
)
