from __future__ import annotations

import numpy as np
import pytest

from edge_ttvos.firmware_bridge.guards import LIMITS, Limits, Verdict, is_finite, judge

HEIGHT, WIDTH = 20, 50
NOT_FINITE = [np.nan, np.inf, -np.inf]


def plane(share: float = 0.1) -> np.ndarray:
    """Log-odds above 0 on this share of the pixels."""
    flat = np.full(HEIGHT * WIDTH, -6, np.float32)
    flat[: round(share * flat.size)] = 3
    return flat.reshape(HEIGHT, WIDTH)


def judged(log_odds: np.ndarray, weight: float = 0.3, last_share: float = 0.1) -> Verdict:
    scratch = np.empty(log_odds.shape, np.bool_)
    return judge(log_odds, weight, last_share, scratch)


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("pixel", [(0, 0), (7, 33), (HEIGHT - 1, WIDTH - 1)])
def test_one_value_that_is_not_finite_is_found(value: float, pixel: tuple[int, int]) -> None:
    log_odds = plane()
    assert is_finite(log_odds)
    log_odds[pixel] = value
    assert not is_finite(log_odds)
    assert judged(log_odds) is Verdict.NOT_FINITE


def test_infinities_of_both_signs_are_found() -> None:
    log_odds = plane()
    log_odds[0, :2] = np.inf, -np.inf
    assert judged(log_odds) is Verdict.NOT_FINITE


def test_large_values_are_finite() -> None:
    assert is_finite(np.full((HEIGHT, WIDTH), np.finfo(np.float32).max, np.float32))


@pytest.mark.parametrize("pixel", [(HEIGHT - 1, 3), (3, WIDTH - 1)])
def test_only_the_view_that_is_handed_in_counts(pixel: tuple[int, int]) -> None:
    log_odds = plane()
    log_odds[pixel] = np.nan
    assert judged(log_odds[:-1, :-1]) is Verdict.GOOD


@pytest.mark.parametrize("weight", [*NOT_FINITE, -0.5, -1.0, 1.5])
def test_a_weight_that_is_no_sigmoid_is_the_engines_failure(weight: float) -> None:
    assert judged(plane(), weight) is Verdict.NOT_FINITE


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_any_sigmoid_is_a_weight(weight: float) -> None:
    assert judged(plane(), weight) is Verdict.GOOD


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        (0.1, 1.0, Verdict.SATURATED),
        (0.1, 0.91, Verdict.SATURATED),
        (0.1, 0.89, Verdict.GOOD),  # much is not all
        (0.7, 1.0, Verdict.GOOD),  # it came nearer
        (0.55, 0.91, Verdict.GOOD),
        (0.1, 0.0, Verdict.GOOD),  # emptiness is seen when all objects are
    ],
)
def test_a_mask_is_saturated_when_all_at_once_it_takes_nearly_all(
    before: float, now: float, verdict: Verdict
) -> None:
    assert judged(plane(now), last_share=before) is verdict


def test_limits_can_be_set() -> None:
    scratch = np.empty((HEIGHT, WIDTH), np.bool_)
    limits = Limits(share=0.2, growth=0.1)
    assert judge(plane(0.3), 0.0, 0.1, scratch, limits) is Verdict.SATURATED
    assert judge(plane(0.3), 0.0, 0.1, scratch, LIMITS) is Verdict.GOOD
