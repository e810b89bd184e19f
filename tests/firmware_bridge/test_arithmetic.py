"""Against plain NumPy in float64, written from the paper's equations and DESIGN's words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.firmware_bridge import arithmetic
from edge_ttvos.firmware_bridge.codes import Codec

PLAIN = Codec(None, None)
SEEDS = st.integers(0, 2**32 - 1)
SIDES = st.integers(1, 7)


def normal(seed: int, *shape: int, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, scale, shape).astype(np.float32)


def softmax_rows(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def embedding(f: np.ndarray, g: np.ndarray, scaled: bool) -> np.ndarray:
    c = f.shape[-1]
    out, row = np.full((c, c), np.nan, np.float32), np.full((c, 1), np.nan, np.float32)
    arithmetic.embedding_matrix(f, g, scaled, out, row)
    return out


@given(SEEDS, SIDES, SIDES, st.integers(1, 9), st.booleans(), st.floats(0.1, 30))
def test_embedding_matrix_is_equation_1(
    seed: int, h: int, w: int, c: int, scaled: bool, scale: float
) -> None:
    f, g = normal(seed, h, w, c, scale=scale), normal(seed + 1, h, w, c)
    out = embedding(f, g, scaled)
    np.testing.assert_allclose(out.sum(axis=1), 1, atol=1e-5)
    product = np.einsum("yxi,yxj->ij", f.astype(np.float64), g.astype(np.float64))
    expected = softmax_rows(product / (h * w) ** 0.5 if scaled else product)
    np.testing.assert_allclose(out, expected, atol=2e-5 * max(1, np.abs(product).max() / 10))


def test_embedding_matrix_of_huge_products_is_finite() -> None:
    f = normal(0, 6, 10, 32, scale=1e4)
    out = embedding(f, f, scaled=False)
    np.testing.assert_allclose(out, np.eye(32), atol=1e-6)


@given(SEEDS, st.integers(1, 12))
def test_running_average_is_equation_2(seed: int, updates: int) -> None:
    matrices = np.random.default_rng(seed).random((updates, 5, 5)).astype(np.float32)
    template = np.zeros((5, 5), np.float32)
    expected = np.zeros((5, 5))
    for t, matrix in enumerate(matrices, start=1):
        expected = (t - 1) / t * expected + 1 / t * matrix
        arithmetic.running_average(template, matrix.copy(), 1 / t)
    np.testing.assert_allclose(template, expected, atol=1e-6)
    np.testing.assert_allclose(template, matrices.mean(axis=0), atol=1e-6)


@given(SEEDS, st.floats(0, 1))
def test_running_average_is_the_releases_rule_too(seed: int, w: float) -> None:
    template, matrix = normal(seed, 5, 5), normal(seed + 1, 5, 5)
    expected = template / (1 + w) + matrix * w / (1 + w)
    arithmetic.running_average(template, matrix, w / (1 + w))
    np.testing.assert_allclose(template, expected, atol=1e-6)


@given(SEEDS, SIDES, SIDES)
def test_read_template_is_equation_3(seed: int, h: int, w: int) -> None:
    template, q = normal(seed, 4, 4), normal(seed + 1, h, w, 4)
    out = np.full((h, w, 4), np.nan, np.float32)
    arithmetic.read_template(template, q, out)
    np.testing.assert_allclose(out, np.einsum("ij,yxj->yxi", template, q), atol=1e-5)


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """What the engine would have said."""
    with np.errstate(divide="ignore"):
        return (np.log(probabilities) - np.log1p(-probabilities)).astype(np.float32)


def aggregated(planes: np.ndarray) -> np.ndarray:
    """Log-odds of objects (n, H, W) → probabilities, in place on a copy."""
    copies = [np.array(plane) for plane in planes]
    scratch = np.full((2, *copies[0].shape), np.nan, np.float32)
    arithmetic.aggregate(copies, *scratch)
    return np.stack(copies)


def soft_aggregation(probabilities: np.ndarray) -> np.ndarray:
    """Background and objects (1 + n, H, W): background Π(1 − pᵢ), odds normalised over all."""
    p = probabilities.astype(np.float64)
    everything = np.concatenate([np.prod(1 - p, axis=0)[None], p])
    odds = everything / (1 - everything)
    return odds / odds.sum(axis=0)


@given(SEEDS, st.floats(0.1, 1e6))
def test_one_object_keeps_its_softmax(seed: int, scale: float) -> None:
    logits = normal(seed, 5, 6, 2, scale=scale)
    out = aggregated((logits[..., 1] - logits[..., 0])[None])[0]
    expected = softmax_rows(logits.reshape(-1, 2).astype(np.float64))[:, 1].reshape(5, 6)
    np.testing.assert_allclose(out, expected, atol=1e-6)
    assert out.min() >= 0
    assert out.max() <= 1


@given(SEEDS, st.integers(2, 6))
def test_aggregation_normalises_odds_over_background_and_objects(seed: int, n: int) -> None:
    p = np.random.default_rng(seed).beta(0.5, 0.5, (n, 6, 7)).clip(1e-8, 1 - 1e-8)
    a = aggregated(log_odds(p))
    expected = soft_aggregation(p)
    np.testing.assert_allclose(expected.sum(axis=0), 1)
    np.testing.assert_allclose(a, expected[1:], atol=1e-6, rtol=1e-4)
    np.testing.assert_allclose(1 - a.sum(axis=0), expected[0], atol=1e-6)


@given(SEEDS, st.integers(2, 6))
def test_aggregation_keeps_the_objects_order(seed: int, n: int) -> None:
    p = np.random.default_rng(seed).random((n, 6, 7)).astype(np.float32)
    a = aggregated(log_odds(p))
    order = np.argsort(p, axis=0, kind="stable")
    assert np.all(np.diff(np.take_along_axis(a, order, axis=0), axis=0) >= 0)


def test_aggregation_by_hand() -> None:
    # p = 0.8, 0.5: background 0.1; odds 4, 1, 1/9; sum 46/9
    a = aggregated(log_odds(np.array([[[0.8]], [[0.5]]])))
    np.testing.assert_allclose(a.ravel(), [36 / 46, 9 / 46], atol=1e-6)


def test_aggregation_of_certain_objects_is_finite() -> None:
    a = aggregated(log_odds(np.array([[[0.0, 1, 1, 0]], [[0, 0, 1, 1]]])))
    np.testing.assert_allclose(a[0], [[0, 1, 0.5, 0]], atol=1e-5)
    np.testing.assert_allclose(a[1], [[0, 0, 0.5, 1]], atol=1e-5)


def test_no_object_is_no_work() -> None:
    arithmetic.aggregate([], np.empty((1, 3), np.float32), np.empty((1, 3), np.float32))


@pytest.mark.parametrize("history", [1, 3])
def test_masks_are_pushed_newest_first(history: int) -> None:
    rng = np.random.default_rng(0)
    masks = np.full((3, 5, 2 * history), np.nan, np.float32)
    small = np.empty((3, 5), np.float32)
    given = rng.random((4, 24, 40)).astype(np.float32)
    for probability in given:
        arithmetic.push_mask(masks, probability, (small, np.empty_like(small)), PLAIN)
    means = given.reshape(4, 3, 8, 5, 8).mean(axis=(2, 4))
    for age in range(history):
        np.testing.assert_allclose(masks[..., 2 * age + 1], means[3 - age], atol=1e-6)
        np.testing.assert_allclose(masks[..., 2 * age], 1 - means[3 - age], atol=1e-6)


def test_the_newest_mask_can_be_replaced() -> None:
    masks = normal(0, 3, 5, 6)
    older = masks[..., 2:].copy()
    probability = np.random.default_rng(1).random((24, 40)).astype(np.float32)
    scratch = (np.empty((3, 5), np.float32), np.empty((3, 5), np.float32))
    arithmetic.write_newest(masks, probability, scratch, PLAIN)
    means = probability.reshape(3, 8, 5, 8).mean(axis=(1, 3))
    np.testing.assert_allclose(masks[..., :2], np.stack([1 - means, means], -1), atol=1e-6)
    np.testing.assert_array_equal(masks[..., 2:], older)
