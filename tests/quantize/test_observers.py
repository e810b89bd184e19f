from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.contracts import Quantization
from edge_ttvos.errors import QuantizationError
from edge_ttvos.quantize.observers import RANGES, Observed, choose, codes_of, fake
from edge_ttvos.quantize.recipe import Recipe

ENDS = st.floats(-100, 100)


def observed(*values: torch.Tensor) -> Observed:
    found = Observed("layer")
    for value in values:
        found.see(value)
    return found


@given(ENDS, ENDS, st.integers(2, 16), st.booleans())
def test_codes_span_the_range_and_hold_zero(a: float, b: float, bits: int, even: bool) -> None:
    low, high = min(a, b, -1e-3), max(a, b, 1e-3)
    codes = codes_of(low, high, bits, even)

    assert codes.least <= codes.offset <= codes.most
    assert codes.offset == 0 or not even
    values = torch.linspace(low, high, 50)
    error = (fake(values, codes) - values).abs().max()
    assert error <= codes.scale * 1.0001  # half a step, and as much where zero moved the ends
    assert float(fake(torch.zeros(1), codes)) == 0


@pytest.mark.parametrize("observer", RANGES)
def test_every_observer_stays_within_what_it_saw(observer: str) -> None:
    torch.manual_seed(0)
    seen = observed(torch.randn(3000), 2 * torch.randn(3000).relu())
    low, high = RANGES[observer](seen, Recipe("r"), 8)

    assert seen.low <= low < high <= seen.high
    codes = choose(seen, Recipe("r", observer=observer), 8)  # type: ignore[arg-type]
    assert codes.bits == 8


@pytest.mark.parametrize("observer", ["percentile", "mse", "entropy"])
def test_a_lone_outlier_does_not_take_the_codes(observer: str) -> None:
    torch.manual_seed(0)
    frames = [torch.randn(20_000).abs() for _ in range(20)]
    frames[3][7] = 20
    recipe = Recipe("r", observer=observer, percentile=99.9)  # type: ignore[arg-type]
    bits = 4 if observer == "entropy" else 8  # which gives way only where codes are dear

    assert choose(observed(*frames), recipe, bits).scale < codes_of(0, 20, bits).scale / 2


def test_least_squares_beats_min_max_where_it_counts() -> None:
    torch.manual_seed(0)
    values = torch.randn(50_000)
    seen = observed(values)
    errors = {
        observer: float(
            (fake(values, choose(seen, Recipe("r", observer=observer), 4)) - values)  # type: ignore[arg-type]
            .square()
            .mean()
        )
        for observer in ("mse", "min_max")
    }

    assert errors["mse"] < 0.8 * errors["min_max"]


def test_extremes_are_exact_however_few_values_are_kept() -> None:
    value = torch.zeros(100_000)
    value[77_777], value[3] = 5, -2

    seen = observed(value)

    assert (seen.low, seen.high) == (-2, 5)
    assert len(seen.sample) < 2000


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_is_named(bad: float) -> None:
    with pytest.raises(QuantizationError, match="layer became NaN or infinite"):
        observed(torch.tensor([1.0, bad]))


def test_a_constant_has_no_scale() -> None:
    with pytest.raises(QuantizationError, match="layer was 3 in every pixel"):
        choose(observed(torch.full((9,), 3.0)), Recipe("r"), 8)


def test_what_was_never_seen() -> None:
    with pytest.raises(QuantizationError, match="layer was never seen"):
        choose(Observed("layer"), Recipe("r"), 8)


@given(st.floats(1e-6, 100), st.integers(2, 16), st.floats(0, 1), st.integers(0, 1000))
def test_without_a_gradient_rounding_is_the_same_to_the_bit(
    scale: float, bits: int, place: float, seed: int
) -> None:
    half = 2 ** (bits - 1)
    codes = Quantization(scale, round(place * (2 * half - 1)) - half, bits)
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(500, generator=generator) * scale * half
    values[:40] = torch.arange(40) * scale / 2  # halves, which round to even
    with torch.no_grad():
        found = fake(values, codes)

    assert torch.equal(found, fake(values.requires_grad_(), codes))


def test_a_range_is_chosen_anew_when_more_was_seen() -> None:
    seen, recipe = observed(torch.linspace(-1, 1, 100)), Recipe("r")
    first = choose(seen, recipe, 8)
    seen.see(torch.linspace(-4, 4, 100))

    assert choose(seen, recipe, 8).scale > 2 * first.scale
    assert choose(seen, recipe, 4).scale > choose(seen, recipe, 8).scale
