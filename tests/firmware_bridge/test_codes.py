from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.contracts import Quantization
from edge_ttvos.firmware_bridge.codes import Codec, dequantize, quantize

CODES = st.builds(
    lambda scale, offset, bits: Quantization(
        scale, int(offset * 2 ** (bits - 1)) if offset < 1 else 2 ** (bits - 1) - 1, bits
    ),
    st.floats(1e-4, 10),
    st.floats(-1, 1),
    st.integers(2, 16),
)


@given(CODES, st.integers(0, 2**32 - 1))
def test_codes_survive_their_values(codes: Quantization, seed: int) -> None:
    rng = np.random.default_rng(seed)
    stored = rng.integers(codes.least, codes.most + 1, (3, 5)).astype(codes.dtype)
    values, again = np.empty((3, 5), np.float32), np.empty_like(stored)

    dequantize(stored, codes, values)
    quantize(values, codes, again)

    np.testing.assert_array_equal(again, stored)


@given(CODES, st.integers(0, 2**32 - 1))
def test_values_are_kept_to_half_a_step_or_cut_off(codes: Quantization, seed: int) -> None:
    low, high = (codes.scale * (c - codes.offset) for c in (codes.least, codes.most))
    span = high - low
    given_ = np.random.default_rng(seed).uniform(low - span, high + span, 40).astype(np.float32)
    stored, back = np.empty(40, codes.dtype), np.empty(40, np.float32)

    quantize(given_.copy(), codes, stored)
    dequantize(stored, codes, back)

    wanted = np.clip(given_, low, high)
    assert np.abs(back - wanted).max() <= codes.scale * 0.501 + 1e-5 * max(abs(low), abs(high))


def test_a_tensor_of_values_is_handed_through() -> None:
    stored = np.arange(4, dtype=np.float32)
    codec = Codec(None, None)

    assert codec.read(stored) is stored
    assert codec.blank(stored) is stored
    codec.write(stored, stored)
    codec.write(np.full(4, 7, np.float32), stored)
    np.testing.assert_array_equal(stored, 7)


def test_codes_are_read_into_what_is_lent() -> None:
    codec = Codec(Quantization(0.5, -1), np.empty(3, np.float32))
    stored = np.array([-1, 0, 127], np.int8)
    lent = np.empty(3, np.float32)

    assert codec.read(stored, lent) is lent
    np.testing.assert_array_equal(lent, [0, 0.5, 64])
    assert codec.read(stored) is codec.scratch
    codec.write(np.array([1, 2, 1e9], np.float32), stored)
    np.testing.assert_array_equal(stored, [1, 3, 127])
