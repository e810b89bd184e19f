"""Where outcomes leave the tracker's thread: a short queue and a thread behind it.

The tracker does not wait for a camera's pictures: what does not fit is left out and counted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

LAST = 0.5  # seconds for the item at hand when time is up

Item = TypeVar("Item")


class Outlet(Generic[Item]):
    """Hands items to a function, one after the other, in a thread of its own.

    Args:
        name: of the thread.
        consume: called with each item; after an error it is not called any more.
        capacity: how much may wait; for more, the oldest are left out.
        patient: ``put`` waits for room instead.
        size: of an item, in what ``capacity`` counts: items, or bytes.
        failed: called with the error that ended it, in its thread.

    Attributes:
        skipped: items left out.
        error: that ended it; None while all is well.
    """

    def __init__(
        self,
        name: str,
        consume: Callable[[Item], None],
        capacity: int,
        patient: bool = False,
        size: Callable[[Item], int] = lambda item: 1,
        failed: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self._consume, self._capacity, self._patient = consume, capacity, patient
        self._size, self._failed, self._waiting = size, failed, 0
        self._changed = threading.Condition()
        self._queue: deque[Item] = deque()
        self._closing = False
        self.skipped = 0
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Hand on an item."""
        with self._changed:
            if self._patient:
                self._changed.wait_for(lambda: self._has_room(item))
            if self._closing or self.error is not None:
                return
            while not self._has_room(item):
                self._next()
                self.skipped += 1
            self._queue.append(item)
            self._waiting += self._size(item)
            self._changed.notify_all()

    def close(self, timeout: float) -> bool:
        """Let what waits be consumed, for so many seconds; the rest is left out.

        Returns:
            Whether the thread has ended, as it does unless ``consume`` hangs.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        with self._changed:
            self.skipped += len(self._queue)
            self._clear()
        self._thread.join(LAST)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if not self._queue:
                    return
                item = self._next()
                self._changed.notify_all()
            try:
                self._consume(item)
            except Exception as error:  # whatever it is, the tracker goes on without this outlet
                self._fail(error)
                return
            del item  # while it waits for the next one it holds none

    def _next(self) -> Item:
        item = self._queue.popleft()
        self._waiting -= self._size(item)
        return item

    def _clear(self) -> None:
        self._queue.clear()
        self._waiting = 0

    def _has_room(self, item: Item) -> bool:
        """Whether it may wait; one item always may."""
        fits = not self._queue or self._waiting + self._size(item) <= self._capacity
        return fits or self._closing or self.error is not None

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self.error = error
            self._clear()
            self._changed.notify_all()
        self._failed(error)
