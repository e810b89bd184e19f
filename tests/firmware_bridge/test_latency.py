from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_ttvos.firmware_bridge.latency import STAGES, Latencies

MILLISECONDS = st.floats(2e-3, 1e6)


def timings(**stages: float) -> dict[str, float]:
    return {stage: stages.get(stage, 0.0) for stage in STAGES}


@given(st.lists(MILLISECONDS, min_size=1, max_size=60), st.floats(0.01, 1))
def test_percentiles_are_within_a_percent(totals: list[float], share: float) -> None:
    latencies = Latencies()
    for total in totals:
        latencies.add(timings(encode=total / 4, decode=3 * total / 4))
    exact = np.quantile(totals, share, method="inverted_cdf")
    assert latencies.percentile(share) == pytest.approx(exact, rel=0.01)


def test_percentiles_of_a_known_run() -> None:
    latencies = Latencies()
    for total in range(1, 101):
        latencies.add(timings(encode=float(total)))
    record = latencies.to_json()["latency_ms"]
    for name, expected in (("p50", 50), ("p95", 95), ("p99", 99)):
        assert record[name] == pytest.approx(expected, rel=0.01)


def test_stages_are_means_and_rates_follow_from_sums() -> None:
    latencies = Latencies()
    latencies.add(timings(prepare=1, encode=10, embed=2, template=1, decode=5, mask=1))
    latencies.add(timings(prepare=3, encode=14, embed=4, template=1, decode=5, aggregate=1, mask=2))
    record = latencies.to_json()
    assert latencies.frames == 2
    assert record["latency_ms"]["stages"] == {
        "prepare": 2.0,
        "encode": 12.0,
        "embed": 3.0,
        "template": 1.0,
        "decode": 5.0,
        "aggregate": 0.5,
        "mask": 1.5,
    }
    assert record["fps"] == {"end_to_end": 40.0, "model": 50.0}  # 2 frames in 50 ms, in 40 ms


def test_a_run_without_frames_has_nulls_for_figures() -> None:
    record = Latencies().to_json()
    assert record["fps"] == {"end_to_end": None, "model": None}
    stages = record["latency_ms"].pop("stages")
    assert set(record["latency_ms"].values()) == set(stages.values()) == {None}
    json.dumps(record, allow_nan=False)


@pytest.mark.parametrize("total", [0.0, 1e-9, 1e12])
def test_times_beyond_the_histogram_count_in_its_last_bins(total: float) -> None:
    latencies = Latencies()
    for _ in range(3):
        latencies.add(timings(encode=total))
    found = latencies.percentile(0.5)
    assert found == latencies.percentile(1)
    assert (found < 2e-3) == (total < 1)
    json.dumps(latencies.to_json(), allow_nan=False)


def test_a_long_run_takes_no_more_memory_than_a_short_one() -> None:
    latencies = Latencies()
    before = {name: getattr(value, "nbytes", None) for name, value in vars(latencies).items()}
    for index in range(5000):
        latencies.add(timings(encode=1 + index % 7))
    after = {name: getattr(value, "nbytes", None) for name, value in vars(latencies).items()}
    assert after == before
    assert latencies.frames == 5000
    assert all(len(value) < 10 for value in vars(latencies).values() if isinstance(value, dict))


@given(st.lists(MILLISECONDS, min_size=1, max_size=40))
def test_each_stage_has_percentiles_of_its_own(totals: list[float]) -> None:
    latencies = Latencies()
    for total in totals:
        latencies.add(timings(encode=total, decode=total / 2))
    found = latencies.stages_to_json()
    for stage, factor in (("encode", 1), ("decode", 0.5)):
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            exact = factor * np.quantile(totals, share, method="inverted_cdf")
            assert found[stage][name] == pytest.approx(exact, rel=0.01, abs=2e-3)
        assert found[stage]["mean"] == pytest.approx(factor * np.mean(totals), abs=1e-3)
    assert set(found["mask"].values()) == {0.0}
