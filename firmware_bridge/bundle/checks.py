"""What must hold of a manifest beyond the kinds of its values: ranges, and how its parts fit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from edge_ttvos.contracts import SIDE_MULTIPLE, Quantization, TensorCodes, TensorSpec, state_spec
from edge_ttvos.firmware_bridge.bundle.limits import MAX_SIDE, MAX_TEXT
from edge_ttvos.firmware_bridge.bundle.paths import (
    MANIFEST,
    check_names,
    check_sizes,
    compiled_path,
    fused_path,
)
from edge_ttvos.records import shortened

if TYPE_CHECKING:
    from edge_ttvos.firmware_bridge.bundle.manifest import Graph, Manifest

SUFFIXES = {"litert": ".tflite", "onnxruntime": ".onnx", "openvino": ".xml", "tensorrt": ".onnx"}
BESIDE = re.compile(
    r"requirements\.txt|install\.sh|LICENSE|README\.md|box_head\.bin|edge-ttvos-live\.service|"
    r"edge_ttvos-[^/]+\.whl"
)
# What may be codes: all that graphs exchange but the frame, whose bytes are codes already.
CODED = (
    *("s4", "s8", "s16", "masks", "modified_s8", "f", "g", "q", "attention"),
    *("log_odds", "update_weight", "template", "coordinates"),
)
BITS = (2, 16)  # of codes, least and most
SHA256 = re.compile(r"[0-9a-f]{64}")
# A name, extras, versions, a marker; no option of pip's, no address, no path.
REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._\-\[\],<>=!~*+;'\"()]*")


def texts(where: str, *values: str) -> None:
    """One printable line each, not empty, not long."""
    for value in values:
        _require(
            0 < len(value) <= MAX_TEXT and value.isprintable() and not value.isspace(),
            f"{where}: text must be one printable line of at most {MAX_TEXT} characters",
            value,
        )


def sha256(where: str, value: str) -> None:
    """64 hexadecimal digits."""
    fits = SHA256.fullmatch(value) is not None
    _require(fits, f"{where}: sha256 must be 64 digits of 0-9a-f", value)


def within(where: str, value: int, least: int, most: int) -> None:
    """At least ``least`` and at most ``most``."""
    bounds = str(least) if least == most else f"{least}…{most}"
    _require(least <= value <= most, f"{where} must be {bounds}", value)


def percents(where: str, *values: float | None) -> None:
    """0…100, or None."""
    for value in values:
        fits = value is None or 0 <= value <= 100
        _require(fits, f"{where} must be percent, 0…100, or null", value)


def graph_size(size: tuple[int, int]) -> None:
    """Multiples of 16 up to the limit."""
    _require(
        all(0 < side <= MAX_SIDE and side % SIDE_MULTIPLE == 0 for side in size),
        f"graphs: size must be multiples of {SIDE_MULTIPLE} up to {MAX_SIDE}",
        size,
    )


def manifest(record: Manifest) -> None:
    """All that takes more than one part of a manifest to see.

    Raises:
        ValueError: naming the part.
    """
    texts("engine_versions", *record.engine_versions)
    texts("target", record.target)
    texts("created_by", record.created_by.version, record.created_by.commit or "none")
    known = ", ".join(SUFFIXES)
    _require(record.engine in SUFFIXES, f"engine must be one of {known}", record.engine)
    for line in record.requirements:
        texts("requirements", line)
        fits = REQUIREMENT.fullmatch(line) is not None
        _require(fits, "requirements: a line must be a name and versions", line)
    _require(bool(record.graphs), "graphs must hold at least one", record.graphs)
    (size, times), *_ = Counter(record.sizes).most_common(1)
    _require(times == 1, "graphs: every size must stand once", f"{size} {times} times")
    for graph in record.graphs:
        _state(graph, record)
    _files(record)


def codes(tensors: tuple[TensorCodes, ...]) -> None:
    """Known tensors, each once, with codes that fit their bits."""
    for tensor in tensors:
        _require(tensor.name in CODED, "model: codes must be of a known tensor", tensor.name)
        _quantization(f"model: codes of {tensor.name}", tensor.quantization)
    names = [tensor.name for tensor in tensors]
    _require(len(set(names)) == len(names), "model: codes must name a tensor once", names)


def _quantization(where: str, codes: Quantization) -> None:
    _require(codes.scale > 0, f"{where} must have a scale above 0", codes.scale)
    within(f"{where}: bits", codes.bits, *BITS)
    within(f"{where}: offset", codes.offset, codes.least, codes.most)


def _state(graph: Graph, record: Manifest) -> None:
    """The state is what the contract makes of the model: names, shapes, dtypes and codes."""
    expected = state_spec(record.model_spec(graph.size), 1)
    where = f"graphs: state of {graph.size[0]}x{graph.size[1]}"
    for got, wanted in zip_longest(graph.state, (*expected.shared, *expected.slot)):
        if got != wanted:
            raise ValueError(f"{where} must have {_brief(wanted)}; got {_brief(got)}")


def _brief(tensor: TensorSpec | None) -> str:
    if tensor is None:
        return "no more"
    return f"{tensor.name} {tensor.shape} {tensor.dtype} {tensor.quantization or ''}".strip()


def _files(record: Manifest) -> None:
    """Every file has a fair name and one use, and every use its file."""
    check_names([MANIFEST, *record.files])
    _require(MANIFEST not in record.files, "files must not list", MANIFEST)
    check_sizes({MANIFEST: 0} | {name: file.bytes for name, file in record.files.items()})
    uses = Counter(_uses(record))
    for name, times in uses.items():
        _require(name in record.files, "files must list all that is used; it lacks", name)
        _require(times == 1, "graphs: a file must have one use", f"{name} {times} times")
    graphs = [name for name in uses if name.endswith(".tflite")]
    beside = set(map(compiled_path, graphs))
    beside |= {fused_path(g.encode) for g in record.graphs if g.encode.endswith(".onnx")}
    for name in record.files:
        known = name in uses or name in beside or BESIDE.fullmatch(name) is not None
        _require(known, "files must not list what has no use", name)


def _uses(record: Manifest) -> Iterator[str]:
    """Paths that the graphs need."""
    suffix = SUFFIXES[record.engine]
    for graph in record.graphs:
        for name in graph.paths:
            _require(name.endswith(suffix), f"graphs: {record.engine} needs {suffix} files", name)
            yield name
            if suffix == ".xml":
                yield name.removesuffix(suffix) + ".bin"
        for name in (*graph.golden.frames, *graph.golden.masks):
            _require(name.endswith(".png"), "golden: images must be .png", name)
            yield name


def _require(condition: bool, what: str, got: object) -> None:
    if not condition:
        raise ValueError(f"{what}; got {shortened(got)}")
