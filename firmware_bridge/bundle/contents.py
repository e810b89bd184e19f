"""What must be known of a file's content before an engine or a decoder sees it.

Two of the graphs' formats can name further files, which the engine would then read. Both are
walked here as far as that takes, without the engine: ONNX (protobuf) and LiteRT (FlatBuffers).
OpenVINO's .xml names none: its .bin is found by its name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from edge_ttvos.firmware_bridge.bundle.limits import MAX_DEPTH, MAX_FIELDS, MAX_SIDE

# Messages that may hold a tensor, by field number: onnx.proto of ONNX 1.23, unchanged since IR 10.
ONNX_INSIDE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
EXTERNAL_DATA, DATA_LOCATION, OP_TYPE = 13, 14, 4
COMPILED = b"EPContext"  # a node of ONNX Runtime's whose graph stands in another file

TFLITE_GROUPS, TFLITE_BUFFERS = 8, 9  # slots of Model in LiteRT's schema.fbs: external buffers
CUT_OFF = "is cut off or damaged"


def check_onnx(data: bytes) -> None:
    """Refuse an ONNX model whose tensors or nodes stand in other files.

    Raises:
        ValueError: it refers to another file, is damaged, or is no protobuf.
    """
    left = MAX_FIELDS
    waiting: list[tuple[str, memoryview, int]] = [("model", memoryview(data), 0)]
    graphs = 0
    while waiting:
        message, part, depth = waiting.pop()
        graphs += message == "graph"
        if depth > MAX_DEPTH:
            raise ValueError(f"nests deeper than {MAX_DEPTH} messages")
        for number, value in _fields(part):
            left -= 1
            if left < 0:
                raise ValueError(f"has more than {MAX_FIELDS} fields")
            if inside := ONNX_INSIDE[message].get(number):
                if not isinstance(value, memoryview):
                    raise ValueError(CUT_OFF)
                waiting.append((inside, value, depth + 1))
            elif message == "tensor" and _external(number, value):
                raise ValueError("has external data: its tensors stand in another file")
            elif message == "node" and number == OP_TYPE and _text(value) == COMPILED:
                raise ValueError(f"has external data: its {COMPILED.decode()} node may name a file")
    if not graphs:
        raise ValueError("is no ONNX model")


def _text(value: int | memoryview) -> bytes:
    return b"" if isinstance(value, int) else bytes(value[: len(COMPILED) + 1])


def _external(number: int, value: int | memoryview) -> bool:
    return number == EXTERNAL_DATA or (number == DATA_LOCATION and value != 0)


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of a protobuf message; of fixed-width ones 0.

    Source: protobuf.dev/programming-guides/encoding.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value: int | memoryview = 0
        wire = key & 7
        if wire == 0:
            value, at = _varint(data, at)
        elif wire == 2:
            length, at = _varint(data, at)
            value = data[at : at + length]
            at += length
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError(CUT_OFF)
        if at > len(data):
            raise ValueError(CUT_OFF)
        yield key >> 3, value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise ValueError(CUT_OFF)


def check_tflite(data: bytes) -> None:
    """Refuse a LiteRT model whose buffers stand in other files.

    Raises:
        ValueError: it refers to another file, is damaged, or is no LiteRT model.
    """
    if data[4:8] != b"TFL3":
        raise ValueError("is no LiteRT model")
    (root,) = _unpack("<I", data, 0)
    (back,) = _unpack("<i", data, root)
    table = root - back
    (length,) = _unpack("<H", data, table)
    for slot in (TFLITE_GROUPS, TFLITE_BUFFERS):
        if 4 + 2 * slot + 2 <= length:
            (offset,) = _unpack("<H", data, table + 4 + 2 * slot)
            if offset and _vector_length(data, root + offset):
                raise ValueError("has external data: its buffers stand in another file")


def _vector_length(data: bytes, at: int) -> int:
    (offset,) = _unpack("<I", data, at)
    (length,) = _unpack("<I", data, at + offset)
    return int(length)


def _unpack(layout: str, data: bytes, at: int) -> tuple[int, ...]:
    if not 0 <= at <= len(data) - struct.calcsize(layout):
        raise ValueError(CUT_OFF)
    return struct.unpack_from(layout, data, at)


def png_size(head: bytes) -> tuple[int, int]:
    """Height and width in pixels that a PNG announces in its first 24 bytes.

    Raises:
        ValueError: it is no PNG, or larger than a decoder should be asked for.
    """
    if len(head) < 24 or head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
        raise ValueError("is no PNG image")
    width, height = struct.unpack(">2I", head[16:24])
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise ValueError(f"may have at most {MAX_SIDE} pixels a side; got {height}x{width}")
    return height, width
