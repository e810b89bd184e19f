"""What boards share whose engines run on the CPU; no board itself."""

from __future__ import annotations

from edge_ttvos.targets.form import Form
from edge_ttvos.targets.rules import litert, onnxruntime, openvino

MIB = 2**20

# From the oldest release that ran our graphs to the next major one after the newest that did.
REQUIREMENTS = {
    "litert": ("ai-edge-litert>=2.1,<3",),
    "onnxruntime": ("onnxruntime>=1.20,<2",),
    "openvino": ("openvino>=2025.0,<2027",),
}
CONSTRAINTS = {
    "litert": litert.CONSTRAINTS,
    "onnxruntime": onnxruntime.CONSTRAINTS,
    "openvino": openvino.CONSTRAINTS,
}
# Transposed convolutions are for ONNX Runtime alone: it took 14.9 instead of 19.7 ms for decode at
# 480×864 with them; the others compute the same faster as a convolution and an interleaving.
FORMS = {"litert": Form(), "onnxruntime": Form(transposed=True), "openvino": Form()}
