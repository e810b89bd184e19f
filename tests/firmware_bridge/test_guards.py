from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from edge_ttvos.firmware_bridge.guards import Guard, Limits, Verdict, is_finite

HEIGHT, WIDTH = 20, 50
NOT_FINITE = [np.nan, np.inf, -np.inf]


def plane(share: float = 0.1) -> np.ndarray:
    """Log-odds above 0 on this share of the pixels."""
    flat = np.full(HEIGHT * WIDTH, -6, np.float32)
    flat[: round(share * flat.size)] = 3
    return flat.reshape(HEIGHT, WIDTH)


def judged(log_odds: np.ndarray, weight: float = 0.3, before: float = 0.1) -> Verdict:
    guard = Guard()
    guard.begin(before)
    guard.judge(log_odds, weight, np.empty(log_odds.shape, np.bool_))
    return guard.verdict


def judge_all(guard: Guard, shares: Iterable[float]) -> list[Verdict]:
    verdicts = []
    for share in shares:
        guard.judge(plane(share), 0.3, np.empty((HEIGHT, WIDTH), np.bool_))
        guard.settle(in_sight=share > 0)
        verdicts.append(guard.verdict)
    return verdicts


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
        (0.1, 0.0, Verdict.EMPTY),
        (0.1, 0.021, Verdict.GOOD),
        (0.1, 0.019, Verdict.REMNANT),
    ],
)
def test_a_mask_is_judged_by_its_size(before: float, now: float, verdict: Verdict) -> None:
    assert judged(plane(now), before=before) is verdict


def test_an_object_that_other_objects_leave_nothing_of_is_lost() -> None:
    guard = Guard()
    guard.begin(0.1)
    guard.judge(plane(0.1), 0.3, np.empty((HEIGHT, WIDTH), np.bool_))
    guard.settle(in_sight=False)
    assert guard.verdict is Verdict.EMPTY
    assert judge_all(guard, [0.1]) == [Verdict.GOOD]


def test_an_object_may_drive_away_and_come_back() -> None:
    guard = Guard()
    guard.begin(0.5)
    away = [0.5 * 0.96**i for i in range(80)]  # half its size every 17 frames
    assert set(judge_all(guard, [*away, *away[::-1]])) == {Verdict.GOOD}


def test_a_remnant_that_stays_becomes_the_object() -> None:
    guard = Guard()
    guard.begin(0.5)
    verdicts = judge_all(guard, [0.025] * 60)
    believed = verdicts.index(Verdict.GOOD)
    assert 25 < believed < 35
    assert set(verdicts[:believed]) == {Verdict.REMNANT}
    assert set(verdicts[believed:]) == {Verdict.GOOD}


@pytest.mark.parametrize("bad", [0.0, np.nan, 1.0], ids=["empty", "NaN", "saturated"])
def test_what_shows_no_object_does_not_change_what_is_usual(bad: float) -> None:
    guard = Guard()
    guard.begin(0.1)
    scratch = np.empty((HEIGHT, WIDTH), np.bool_)
    for _ in range(100):
        guard.judge(plane(bad) if np.isfinite(bad) else plane() * bad, 0.3, scratch)
        assert guard.verdict is not Verdict.GOOD
    assert (guard.last, guard.usual) == (0.1, 0.1)


def test_a_new_object_is_judged_by_its_own_mask() -> None:
    guard = Guard()
    guard.begin(0.8)
    assert judge_all(guard, [0.1]) == [Verdict.REMNANT]
    guard.begin(0.1)
    assert judge_all(guard, [0.1]) == [Verdict.GOOD]


def test_limits_can_be_set() -> None:
    guard = Guard(Limits(saturated=0.2, growth=0.1, remnant=0.9, pace=1.0))
    guard.begin(0.1)
    assert judge_all(guard, [0.3, 0.05, 0.05, 0.1]) == [
        Verdict.SATURATED,
        Verdict.REMNANT,
        Verdict.GOOD,
        Verdict.GOOD,
    ]
