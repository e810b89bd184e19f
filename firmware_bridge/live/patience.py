"""How long to wait for a camera, by what it has shown so far.

Nothing here looks at a clock: moments are handed in.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

INTERVALS = 2.5  # a picture may take so many times as long as one should
OPENINGS = 2.0  # likewise opening the camera anew
LATELY = 8  # intervals between pictures that are remembered
EVERY = 4  # of the attempts in a row that bring nothing, this one has all the time of the first


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds.

    Attributes:
        opening: for the first picture, and for any picture at most.
        reopening: for the first picture of a camera that has shown some in this run, at least.
        picture: for the next one, at least.
        shortest: before the first new attempt; each further one doubles it.
        longest: between two attempts.
        leaving: for a process that was asked to end, before it is killed.
    """

    opening: float = 20.0
    reopening: float = 4.0
    picture: float = 2.0
    shortest: float = 0.5
    longest: float = 3.0
    leaving: float = 0.5

    @classmethod
    def of(cls, fps: float | None) -> Patience:
        """For pictures that were asked for so often a second; None: as the camera likes."""
        usual = cls()
        picture = usual.picture if fps is None else max(usual.picture, INTERVALS / fps)
        return replace(usual, opening=max(usual.opening, picture), picture=picture)


class Waits:
    """How long to wait for one camera's next picture, and before it is opened anew.

    A camera that shows a picture every five seconds is no broken one. That it is slow shows in its
    intervals. Where it was given up before it had shown pictures for as long as that is waited for
    (one alone, or a few that had been held back), it shows in how long the next one took.

    Args:
        patience: what it starts from.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._delay = patience.shortest
        self._intervals: deque[float] = deque(maxlen=LATELY)
        self._opening: float | None = None  # how long the first took that brought a picture
        self._begun = self._first = self._last = 0.0
        self._brief = False  # whether it was given up before its pace was known
        self._fruitless = 0  # attempts given up since the last picture
        self.pictures = 0  # since the camera was opened

    def opened(self, now: float) -> None:
        """An attempt begins."""
        self._begun, self.pictures = now, 0

    def came(self, now: float) -> None:
        """A picture is there."""
        if self._opening is None:
            self._opening = now - self._begun
        if self.pictures or self._brief:
            self._intervals.append(now - self._last)
        self._first = self._first if self.pictures else now
        self._last, self._brief, self._fruitless = now, False, 0
        self._delay = self._patience.shortest
        self.pictures += 1

    def gave_up(self) -> None:
        """No picture came in time."""
        if self.pictures:
            self._brief = self._last - self._first < self._patience.picture
        else:
            self._fruitless += 1
        self._delay = self._patience.shortest  # time enough has gone by

    def delay(self) -> float:
        """Seconds until the next attempt; the one after that waits twice as long."""
        delay, self._delay = self._delay, min(2 * self._delay, self._patience.longest)
        return delay

    @property
    def wait(self) -> float:
        """Seconds for the next picture."""
        usual, longest = self._patience, max(self._intervals, default=0.0)
        picture = max(usual.picture, min(INTERVALS * longest, usual.opening))
        if self.pictures:
            return picture
        if self._opening is None or self._fruitless % EVERY == EVERY - 1:
            return usual.opening
        return min(max(usual.reopening, OPENINGS * self._opening, picture), usual.opening)
