"""Real processes: joblib's, and a Dask scheduler with workers that are killed while they work."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge_ttvos.errors import ClusterError
from edge_ttvos.quantize.report import pool as pools
from edge_ttvos.quantize.report.bench import Bench
from edge_ttvos.quantize.report.points import float_point
from edge_ttvos.quantize.report.pool import Cluster, Processes
from edge_ttvos.quantize.report.scoring import Score
from edge_ttvos.quantize.report.store import Store
from edge_ttvos.quantize.report.study import Study

pytestmark = pytest.mark.slow

PATIENCE = 120  # seconds for a process to be there
Start = Callable[..., "subprocess.Popen[str]"]


def tasks_of(study: Study, count: int) -> list[Score]:
    """Unequal tasks of some seconds: float points with a name each."""
    return [
        Score(study, replace(float_point("axes"), id=f"axes/float-{n}"), None) for n in range(count)
    ]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start ``dask …`` in a process of its own; all end with the test."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        with process:
            process.communicate()


def address_of(scheduler: subprocess.Popen[str]) -> str:
    """As its log says; the rest of the log is read away, so that it never blocks."""
    assert scheduler.stderr is not None
    for line in scheduler.stderr:
        if found := re.search(r"Scheduler at:\s+(tcp://\S+)", line):
            threading.Thread(target=scheduler.stderr.read, daemon=True).start()
            return found[1]
    raise AssertionError("the scheduler ended without an address")


def start_worker(start: Start, address: str) -> subprocess.Popen[str]:
    """One thread, no nanny that would start another in its place."""
    worker = start("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
    assert worker.stderr is not None
    threading.Thread(target=worker.stderr.read, daemon=True).start()
    return worker


def wait_for_workers(cluster: Cluster, count: int) -> None:
    """Until so many are there."""
    until = time.monotonic() + PATIENCE
    while cluster.workers < count:
        assert time.monotonic() < until, "the workers did not come"
        time.sleep(0.2)


@pytest.fixture
def scheduler(start: Start) -> tuple[subprocess.Popen[str], str]:
    """A scheduler and its address."""
    process = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    return process, address_of(process)


def test_processes_of_this_machine_give_what_one_gives(study: Study) -> None:
    tasks = tasks_of(study, 3)
    alone = dict(Processes(1).run(tasks))
    beside = dict(Processes(2).run(tasks))

    assert sorted(beside) == [0, 1, 2]
    assert [beside[i]["result"] for i in range(3)] == [alone[i]["result"] for i in range(3)]
    assert len({beside[i]["key"] for i in range(3)}) == 3


def test_a_worker_killed_in_the_middle_costs_nothing_but_time(
    study: Study, start: Start, scheduler: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    _, address = scheduler
    workers = [start_worker(start, address) for _ in range(2)]
    with closing(Cluster(address)) as cluster:
        wait_for_workers(cluster, 2)
        bench = Bench(cluster, Store(tmp_path, study), lambda share, note: None, 1.0)
        tasks, finished = tasks_of(study, 6), []

        def kill_after_the_first(place: int, kept: object) -> None:
            finished.append(place)
            if len(finished) == 1:
                os.kill(workers[0].pid, signal.SIGKILL)

        results = bench.all(tasks, kill_after_the_first)

    assert workers[0].wait(PATIENCE) == -signal.SIGKILL
    assert workers[1].poll() is None
    assert sorted(finished) == list(range(6))
    assert len({str(kept["result"]) for kept in results}) == 1  # one model, one answer
    assert len(list((tmp_path / "points").glob("*.json"))) == 6


def test_a_cluster_that_dies_keeps_what_was_finished(
    study: Study,
    start: Start,
    scheduler: tuple[subprocess.Popen[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pools, "LONELY", 3.0)
    process, address = scheduler
    worker = start_worker(start, address)
    tasks, store = tasks_of(study, 4), Store(tmp_path, study)
    with closing(Cluster(address)) as cluster:
        wait_for_workers(cluster, 1)
        bench = Bench(cluster, store, lambda share, note: None, 1.0)

        def kill(place: int, kept: object) -> None:
            worker.kill()
            process.kill()

        with pytest.raises(ClusterError, match=r"died under way .*goes on from there"):
            bench.all(tasks, kill)

    kept = [task for task in tasks if store.get(task) is not None]
    assert 1 <= len(kept) < 4
    again = Bench(Processes(1), store, lambda share, note: None, 1.0)
    again.all(tasks)
    assert again.made == 4 - len(kept)


def test_no_scheduler_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "CONNECT", 1.0)
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ClusterError, match=f"tcp://127.0.0.1:{port}: no Dask scheduler"):
            Cluster(f"tcp://127.0.0.1:{port}")


@pytest.mark.parametrize("address", ["nowhere", "ftp://x:1", "tcp://127.0.0.1"])
def test_what_is_no_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "CONNECT", 1.0)
    with pytest.raises(ClusterError, match="no Dask scheduler"):
        Cluster(address)


def test_a_scheduler_without_workers(
    scheduler: tuple[subprocess.Popen[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "LONELY", 0.5)
    with pytest.raises(ClusterError, match="the scheduler has no worker; start some"):
        Cluster(scheduler[1])
