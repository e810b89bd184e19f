"""Processes that do tasks side by side: of this machine through joblib, or of a Dask cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from edge_ttvos.errors import ClusterError, EngineError
from edge_ttvos.quantize.report.task import Result, Task, do

CONNECT = 10.0  # seconds to reach a scheduler
LONELY = 30.0  # seconds that a cluster may be without a worker
LOOK = 0.5  # seconds between looks at the cluster


class Pool(Protocol):
    """Where tasks are done."""

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Result]]:
        """Places and results, each as it finishes.

        Raises:
            ClusterError: processes died.
        """


def _numbered(index: int, task: Task) -> tuple[int, Result]:
    return index, do(task)


class Processes:
    """Of this machine.

    Args:
        jobs: how many; 1: this one.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        try:
            import joblib
        except ImportError as error:
            raise EngineError(_missing("joblib")) from error
        self._joblib = joblib

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Result]]:
        """Places and results, each as it finishes."""
        from joblib.externals.loky.process_executor import BrokenProcessPool

        jobs = min(self.jobs, len(tasks))
        if jobs < 2:
            yield from (_numbered(index, task) for index, task in enumerate(tasks))
            return
        parallel = self._joblib.Parallel(
            n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs"
        )
        call = self._joblib.delayed(_numbered)
        try:
            yield from parallel(call(index, task) for index, task in enumerate(tasks))
        except BrokenProcessPool as error:
            raise ClusterError(
                "a process of the report was killed, most likely for want of memory; what was "
                "finished is kept. Give fewer --jobs and start again: it goes on from there"
            ) from error


class Cluster:
    """A Dask scheduler's workers; one that dies has its tasks done by another.

    Args:
        address: ``tcp://host:port`` of the scheduler. Workers read model and data at the same
            paths as this machine, and have this edge-ttvos installed.

    Raises:
        ClusterError: there is no scheduler, or it has no workers.
        EngineError: dask.distributed is not installed.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError as error:
            raise EngineError(_missing("distributed")) from error
        self._distributed, self.address = distributed, address
        try:
            open_client: Any = distributed.Client
            self._client = open_client(address, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterError(
                f"--cluster {address}: no Dask scheduler answers there within {CONNECT:.0f} s "
                "(expected tcp://host:port of a running `dask scheduler`)"
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=LONELY)
        except TimeoutError as error:
            self.close()
            raise ClusterError(
                f"--cluster {address}: the scheduler has no worker; start some with "
                f"`dask worker {address} --nthreads 1`"
            ) from error

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Result]]:
        """Places and results, each as it finishes."""
        waiting = {
            self._client.submit(_numbered, index, task, pure=False)
            for index, task in enumerate(tasks)
        }
        try:
            while waiting:
                yield from self._finished(waiting)
        finally:
            for future in waiting:
                future.release()

    @property
    def workers(self) -> int:
        """How many there are now."""
        return self._workers()

    def close(self) -> None:
        """Leave the cluster as it was."""
        self._client.close(timeout=LOOK)

    def _finished(self, waiting: set[Any]) -> Iterator[tuple[int, Result]]:
        """Results of those that finish next; they leave ``waiting``."""
        alone = time.monotonic()
        while not (done := {future for future in waiting if future.done()}):
            time.sleep(LOOK)
            if self._workers():
                alone = time.monotonic()
            elif time.monotonic() - alone > LONELY:
                raise ClusterError(self._died(f"no worker for {LONELY:.0f} s"))
        for future in done:
            waiting.discard(future)
            yield self._result(future)

    def _result(self, future: Any) -> tuple[int, Result]:
        client = self._distributed.client
        lost = (
            self._distributed.KilledWorker,
            client.CancelledError,
            client.FutureCancelledError,
            client.CommClosedError,
        )
        try:
            found: tuple[int, Result] = future.result()
        except lost as error:
            raise ClusterError(self._died(str(error))) from error
        return found

    def _workers(self) -> int:
        """How many there are; none where the scheduler does not answer."""
        if self._client.status != "running":
            return 0
        try:
            return len(self._client.scheduler_info()["workers"])
        except (OSError, TimeoutError):
            return 0

    def _died(self, why: str) -> str:
        said = " ".join(why.split())
        return (
            f"--cluster {self.address} died under way ({said}); what was finished is kept: start "
            "the same report again, and it goes on from there"
        )


def _missing(package: str) -> str:
    return (
        f"a report needs {package}, which is not installed; type: "
        "pip install 'edge-ttvos[host,report]'"
    )
