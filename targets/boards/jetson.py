"""NVIDIA Jetson: ONNX graphs, of which TensorRT builds its plans on the board."""

from __future__ import annotations

from edge_ttvos.targets.base import Budget, System, Target
from edge_ttvos.targets.boards.cpu import CONSTRAINTS, FORMS, MIB, REQUIREMENTS
from edge_ttvos.targets.form import Form
from edge_ttvos.targets.rules import tensorrt

INSTALL = (
    "sudo apt update",
    "sudo apt install -y nvidia-jetpack python3-libnvinfer python3-venv unzip",
)
# TensorRT itself comes with JetPack: pip must not fetch another. ONNX Runtime stands in for it.
STAND_IN = REQUIREMENTS["onnxruntime"]

TARGET = Target(
    name="jetson",
    title="NVIDIA Jetson with JetPack 6 or 7",
    engines=("tensorrt", "onnxruntime"),
    measured=False,
    sizes=((240, 432),),
    memory=Budget(
        arena_bytes=48 * MIB,
        reason=(
            "eight objects at 480×864 take 44.0 MiB of arena; what CUDA and TensorRT take beside "
            "it was not measured"
        ),
    ),
    systems=(
        System("JetPack 6.2 (Ubuntu 22.04)", "3.10", INSTALL, "TensorRT 10.3."),
        System("JetPack 7.2 (Ubuntu 24.04)", "3.12", INSTALL, "TensorRT 10.16."),
    ),
    requirements={"tensorrt": STAND_IN, "onnxruntime": STAND_IN},
    constraints={
        "tensorrt": tensorrt.CONSTRAINTS,
        "onnxruntime": CONSTRAINTS["onnxruntime"],
    },
    forms={
        "tensorrt": Form(transposed=True, early_cast=True, fused=True),
        "onnxruntime": FORMS["onnxruntime"],
    },
    verified=(
        "Not measured on hardware, and no NVIDIA GPU was at hand. Verified on x86-64: the "
        "constraints, by the tests; the graphs, in ONNX Runtime on the CPU; the engine's own code, "
        "against simulated libraries of TensorRT and CUDA."
    ),
    throttling=(
        "/sys/class/hwmon/hwmon*/oc*_event_cnt counts over-current events and "
        "/sys/class/thermal/cooling_device*/cur_state tells the clocks held back; `sudo nvpmodel "
        "-q` shows the power mode, and `sudo jetson_clocks` holds the clocks of that mode."
    ),
    system_packages=True,
    machines=("aarch64",),
)
