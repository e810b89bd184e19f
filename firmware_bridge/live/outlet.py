"""Where outcomes leave the tracker's thread: a short queue and a thread behind it.

The tracker does not wait for a camera's pictures: what does not fit is left out and counted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Outlet(Generic[Item]):
    """Hands items to a function, one after the other, in a thread of its own.

    Args:
        name: of the thread.
        consume: called with each item; after an error it is not called any more.
        capacity: items that may wait; for one more, the oldest is left out.
        patient: ``put`` waits for room instead.

    Attributes:
        skipped: items left out.
        error: that ended it; None while all is well.
    """

    def __init__(
        self, name: str, consume: Callable[[Item], None], capacity: int, patient: bool = False
    ) -> None:
        self._consume, self._capacity, self._patient = consume, capacity, patient
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
                self._changed.wait_for(self._has_room)
            if self._closing or self.error is not None:
                return
            if len(self._queue) == self._capacity:
                self._queue.popleft()
                self.skipped += 1
            self._queue.append(item)
            self._changed.notify_all()

    def close(self, timeout: float) -> bool:
        """Let what waits be consumed, for so many seconds; whether all was."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if not self._queue:
                    return
                item = self._queue.popleft()
                self._changed.notify_all()
            try:
                self._consume(item)
            except Exception as error:  # whatever it is, the tracker goes on without this outlet
                self._fail(error)
                return

    def _has_room(self) -> bool:
        return len(self._queue) < self._capacity or self._closing or self.error is not None

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self.error = error
            self._changed.notify_all()
