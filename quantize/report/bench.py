"""Tasks to results: what is kept already is taken, the rest is done side by side and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from edge_ttvos.quantize.report.pool import Pool
from edge_ttvos.quantize.report.store import Store
from edge_ttvos.quantize.report.task import Result, Task

Tell = Callable[[float, str], None]  # the share done, and what was finished
Finished = Callable[[int, Result], None]


class Bench:
    """Where a report's tasks are done.

    Args:
        pool: does them.
        store: keeps their results.
        tell: is told how far it has come.
        total: seconds on one core that all tasks will take, about.
    """

    def __init__(self, pool: Pool, store: Store, tell: Tell, total: float) -> None:
        self.pool, self.store, self.tell = pool, store, tell
        self.total, self.done = total, 0.0
        self.made = 0  # in this run
        self._since = time.monotonic()

    def all(
        self,
        tasks: Sequence[Task],
        finished: Finished = lambda place, kept: None,
        pool: Pool | None = None,
    ) -> list[Result]:
        """What each task gave, in their order; the longest begin first.

        Args:
            tasks: to do.
            finished: called with each one's place and result, kept ones first.
            pool: in place of the bench's own.

        Raises:
            OutputError: a result cannot be kept.
            ClusterError: processes died.
        """
        found: dict[int, Result] = {}
        for place, task in enumerate(tasks):
            if (kept := self.store.get(task)) is not None:
                found[place] = kept
                self._count(task)
                finished(place, kept)
        missing = sorted(set(range(len(tasks))) - set(found), key=lambda p: -tasks[p].cost)
        for index, kept in (pool or self.pool).run([tasks[place] for place in missing]):
            place = missing[index]
            now = time.monotonic()
            self.store.put(tasks[place], kept, now - self._since)
            self._since = now
            found[place] = kept
            self.made += 1
            self._count(tasks[place])
            finished(place, kept)
        return [found[place] for place in range(len(tasks))]

    def _count(self, task: Task) -> None:
        self.done += task.cost
        self.tell(min(1.0, self.done / max(self.total, self.done)), task.name.partition("/")[2])
