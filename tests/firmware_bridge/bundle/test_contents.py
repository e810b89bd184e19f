from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.firmware_bridge.bundle.contents import check_onnx, check_tflite, png_size

MODEL_GRAPH, TRAINING, FUNCTION = 7, 20, 25  # fields of onnx.proto
NODE, INITIALIZER, SPARSE = 1, 5, 15
ATTRIBUTE, T, G, TENSORS, GRAPHS, SPARSE_TENSOR = 5, 5, 6, 10, 11, 22
VALUES, INDICES, EXTERNAL_DATA, DATA_LOCATION = 1, 2, 13, 14


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    low = value & 0x7F
    return bytes([low]) if value < 0x80 else bytes([low | 0x80]) + varint(value >> 7)


def nested(*numbers: int, inside: bytes = b"") -> bytes:
    """Messages in one another, by field number, the outermost first."""
    for number in reversed(numbers):
        inside = varint(number << 3 | 2) + varint(len(inside)) + inside
    return inside


LOCATION = varint(DATA_LOCATION << 3) + b"\x01"
SOUND = nested(MODEL_GRAPH, INITIALIZER, inside=nested(9, inside=b"raw data") + b"\x10\x01")


def test_tensors_with_data_of_their_own_pass() -> None:
    check_onnx(SOUND)
    check_onnx(SOUND + varint(DATA_LOCATION << 3) + b"\x01")  # of the model: no such field
    check_onnx(nested(MODEL_GRAPH, INITIALIZER, inside=varint(DATA_LOCATION << 3) + b"\x00"))


@pytest.mark.parametrize("mark", [nested(EXTERNAL_DATA), LOCATION], ids=["data", "location"])
@pytest.mark.parametrize(
    "way",
    [
        (MODEL_GRAPH, INITIALIZER),
        (MODEL_GRAPH, SPARSE, VALUES),
        (MODEL_GRAPH, SPARSE, INDICES),
        (MODEL_GRAPH, NODE, ATTRIBUTE, T),
        (MODEL_GRAPH, NODE, ATTRIBUTE, TENSORS),
        (MODEL_GRAPH, NODE, ATTRIBUTE, SPARSE_TENSOR, VALUES),
        (MODEL_GRAPH, NODE, ATTRIBUTE, G, INITIALIZER),
        (MODEL_GRAPH, NODE, ATTRIBUTE, GRAPHS, NODE, ATTRIBUTE, T),
        (FUNCTION, 7, ATTRIBUTE, T),
        (FUNCTION, 11, T),
        (TRAINING, 1, INITIALIZER),
        (TRAINING, 2, INITIALIZER),
    ],
)
def test_external_data_is_found_wherever_it_hides(way: tuple[int, ...], mark: bytes) -> None:
    with pytest.raises(ValueError, match="external data"):
        check_onnx(SOUND + nested(*way, inside=mark))


def test_a_graph_in_another_file_is_found() -> None:
    node = nested(4, inside=b"EPContext")

    check_onnx(nested(MODEL_GRAPH, NODE, inside=nested(4, inside=b"EPContexts")))
    with pytest.raises(ValueError, match="external data"):
        check_onnx(nested(MODEL_GRAPH, NODE, inside=node))


@pytest.mark.parametrize(
    "data",
    [
        SOUND[:-1],
        b"\x3a\x05\x00",
        b"\x3a" + b"\xff" * 11,
        varint(MODEL_GRAPH << 3) + b"\x01",  # a number where the graph should be
        varint(MODEL_GRAPH << 3 | 3),  # a group
        b"\x3a\x01\x29",  # eight bytes that are not there
    ],
)
def test_damaged_protobuf(data: bytes) -> None:
    with pytest.raises(ValueError, match="cut off or damaged"):
        check_onnx(data)


def test_what_is_no_onnx() -> None:
    with pytest.raises(ValueError, match="no ONNX model"):
        check_onnx(b"")


def test_nesting_and_fields_have_limits() -> None:
    deep = nested(MODEL_GRAPH, *[NODE, ATTRIBUTE, G] * 34)

    with pytest.raises(ValueError, match="deeper than 100"):
        check_onnx(deep)
    with pytest.raises(ValueError, match="more than 250000 fields"):
        check_onnx(SOUND + b"\x08\x00" * 250_000)


@given(st.binary(max_size=60))
def test_any_bytes_are_either_fine_or_a_value_error(data: bytes) -> None:
    for check in (check_onnx, check_tflite):
        try:
            check(data)
            check(b"\0\0\0\0TFL3" + data)
        except ValueError:
            pass


def tflite(*slots: int, length: int) -> bytes:
    """A model whose table has a vector of some length in each of the slots."""
    fields = 10
    vtable = [4 + 2 * fields, 8] + [4 if slot in slots else 0 for slot in range(fields)]
    head = struct.pack("<I4s", 8 + vtable[0], b"TFL3") + struct.pack(f"<{len(vtable)}H", *vtable)
    # the table: how far back its vtable is, and an offset to the vector behind it
    return head + struct.pack("<iII", vtable[0], 4, length) + bytes(4 * length)


def test_buffers_of_its_own_pass() -> None:
    check_tflite(tflite(4, length=3))
    check_tflite(tflite(8, 9, length=0))


@pytest.mark.parametrize("slot", [8, 9])
def test_buffers_in_other_files_are_found(slot: int) -> None:
    with pytest.raises(ValueError, match="external data"):
        check_tflite(tflite(slot, length=1))


@pytest.mark.parametrize("left", [8, 12, 30, 34, 38])
def test_a_cut_off_tflite(left: int) -> None:
    with pytest.raises(ValueError, match="cut off or damaged"):
        check_tflite(tflite(9, length=1)[:left])


def test_what_is_no_tflite() -> None:
    with pytest.raises(ValueError, match="no LiteRT model"):
        check_tflite(SOUND)


def test_a_real_onnx_file_with_external_data(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    numpy = pytest.importorskip("numpy")
    values = onnx.numpy_helper.from_array(numpy.ones(1000, numpy.float32), "values")
    graph = onnx.helper.make_graph([], "graph", [], [], [values])
    model = onnx.helper.make_model(graph)
    path = tmp_path / "model.onnx"

    onnx.save_model(model, path)
    check_onnx(path.read_bytes())
    onnx.save_model(model, path, save_as_external_data=True, location="data.bin")
    with pytest.raises(ValueError, match="external data"):
        check_onnx(path.read_bytes())


def test_a_png_announces_its_size() -> None:
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s2I", 13, b"IHDR", 854, 480)

    assert png_size(head) == (480, 854)
    with pytest.raises(ValueError, match="no PNG"):
        png_size(head[:23])
    with pytest.raises(ValueError, match="at most 4096"):
        png_size(head[:16] + struct.pack(">2I", 4097, 1))
    with pytest.raises(ValueError, match="at most 4096"):
        png_size(head[:16] + struct.pack(">2I", 0, 1))
