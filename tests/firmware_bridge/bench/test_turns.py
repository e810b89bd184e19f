from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.firmware_bridge.bench.turns import SETTLING, TURN, Series, take_turns
from edge_ttvos.firmware_bridge.latency import STAGES


def test_programs_see_the_same_frames_by_turns_and_each_begins_one(dataset: Any) -> None:
    paths = dataset.load("walk").frames
    calls: list[tuple[str, float]] = []

    def step(name: str) -> Any:
        def run(image: Any) -> Mapping[str, float]:
            calls.append((name, float(image.sum())))
            return {"update": 1.0}

        return run

    series = [Series(), Series()]
    done: list[int] = []
    take_turns([step("a"), step("b")], series, paths, done.append)

    rest = len(paths) - TURN
    names = [name for name, _ in calls]
    assert names == ["a"] * TURN + ["b"] * TURN + ["b"] * rest + ["a"] * rest
    seen = {name: [frame for who, frame in calls if who == name] for name in "ab"}
    assert seen["a"] == seen["b"]
    assert done == [TURN, TURN, rest, rest]
    assert [len(s.frames) for s in series] == [len(paths) - 2 * SETTLING] * 2


def test_the_first_frames_of_a_turn_do_not_count(dataset: Any) -> None:
    numbers = iter(range(100))
    series, paths = Series(), dataset.load("walk").frames

    take_turns([lambda image: {"update": float(next(numbers))}], [series], paths)

    assert series.whole == [n for n in range(14) if n % TURN >= SETTLING]


def test_rates_are_frames_by_their_summed_time() -> None:
    series = Series()
    for encode in (10.0, 30.0):
        series.add({**dict.fromkeys(STAGES, 0.0), "encode": encode, "mask": 20.0})

    record = series.to_json()
    assert record["fps"] == {"end_to_end": 25.0, "model": 50.0}  # 2 in 80 ms, 2 in 40
    assert record["latency_ms"]["p50"] == 40.0
    assert record["latency_ms"]["stages"]["encode"] == 20.0


@pytest.mark.parametrize("frames", [[], [{"update": 8.0}]])
def test_what_is_not_known_is_null(frames: list[Any]) -> None:
    record = Series(frames).to_json()
    assert record["fps"]["model"] is None
    assert record["fps"]["end_to_end"] == (125.0 if frames else None)
    assert record["latency_ms"]["p95"] == (8.0 if frames else None)
    assert record["latency_ms"]["stages"] == ({"update": 8.0} if frames else {})


def test_no_frames_are_no_error() -> None:
    series = Series()
    take_turns([lambda image: {}], [series], list[Path]())
    assert series.frames == []
