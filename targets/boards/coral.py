"""Coral's Edge TPU (USB or M.2 accelerator) on a small Linux machine."""

from __future__ import annotations

from edge_ttvos.targets.base import Budget, System, Target
from edge_ttvos.targets.boards.cpu import CONSTRAINTS, MIB, REQUIREMENTS
from edge_ttvos.targets.form import Form

INSTALL = (
    "sudo apt update",
    "sudo apt install -y python3-venv unzip",
)
RUNTIME = (
    "For the Edge TPU also libedgetpu.so.1, which no Debian archive has: "
    "github.com/feranick/libedgetpu/releases. Without it the CPU runs the same bundle."
)

TARGET = Target(
    name="coral",
    title="Coral Edge TPU (USB or M.2) on 64-bit Raspberry Pi OS or Debian",
    engines=("litert",),
    measured=False,
    sizes=((240, 432),),
    memory=Budget(
        arena_bytes=48 * MIB,
        reason="as for the Raspberry Pi that carries it: the CPU must be able to run it all",
    ),
    systems=(
        System("Raspberry Pi OS Bookworm (64-bit)", "3.11", INSTALL, RUNTIME),
        System("Debian 12 on x86-64 or arm64", "3.11", INSTALL, RUNTIME),
    ),
    requirements={"litert": REQUIREMENTS["litert"]},
    constraints={"litert": CONSTRAINTS["litert"]},
    forms={"litert": Form(coordinates="input", plain=True)},
    verified=(
        "Not measured on hardware, and never compiled: edgetpu_compiler could not be had. Verified "
        "on x86-64: the graphs on the CPU, by the tests; how much maps by the published limits, on "
        "graphs of a quantized model and on 8-bit copies of a float one's."
    ),
    throttling=(
        "/sys/class/apex/apex_0/temp is the M.2 accelerator's temperature in m°C, and trip_point*_"
        "temp beside it where its clock is lowered; the USB accelerator tells neither. The board's "
        "own throttling is the Raspberry Pi's."
    ),
    accelerator="edgetpu",
)
