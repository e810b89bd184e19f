"""Nothing grows: bytes that NumPy holds between frames, the arena, and the process itself."""

from __future__ import annotations

import os
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_ttvos.firmware_bridge import pipeline
from edge_ttvos.firmware_bridge.tracker import Result, Tracker

FLAT = 16.0  # bytes a frame: less than a number kept; one page more in the run is 0.3
DOMAIN = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)


def numpy_bytes() -> int:
    """Bytes that NumPy has allocated since tracing began and not given back."""
    traces = tracemalloc.take_snapshot().filter_traces([DOMAIN]).traces
    return sum(trace.size for trace in traces)


def forward_and_backward(frames: list[Any]) -> Iterator[Any]:
    """A clip without end."""
    while True:
        yield from frames[:-1]
        yield from frames[:0:-1]


def bytes_between(tracker: Any, clip: Any, keep: Callable[[Result], None]) -> int:
    """Net NumPy bytes from frame 100 to frame 200."""
    frames = forward_and_backward(clip.frames)
    tracker.start(next(frames), clip.labels[0])
    held = {}
    try:
        for index in range(1, 201):
            if index == 90:  # tracing is slow; ten frames are time enough to settle
                tracemalloc.start()
            keep(tracker.step(next(frames)))
            if index in (100, 200):
                held[index] = numpy_bytes()
    finally:
        tracemalloc.stop()
    return held[200] - held[100]


@pytest.mark.slow
@pytest.mark.parametrize("objects", [1, 3])
def test_numpy_holds_no_more_at_frame_200_than_at_100(
    objects: int, open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(objects=objects)
    assert bytes_between(open_tracker(), clip, lambda result: None) <= 0


@pytest.mark.parametrize("size", [(31, 57), (97, 211)], ids=["padded", "scaled"])
def test_frames_of_another_size_than_the_graphs_hold_no_more_either(
    size: tuple[int, int], open_still: Any, make_clip: Any
) -> None:
    clip = make_clip(*size, objects=3)
    assert bytes_between(open_still(), clip, lambda result: None) <= 0


def test_frames_that_the_guards_refuse_hold_no_more_either(open_still: Any, make_clip: Any) -> None:
    tracker, answers = open_still(), cycle((np.nan, -9.0, 9.0, 0.1, 0.1))
    keeps = tracker.engine.decode

    def fail_now_and_then(*arguments: Any) -> None:
        keeps(*arguments)
        answer = next(answers)
        if answer != 0.1:
            arguments[-1].log_odds.fill(answer)

    tracker.engine.decode = fail_now_and_then
    seen: Counter[str] = Counter()
    assert bytes_between(tracker, make_clip(), lambda result: seen.update(verdicts(result))) <= 0
    assert seen == {"not_finite": 40, "empty": 40, "saturated": 40, "good": 80}


def verdicts(result: Result) -> list[str]:
    return [verdict.value for verdict in result.verdicts.values()]


def test_the_measure_sees_masks_that_are_kept(open_still: Any, make_clip: Any) -> None:
    kept: list[np.ndarray] = []
    clip = make_clip()
    grown = bytes_between(open_still(), clip, lambda result: kept.append(result.mask.copy()))
    assert grown == 100 * 48 * 80


def owner(array: np.ndarray) -> np.ndarray:
    while array.base is not None:
        array = array.base
    return array


def test_the_arena_is_one_block_that_stays(open_tracker: Any, make_clip: Any) -> None:
    clip = make_clip(count=5, objects=2)
    tracker = open_tracker()
    arena = tracker.memory.arena
    arrays, nbytes = dict(arena.arrays), arena.nbytes
    block = owner(arena["frame"])
    tracker.start(clip.frames[0], clip.labels[0])
    for frame in clip.frames[1:]:
        tracker.step(frame)
        tracker.drop(2)
        result = tracker.add(2, clip.labels[0] == 2)
    assert tracker.memory.arena is arena
    assert arena.nbytes == nbytes
    for name, array in arrays.items():
        assert arena[name] is array
        assert owner(array) is block
    for slot in tracker.memory.occupied:
        for array in (slot.template, slot.masks, slot.probability):
            assert owner(array) is block
    assert owner(result.probabilities[1]) is block


def test_results_are_views_that_the_next_frame_overwrites(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=4, objects=2)
    tracker = open_tracker()
    first = tracker.start(clip.frames[0], clip.labels[0])
    second = tracker.step(clip.frames[1])
    assert second.mask is first.mask
    for object_id, probability in second.probabilities.items():
        assert np.shares_memory(probability, first.probabilities[object_id])


def slope(samples: list[tuple[int, int]]) -> float:
    """Bytes a frame, by least squares over (frame, bytes)."""
    frames, held = np.array(samples, np.float64).T
    return float(np.polyfit(frames, held, 1)[0])


def resident_samples(tracker: Tracker, clip: Any, frames: int, keep: Any) -> list[tuple[int, int]]:
    """(frame, resident bytes) every 100 frames after the first 1000."""
    if not Path("/proc/self/statm").exists():
        pytest.skip("the process's size is read from /proc")
    images = forward_and_backward(clip.frames)
    tracker.start(next(images), clip.labels[0])
    samples = []
    for number in range(1, frames + 1):
        keep(tracker.step(next(images)))
        if number > 1000 and number % 100 == 0:
            samples.append((number, resident_bytes()))
    return samples


@pytest.mark.soak
@pytest.mark.parametrize("objects", [1, 3])
def test_the_process_is_flat_over_20000_frames(
    objects: int, open_still: Any, make_clip: Any, record_property: Callable[[str, Any], None]
) -> None:
    clip = make_clip(count=40, objects=objects)
    samples = resident_samples(open_still(), clip, 20_000, lambda result: None)
    grown = slope(samples)
    record_property("rss_slope_bytes_per_frame", grown)
    print(f"{objects} objects: {grown:+.2f} bytes a frame, {samples[0][1]} to {samples[-1][1]}")
    assert abs(grown) < FLAT


@pytest.mark.soak
def test_the_slope_sees_a_number_kept_a_frame(open_still: Any, make_clip: Any) -> None:
    kept: list[Any] = []
    samples = resident_samples(
        open_still(), make_clip(count=40), 20_000, lambda result: kept.append(result.timings)
    )
    assert slope(samples) > 4 * FLAT


@pytest.mark.soak
def test_with_a_network_the_process_is_flat_over_2000_frames(
    open_tracker: Any, make_clip: Any
) -> None:
    clip = make_clip(count=40, objects=3)
    samples = resident_samples(open_tracker(), clip, 2000, lambda result: None)
    assert samples[-1][1] - samples[0][1] < 1 << 20  # a mask kept a frame would be 4 MiB


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_limiting_blas_spells_no_name_twice() -> None:
    """Each spelling would stay in CPython's cache of attributes."""
    blas = pipeline._blas()
    with blas.limit(limits=1):
        pass
    before = [library._get_symbol.cache_info() for library in blas.lib_controllers]
    with blas.limit(limits=1):
        pass
    after = [library._get_symbol.cache_info() for library in blas.lib_controllers]
    assert [now.misses for now in after] == [then.misses for then in before]
    assert all(now.hits > then.hits for now, then in zip(after, before, strict=True))


def test_an_older_threadpoolctl_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian Bookworm has 3.1, which looks functions up elsewhere."""
    older = SimpleNamespace(lib_controllers=[SimpleNamespace()])
    found = SimpleNamespace(select=lambda user_api: older)
    monkeypatch.setattr(pipeline, "ThreadpoolController", lambda: found)

    assert pipeline._blas() is older
