from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.contracts import TensorSpec
from edge_ttvos.firmware_bridge.arena import ALIGNMENT, Arena

SHAPES = st.lists(st.integers(1, 9), min_size=0, max_size=3).map(tuple)
DTYPES = st.sampled_from(["float32", "uint8", "int32", "int8", "float16", "float64"])


@st.composite
def tensors(draw: st.DrawFn) -> list[TensorSpec]:
    parts = draw(st.lists(st.tuples(SHAPES, DTYPES), max_size=12))
    return [TensorSpec(f"t{i}", shape, dtype) for i, (shape, dtype) in enumerate(parts)]


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


@given(tensors())
def test_buffers_are_as_specified_zeroed_and_aligned(specs: list[TensorSpec]) -> None:
    arena = Arena(specs)
    assert list(arena.arrays) == [spec.name for spec in specs]
    for spec in specs:
        array = arena[spec.name]
        assert (array.shape, array.dtype) == (spec.shape, np.dtype(spec.dtype))
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert address(array) % ALIGNMENT == 0
        assert arena.offsets[spec.name] % ALIGNMENT == 0
        assert not array.any()


@given(tensors())
def test_buffers_do_not_overlap_and_lie_in_one_block(specs: list[TensorSpec]) -> None:
    arena = Arena(specs)
    spans = sorted((address(arena[s.name]), arena[s.name].nbytes) for s in specs)
    for (start, nbytes), (following, _) in pairwise(spans):
        assert start + nbytes <= following
    if spans:
        assert spans[-1][0] + spans[-1][1] <= spans[0][0] + arena.nbytes
    owners = {id(owner(array)) for array in arena.arrays.values()}
    assert len(owners) == min(1, len(specs))


def owner(array: np.ndarray) -> np.ndarray:
    while array.base is not None:
        array = array.base
    return array


@given(tensors())
def test_writing_one_buffer_leaves_all_others(specs: list[TensorSpec]) -> None:
    arena = Arena(specs)
    for i, spec in enumerate(specs):
        arena[spec.name][...] = i + 1
    for i, spec in enumerate(specs):
        assert np.all(arena[spec.name] == i + 1)


@given(tensors())
def test_size_is_the_buffers_rounded_up_to_the_alignment(specs: list[TensorSpec]) -> None:
    expected = sum(-(-spec.nbytes // ALIGNMENT) * ALIGNMENT for spec in specs)
    assert Arena(specs).nbytes == expected


def test_two_buffers_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two buffers are called a"):
        Arena([TensorSpec("a", (1,)), TensorSpec("b", (1,)), TensorSpec("a", (2,))])
