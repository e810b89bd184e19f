from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from edge_ttvos.errors import ClusterError, OutputError
from edge_ttvos.quantize.report.bench import Bench
from edge_ttvos.quantize.report.pool import Processes
from edge_ttvos.quantize.report.store import Store
from edge_ttvos.quantize.report.study import Study


@dataclass(frozen=True)
class Sum:
    """A task that needs no network."""

    study: Study
    numbers: tuple[int, ...]
    name: str = "points/axes/sum"
    cost: float = 1.0

    def identity(self) -> dict[str, Any]:
        """The numbers."""
        return {"numbers": self.numbers}

    def run(self) -> dict[str, Any]:
        """Their sum; −1 breaks down."""
        if -1 in self.numbers:
            raise ClusterError("it broke down")
        return {"sum": sum(self.numbers)}


def bench_of(folder: Path, study: Study, shares: list[float] | None = None) -> Bench:
    """A bench in this process."""
    tell = lambda share, note: None if shares is None else shares.append(share)  # noqa: E731
    return Bench(Processes(1), Store(folder, study), tell, 3.0)


def test_a_second_run_takes_what_the_first_finished(study: Study, tmp_path: Path) -> None:
    tasks = [Sum(study, (n, 1), f"points/axes/{n}") for n in range(3)]
    shares: list[float] = []
    first, second = bench_of(tmp_path, study, shares), bench_of(tmp_path, study)

    assert [kept["result"]["sum"] for kept in first.all(tasks)] == [1, 2, 3]
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])
    assert [kept["result"]["sum"] for kept in second.all(tasks)] == [1, 2, 3]
    assert (first.made, second.made) == (3, 0)
    assert json.loads((tmp_path / "points" / "axes-1.json").read_text())["result"] == {"sum": 2}


def test_what_was_finished_before_an_error_stays(study: Study, tmp_path: Path) -> None:
    good, bad = Sum(study, (1, 2), "points/good", cost=2.0), Sum(study, (-1,), "points/bad")
    with pytest.raises(ClusterError, match="broke down"):
        bench_of(tmp_path, study).all([bad, good])

    bench = bench_of(tmp_path, study)
    assert bench.store.get(good) is not None
    assert bench.store.get(bad) is None
    bench.all([good])
    assert bench.made == 0


def test_an_unequal_task_of_one_name_is_done_anew(study: Study, tmp_path: Path) -> None:
    bench = bench_of(tmp_path, study)
    bench.all([Sum(study, (1, 2))])

    assert bench.store.get(Sum(study, (1, 3))) is None
    other = replace(study, material=(("other", 9),))
    assert Store(tmp_path, study).get(Sum(other, (1, 2))) is None


def test_a_damaged_file_is_made_anew(study: Study, tmp_path: Path) -> None:
    task = Sum(study, (1, 2))
    bench_of(tmp_path, study).all([task])
    (tmp_path / "points" / "axes-sum.json").write_text('{"schema": 1, "ke')

    bench = bench_of(tmp_path, study)
    assert bench.all([task])[0]["result"] == {"sum": 3}
    assert bench.made == 1


def test_results_of_another_model_are_refused_and_stay(study: Study, tmp_path: Path) -> None:
    task = Sum(study, (1, 2))
    bench_of(tmp_path, study).all([task])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}

    with pytest.raises(OutputError, match=r"holds results of another model .*--overwrite"):
        Store(tmp_path, replace(study, sha256="f" * 64))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json")} == before


def test_the_time_of_all_runs_adds_up(study: Study, tmp_path: Path) -> None:
    store = Store(tmp_path, study)
    for index, seconds in enumerate((2.0, 3.5)):
        store.put(Sum(study, (index,), f"points/{index}"), {"key": ""}, seconds)

    assert Store(tmp_path, study).seconds == 5.5
